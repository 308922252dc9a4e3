"""With which lists and rules it was judged."""

from egress_audit.report.evidence_section import evidence_section, shows_country
from tests.builders.audits import ADDRESS_LIST, far_and_wide, hub_lookup


def test_a_list_stands_with_its_date() -> None:
    entry = evidence_section(hub_lookup()).entries[0]
    assert entry.lines == ("addresses of 2026-06-01, CC-BY-4.0",)


def test_attribution_is_given_where_a_country_is_shown_and_only_there() -> None:
    credited = [entry.lines for entry in evidence_section(far_and_wide()).entries]
    assert (ADDRESS_LIST.attribution,) in credited
    uncredited = [entry.lines for entry in evidence_section(hub_lookup()).entries]
    assert (ADDRESS_LIST.attribution,) not in uncredited


def test_a_country_of_an_answer_is_a_country_shown() -> None:
    assert shows_country(far_and_wide())
    assert not shows_country(hub_lookup())
