"""What could have silenced or led a program is printed beside its verdict."""

from egress_audit.model.run import Stamp
from egress_audit.report.conditions_section import cannot_see_section, conditions_section
from tests.builders.runs import run, setting


def test_every_condition_is_told_with_what_it_does() -> None:
    section = conditions_section(
        run(
            conditions=(setting("HF_HUB_OFFLINE", "1", "no request"),),
            endpoints=(setting("HTTPS_PROXY", "http://127.0.0.1:7890", "a proxy"),),
            removed_variables=("CI", "GITHUB_ACTIONS"),
            stamps=(Stamp("~/.a", "onnxruntime", True), Stamp("~/.b", "ray", False)),
        )
    )
    assert section is not None
    assert {entry.term: entry.lines for entry in section.entries} == {
        "Silencing": ("HF_HUB_OFFLINE=1: no request",),
        "Endpoints": ("HTTPS_PROXY=http://127.0.0.1:7890: a proxy",),
        "Taken away": ("CI, GITHUB_ACTIONS: they announce CI, and silence some products",),
        "Hidden stamps": ("onnxruntime: ~/.a",),
        "Seen stamps": ("ray: ~/.b",),
    }


def test_where_there_are_none_there_is_no_section() -> None:
    assert conditions_section(run()) is None


def test_what_the_rung_cannot_see_is_told_where_it_is_noted() -> None:
    section = cannot_see_section(run(cannot_see=("RDMA devices",)))
    assert section is not None and section.entries[0].lines == ("RDMA devices",)
    assert cannot_see_section(run()) is None
