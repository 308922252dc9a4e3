"""The country codes a profile or the catalogue may name."""

from egress_audit.country_codes import COUNTRY_CODES, EUROPEAN_UNION, with_union


def test_there_are_249_countries_and_kosovo() -> None:
    assert len(COUNTRY_CODES) == 250


def test_hong_kong_macao_and_taiwan_are_codes_of_their_own() -> None:
    assert {"CN", "HK", "MO", "TW"} <= COUNTRY_CODES


def test_a_code_that_lists_never_answer_with_is_none() -> None:
    assert "UK" not in COUNTRY_CODES
    assert "GB" in COUNTRY_CODES


def test_the_union_has_27_members_of_which_the_united_kingdom_is_none() -> None:
    assert len(EUROPEAN_UNION) == 27
    assert EUROPEAN_UNION < COUNTRY_CODES
    assert not {"GB", "NO", "CH"} & EUROPEAN_UNION


def test_the_union_is_told_in_place_of_its_members_if_all_of_them_are_there() -> None:
    assert with_union(EUROPEAN_UNION | {"NO", "CH"}) == ["the EU (27 countries)", "CH", "NO"]
    assert with_union({"SE", "DE"}) == ["DE", "SE"]
    assert len(with_union(EUROPEAN_UNION - {"AT"})) == 26
