"""The table of destinations as lines for a terminal."""

from dataclasses import replace

import pytest

from egress_audit.model.audit import NameUse
from egress_audit.model.flow import NameSource
from egress_audit.report.destination_table import table_section_lines
from egress_audit.report.safe_text import width_of
from tests.builders.audit_parts import observation, question
from tests.builders.audits import far_and_wide, hub_lookup, silent_capture


@pytest.mark.parametrize("width", [80, 100, 140])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(width_of, table_section_lines(far_and_wide(), width))) <= width


def test_numbers_and_times_beyond_all_measure_fit_too() -> None:
    vast = observation(ip_bytes_out=10**20, pkts_in=10**15, first_ts_ns=2**70)
    asked = question(2, "a.b", pkts_out=999_999)
    lines = table_section_lines(replace(hub_lookup(), observations=(vast, asked)), 100)
    assert max(map(width_of, lines)) <= 100


def test_a_table_without_rows_says_that_none_was_seen() -> None:
    assert table_section_lines(silent_capture(), 100) == ["Destinations: none was seen"]


def test_a_violating_row_is_marked_and_the_mark_explained() -> None:
    lines = table_section_lines(hub_lookup(), 100)
    assert "  ! contradicts the claim" in lines
    assert sum(line.startswith("!  huggingface.co") for line in lines) == 2


def test_marks_of_countries_are_explained_only_where_there_are_countries() -> None:
    assert not any("registered" in line for line in table_section_lines(hub_lookup(), 100))
    assert any("registered" in line for line in table_section_lines(far_and_wide(), 100))


def test_rows_that_are_left_out_are_counted() -> None:
    many = tuple(observation(number) for number in range(1, 1041))
    lines = table_section_lines(replace(hub_lookup(), observations=many), 100)
    assert lines[-1] == "   … and 1\u00a0010 more rows: --format json"


def test_a_whole_ipv6_address_stands_on_one_line() -> None:
    lines = table_section_lines(far_and_wide(), 100)
    assert any("2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff" in line for line in lines)


def test_a_name_of_endless_length_keeps_its_two_ends() -> None:
    host = "begin." + "x" * 5000 + ".end"
    seen = observation(names=(NameUse(host, (NameSource.HTTP_HOST,)),))
    lines = table_section_lines(replace(hub_lookup(), observations=(seen,)), 100)
    assert len(lines) < 15
    assert any("begin." in line for line in lines)
    assert any("x.end" in line for line in lines)
