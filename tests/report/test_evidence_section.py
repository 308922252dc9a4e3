"""With which lists and rules it was judged."""

from dataclasses import replace

from egress_audit.classify.catalogue_files import packaged_catalogue
from egress_audit.model.catalogue import CATALOGUE
from egress_audit.report.evidence_section import evidence_section, shows_country
from tests.builders.audits import ADDRESS_LIST, far_and_wide, hub_lookup
from tests.builders.endpoints import entry


def test_a_list_stands_with_its_date() -> None:
    first = evidence_section(hub_lookup()).entries[0]
    assert first.lines == ("addresses of 2026-06-01, CC-BY-4.0",)


def test_attribution_is_given_where_a_country_is_shown_and_only_there() -> None:
    credited = [one.lines for one in evidence_section(far_and_wide()).entries]
    assert (ADDRESS_LIST.attribution,) in credited
    uncredited = [one.lines for one in evidence_section(hub_lookup()).entries]
    assert (ADDRESS_LIST.attribution,) not in uncredited


def test_a_country_of_an_answer_is_a_country_shown() -> None:
    assert shows_country(far_and_wide())
    assert not shows_country(hub_lookup())


def test_the_catalogue_is_credited_where_it_is_quoted_and_only_there() -> None:
    quoted = replace(ADDRESS_LIST, name=CATALOGUE, attribution="its authors")
    silent = replace(hub_lookup(), lists=(quoted,))
    told = [one.lines for one in evidence_section(replace(silent, endpoints=(entry(),))).entries]
    assert ("its authors",) in told
    assert ("its authors",) not in [one.lines for one in evidence_section(silent).entries]


def test_the_catalogue_is_called_as_its_source_says() -> None:
    assert [used.name for used in packaged_catalogue().used] == [CATALOGUE]
