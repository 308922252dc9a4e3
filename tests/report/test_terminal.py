"""The report for a terminal."""

import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.model.audit import Audit, NameUse, OwnAddresses
from egress_audit.model.evidence import Damage
from egress_audit.model.flow import NameSource
from egress_audit.report.safe_text import width_of
from egress_audit.report.terminal import terminal_text
from tests.builders.audit_parts import blind_spot, coverage, interface, observation
from tests.builders.audits import asserted_silence, far_and_wide, hub_lookup, silent_capture

SAMPLES = [hub_lookup(), silent_capture(), asserted_silence(), far_and_wide()]
SGR = re.compile(r"\x1b\[[0-9;]*m")
HOSTILE = "\x1b[2J\x1b]0;x\x07\n\u202emoc\u2066\x9b1m模型" + "very-long" * 60


def text_of(audit: Audit) -> str:
    return terminal_text(audit, inputs=("capture.pcap",))


def painted_by_a_stranger(text: str) -> Audit:
    """An audit with `text` wherever the capture, or its file name, could put it."""
    audit = hub_lookup()
    seen = observation(names=(NameUse(text, (NameSource.TLS_SNI,)),), far_h=text)
    return replace(
        audit,
        headline=f"This capture asked for {text}.",
        own_addresses=OwnAddresses(text, (text,)),
        coverage=coverage(
            interfaces=(interface(name=text, capture_filter=text, linktype_name=text),),
            damage=(Damage(1, text),),
            undecoded={text: 3},
            conditions=(text,),
        ),
        findings=(replace(audit.findings[0], rule=text, message=text),),
        blind_spots=(blind_spot(text, message=text, remedy=text, lifted_by=text),),
        observations=(seen, *audit.observations),
    )


def test_the_verdict_comes_first_then_its_sentence() -> None:
    first, second, *_ = text_of(hub_lookup()).splitlines()
    assert first == 'VIOLATED  "offline"  capture.pcap'
    assert second.startswith("  This capture asked for huggingface.co (19 A and 19 AAAA questions)")


def test_parts_stand_in_the_order_of_a_readers_questions() -> None:
    text = text_of(asserted_silence())
    titles = [
        "Claim",
        "Why",
        "Asserted",
        "Watched",
        "Could not be seen",
        "Destinations",
        "Judged with",
    ]
    places = [text.index(f"\n{title}") for title in titles]
    assert places == sorted(places)


def test_a_silent_capture_gives_its_reasons() -> None:
    text = text_of(silent_capture())
    assert text.startswith("INCONCLUSIVE")
    assert "\n  no-drops " in text


def test_what_holds_on_assertions_says_so_at_its_top() -> None:
    lines = text_of(asserted_silence()).splitlines()
    assert lines[0].startswith("HOLDS")
    assert lines[1].strip() == asserted_silence().headline


@pytest.mark.parametrize("width", [80, 100, 132])
@pytest.mark.parametrize("audit", SAMPLES, ids=lambda audit: audit.verdict)
def test_no_line_is_wider_than_the_terminal(audit: Audit, width: int) -> None:
    text = terminal_text(audit, inputs=("capture.pcap",), width=width)
    assert max(map(width_of, text.splitlines())) <= width


@pytest.mark.parametrize("audit", SAMPLES, ids=lambda audit: audit.verdict)
def test_no_line_ends_in_spaces(audit: Audit) -> None:
    assert not [line for line in text_of(audit).splitlines() if line != line.rstrip()]


def test_nothing_that_a_stranger_wrote_is_obeyed() -> None:
    text = terminal_text(painted_by_a_stranger(HOSTILE), inputs=(HOSTILE,))
    obeyed = {c for c in text if unicodedata.category(c) in {"Cc", "Cf"} and c != "\n"}
    assert not obeyed
    assert max(map(width_of, text.splitlines())) <= 100


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=300))
def test_whatever_a_stranger_writes_stays_within_the_lines(text: str) -> None:
    shown = terminal_text(painted_by_a_stranger(text), inputs=(text,))
    assert max(map(width_of, shown.split("\n"))) <= 100
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs"} and c != "\n"]


@pytest.mark.parametrize("audit", SAMPLES, ids=lambda audit: audit.verdict)
def test_colour_repeats_words_and_replaces_none(audit: Audit) -> None:
    coloured = terminal_text(audit, inputs=("capture.pcap",), colour=True)
    assert coloured != text_of(audit)
    assert SGR.sub("", coloured) == text_of(audit)


def test_each_colour_ends_on_its_line() -> None:
    coloured = terminal_text(hub_lookup(), inputs=("capture.pcap",), colour=True)
    for line in coloured.splitlines():
        codes = SGR.findall(line)
        assert not codes or codes[-1] == "\x1b[0m"


def test_a_terminal_narrower_than_a_table_can_be_gets_80_columns() -> None:
    narrow = terminal_text(hub_lookup(), inputs=("capture.pcap",), width=20)
    assert narrow == terminal_text(hub_lookup(), inputs=("capture.pcap",), width=80)


@pytest.mark.parametrize("width", [80, 100])
def test_the_hash_of_a_capture_stands_whole_on_one_line(width: int) -> None:
    audit = hub_lookup()
    text = terminal_text(audit, inputs=("capture.pcap",), width=width)
    assert f" sha256 {audit.evidence[0].sha256}\n" in text


def test_a_display_filter_stands_below_its_finding_in_a_narrow_terminal_too() -> None:
    text = terminal_text(hub_lookup(), inputs=("capture.pcap",), width=80)
    assert "\n" + " " * 17 + "frame.number in {" in text
