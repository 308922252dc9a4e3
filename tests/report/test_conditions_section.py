"""What could have silenced or led a program is printed beside its verdict."""

from dataclasses import replace

from egress_audit.model.catalogue import Entry, Switch
from egress_audit.model.claim import AppliesTo
from egress_audit.model.run import Run, Stamp
from egress_audit.report.conditions_section import cannot_see_section, conditions_section
from tests.builders.audits import OFFLINE, hub_lookup
from tests.builders.endpoints import entry
from tests.builders.runs import run, setting


def test_every_condition_is_told_with_what_it_does() -> None:
    section = conditions_section(
        AUDIT,
        run(
            conditions=(setting("HF_HUB_OFFLINE", "1", "no request"),),
            endpoints=(setting("HTTPS_PROXY", "http://127.0.0.1:7890", "a proxy"),),
            removed_variables=("CI", "GITHUB_ACTIONS"),
            stamps=(Stamp("~/.a", "onnxruntime", True), Stamp("~/.b", "ray", False)),
        ),
    )
    assert section is not None
    assert {entry.term: entry.lines for entry in section.entries} == {
        "Switches": ("HF_HUB_OFFLINE=1: no request",),
        "Endpoints": ("HTTPS_PROXY=http://127.0.0.1:7890: a proxy",),
        "Taken away": ("CI, GITHUB_ACTIONS: they announce CI, and silence some products",),
        "Hidden stamps": ("onnxruntime: ~/.a",),
        "Seen stamps": ("ray: ~/.b",),
    }


AUDIT = hub_lookup()
OF_ACME = replace(OFFLINE, applies_to=AppliesTo(runtimes=("acme server",)))
STATS, NEWS = entry("acme-stats"), entry("acme-news", "update-check")


def not_set(noted: Run, *entries: Entry) -> tuple[str, ...]:
    """What is told of switches that were not seen, under a claim about the Acme server."""
    section = conditions_section(replace(AUDIT, claim=OF_ACME, endpoints=entries), noted)
    told = {} if section is None else {entry.term: entry.lines for entry in section.entries}
    return told.get("Not seen set", ())


def test_a_switch_of_the_runtime_that_was_not_set_is_told_with_what_it_would_stop() -> None:
    told = ("ACME_QUIET=1 is meant to switch off telemetry, update-check of Acme server",)
    assert not_set(run(), STATS, NEWS) == told


def test_one_that_was_set_is_not() -> None:
    assert not_set(run(conditions=(setting("ACME_QUIET", "0"),)), STATS, NEWS) == ()


def test_nor_one_of_a_product_that_the_claim_does_not_name() -> None:
    assert not_set(run(), replace(STATS, product="Other")) == ()


def test_nor_one_of_what_sends_no_packet() -> None:
    assert not_set(run(), replace(STATS, packetless=True)) == ()


def test_several_switches_and_products_stand_by_name() -> None:
    both = replace(STATS, switch=Switch("", (("B", "1"), ("A", "off"))))
    worker = replace(NEWS, product="Acme worker", processes=("acme server",), switch=both.switch)
    of_both = "telemetry of Acme server; update-check of Acme worker"
    assert not_set(run(), both, worker) == (
        f"A=off is meant to switch off {of_both}",
        f"B=1 is meant to switch off {of_both}",
    )


def test_where_there_are_none_there_is_no_section() -> None:
    assert conditions_section(AUDIT, run()) is None


def test_what_the_rung_cannot_see_is_told_where_it_is_noted() -> None:
    section = cannot_see_section(run(cannot_see=("RDMA devices",)))
    assert section is not None and section.entries[0].lines == ("RDMA devices",)
    assert cannot_see_section(run()) is None
