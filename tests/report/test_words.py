"""Numbers, times and lists as words."""

import pytest

from egress_audit.judge import phrases
from egress_audit.model.audit import MOST_GUESSED, Frames, OwnAddresses
from egress_audit.model.destination import Absent
from egress_audit.periods import SECOND_NS
from egress_audit.report.safe_text import NO_BREAK
from egress_audit.report.words import (
    PROTOCOLS,
    captures_named,
    counted,
    display_filter,
    duration_text,
    every,
    first_of,
    frames_text,
    listed,
    number,
    own_sides,
    period,
    protocol,
    short_number,
    stated,
    tally,
    time_text,
)
from tests.builders.audit_parts import START_NS


def spaced(text: str) -> str:
    return text.replace(NO_BREAK, " ")


def test_digits_are_grouped() -> None:
    assert spaced(number(12_408)) == "12 408"


def test_one_frame_is_not_frames() -> None:
    assert spaced(counted(1, "frame")) == "1 frame"
    assert spaced(counted(0, "frame")) == "0 frames"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (9_999, "9 999"),
        (10_000, "10.0k"),
        (48_393, "48.3k"),
        (999_999, "999k"),
        (3_180_555, "3.18M"),
        (12_345_678_901, "12.3G"),
        (10**18, "1.00E"),
    ],
)
def test_a_short_number_fits_into_five_columns(value: int, shown: str) -> None:
    assert spaced(short_number(value)) == shown
    assert len(shown) <= 5


def test_a_time_is_utc_in_milliseconds() -> None:
    assert time_text(START_NS) == "2026-11-21T10:12:03.512Z"
    assert time_text(0) == "1970-01-01T00:00:00.000Z"
    assert time_text(-1) == "1969-12-31T23:59:59.999Z"


def test_a_time_that_no_calendar_reaches_is_still_told() -> None:
    assert time_text(2**63) == "2262-04-11T23:47:16.854Z"
    assert time_text(2**70) == "1180591620717411303424 ns after 1970-01-01Z"


def test_a_missing_time_is_unknown() -> None:
    assert time_text(Absent.NOT_FOUND) == "unknown"


@pytest.mark.parametrize(
    ("tenths", "shown"),
    [
        (2, "0.200 s"),
        (594, "59.4 s"),
        (600, "1 min"),
        (8_430, "14 min 3 s"),
        (75_070, "2 h 5 min"),
        (36_000 * 24 - 10, "23 h 59 min"),
        (10 * (86_400 * 3 + 3600 * 4), "3 d 4 h"),
        (10 * 86_400 * 365, "365 d"),
        (10 * (86_400 * 15_615 + 3600 * 4), "15 615 d"),
        (-50, "0.000 s"),
    ],
)
def test_a_duration_has_at_most_two_units(tenths: int, shown: str) -> None:
    assert spaced(duration_text(tenths * SECOND_NS // 10)) == shown


def test_a_period_is_never_broken_into_two_lines() -> None:
    assert period(90 * SECOND_NS) == f"90{NO_BREAK}s"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(86_400, "every day"), (3_600, "every hour"), (14_400, "every 4 h"), (172_800, "every 2 d")],
)
def test_a_period_of_one_unit_needs_no_number(seconds: int, shown: str) -> None:
    assert spaced(every(seconds * SECOND_NS)) == shown


def test_a_long_list_says_how_much_is_left_out() -> None:
    assert listed(["a", "b", "c"], 2) == "a, b … and 1 more"
    assert listed(["a", "b"], 2) == "a, b"


def test_a_tally_begins_with_the_most_frequent() -> None:
    assert spaced(tally({"LLDP": 1, "ARP": 3})) == "3 ARP, 1 LLDP"
    assert tally({}) == ""


def test_the_first_lines_are_told_and_the_others_counted() -> None:
    assert first_of(["a", "b"], 2) == ("a", "b")
    assert first_of(["a", "b", "c"], 2) == ("a", "b", "… and 1 more: --format json")


def test_own_addresses_that_nobody_counted_are_so_many_at_least() -> None:
    many = tuple(f"10.0.0.{number}" for number in range(MOST_GUESSED))
    assert own_sides(OwnAddresses("guessed", many), 1) == "10.0.0.0 … and 15 more at least"
    assert own_sides(OwnAddresses("guessed", many[1:]), 1) == "10.0.0.1 … and 14 more"
    assert own_sides(OwnAddresses("given", many), 1) == "10.0.0.0 … and 15 more"


def test_frames_are_named_and_counted() -> None:
    assert frames_text(Frames((4,), 1)) == "frame 4"
    assert frames_text(Frames((1, 2, 5), 3)) == "frames 1, 2, 5"
    assert frames_text(Frames((1, 2, 5, 6, 7, 8, 9), 38)) == "frames 1, 2, 5, 6, 7, 8 … (38 in all)"
    assert frames_text(Frames((), 0)) == "in no frame"


def test_a_display_filter_has_commas_and_ranges() -> None:
    assert display_filter(Frames((1, 2, 5, 6, 7), 5)) == "frame.number in {1, 2, 5..7}"
    assert display_filter(Frames((), 0)) == ""


def test_a_protocol_without_a_word_is_a_number() -> None:
    assert protocol(6) == "tcp"
    assert protocol(200) == "protocol 200"


def test_standard_input_is_named_in_words() -> None:
    assert captures_named(["-"]) == "standard input"
    assert captures_named(["a.pcap", "b-.pcap"]) == "a.pcap, b-.pcap"


def test_a_protocol_has_the_same_word_in_a_row_as_in_a_finding() -> None:
    assert {number: word.lower() for number, word in phrases.PROTOCOLS.items()} == PROTOCOLS


def test_what_nobody_stated_is_said_to_be_so() -> None:
    assert stated(Absent.NOT_FOUND) == stated("") == "not stated"
    assert stated("A. Auditor") == "A. Auditor"
