"""The report as GitHub-flavoured Markdown."""

from dataclasses import replace

import pytest

from egress_audit.model.audit import NameUse
from egress_audit.model.flow import NameSource
from egress_audit.report.markdown import HEADERS, escaped, markdown_text
from tests.builders.audit_parts import observation
from tests.builders.audits import asserted_silence, far_and_wide, hub_lookup, silent_capture


def test_the_verdict_is_the_title() -> None:
    lines = markdown_text(hub_lookup(), inputs=("capture.pcap",)).splitlines()
    assert lines[0] == "# VIOLATED “offline” capture.pcap"
    assert lines[2].startswith("This capture asked for huggingface.co")


def test_standard_input_is_called_that_in_the_title() -> None:
    assert markdown_text(hub_lookup(), inputs=("-",)).splitlines()[0].endswith(" standard input")


def test_it_says_what_the_terminal_says() -> None:
    text = markdown_text(asserted_silence(), inputs=("capture.pcap",))
    for title in ("Claim", "Why", "Watched", "Could not be seen", "Asserted", "Judged with"):
        assert f"\n## {title}" in text


def test_a_filter_can_be_copied() -> None:
    assert "`frame.number in {1, 2, 5, 6, 29..44}`" in markdown_text(
        hub_lookup(), inputs=("c.pcap",)
    )


def test_no_destination_needs_no_table() -> None:
    assert "## Destinations: none was seen" in markdown_text(silent_capture(), inputs=("c.pcap",))


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a|b", r"a\|b"),
        ("`code`", r"\`code\`"),
        ("<script>", r"\<script\>"),
        ("a\nb", r"a\\nb"),
        ("[x](y)", r"\[x\](y)"),
        ("back\\slash|", r"back\\slash\|"),
        ("$1$", r"\$1\$"),
        ("@org/team", "@<!-- -->org/team"),
        ("http://x", "http://<!-- -->x"),
        ("www.example.org", "www<!-- -->.example.org"),
        ("&lt;", r"\&lt;"),
    ],
)
def test_nothing_in_a_name_is_obeyed(hostile: str, shown: str) -> None:
    assert escaped(hostile) == shown


def test_a_hostile_name_does_not_add_a_cell_or_a_line() -> None:
    names = (NameUse("a|b\n| c | `|`", (NameSource.TLS_SNI,)),)
    tame = replace(hub_lookup(), observations=(observation(),))
    hostile = replace(tame, observations=(observation(names=names),))
    rows = [line for line in markdown_text(hostile, inputs=("c",)).splitlines() if line[:1] == "|"]
    assert len(rows) == 3
    cells = rows[-1].replace(r"\|", "").count("|") - 1
    assert cells == len(HEADERS)


def test_rows_that_are_left_out_are_counted() -> None:
    many = tuple(observation(number) for number in range(1, 41))
    text = markdown_text(replace(hub_lookup(), observations=many), inputs=("c.pcap",))
    assert "… and 10 more rows: `--format json`" in text


def test_every_row_of_every_kind_has_as_many_cells_as_the_header() -> None:
    text = markdown_text(far_and_wide(), inputs=("c.pcap",))
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {row.replace(r"\|", "").count("|") for row in rows} == {len(HEADERS) + 1}
