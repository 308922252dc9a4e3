"""One record from several lists: who is asked first, who dissents, and what is known wrong."""

from ipaddress import ip_address, ip_network

import pytest

from egress_audit.ranges.intervals import Range
from egress_audit.ranges.merging import Gives, Holder, Layer, Merged, gaps, merged, sole_holders

EXAMPLE = Holder(64500, "Example")
OTHER = Holder(64501, "Other")
CLOUD = Holder(64502, "Cloud")


def rows(*cells: tuple[str, str]) -> list[Range[str]]:
    networks = [(ip_network(prefix), value) for prefix, value in cells]
    return [(int(n.network_address), int(n.broadcast_address), value) for n, value in networks]


def held(*cells: tuple[str, Holder]) -> list[Range[Holder]]:
    by_asn = {str(holder.asn): holder for _, holder in cells}
    plain = rows(*((prefix, str(holder.asn)) for prefix, holder in cells))
    return [(first, last, by_asn[asn]) for first, last, asn in plain]


def countries(gives: Gives, *cells: tuple[str, str]) -> Layer:
    return Layer(gives, rows(*cells))


def record(address: str, *layers: Layer) -> Merged | None:
    number = int(ip_address(address))
    found = merged(layers, {CLOUD.asn})
    return next((value for first, last, value in found if first <= number <= last), None)


MEASURED = countries(Gives.MEASURED, ("9.0.0.0/8", "JP"))
FEED = countries(Gives.FEED, ("9.0.0.0/8", "US"))


def test_what_is_measured_comes_before_a_feed() -> None:
    found = record("9.9.9.9", FEED, MEASURED)
    assert found is not None
    assert (found.country, found.dissent) == ("JP", "US")


def test_the_feed_comes_first_where_the_operator_publishes_one() -> None:
    found = record("9.9.9.9", Layer(Gives.ORIGIN, held(("9.0.0.0/8", CLOUD))), MEASURED, FEED)
    assert found is not None
    assert (found.country, found.dissent) == ("US", "JP")


def test_what_an_operator_publishes_of_its_sites_comes_before_all() -> None:
    site = countries(Gives.PUBLISHED, ("9.9.0.0/16", "SG"))
    found = record("9.9.9.9", site, MEASURED, FEED)
    assert found is not None
    assert (found.country, found.dissent) == ("SG", "JP")


def test_lists_that_agree_leave_no_dissent() -> None:
    found = record("9.9.9.9", MEASURED, countries(Gives.FEED, ("9.0.0.0/8", "JP")))
    assert found is not None
    assert (found.country, found.dissent, found.alone) == ("JP", "", False)


def test_one_voice_alone_is_marked() -> None:
    found = record("9.9.9.9", MEASURED)
    assert found is not None
    assert found.alone


def test_a_delegation_is_no_voice_about_the_place() -> None:
    found = record("9.9.9.9", MEASURED, countries(Gives.DELEGATION, ("9.0.0.0/8", "JP")))
    assert found is not None
    assert (found.registered, found.alone) == ("JP", True)


@pytest.mark.parametrize(
    "prefix",
    [
        "10.0.0.0/8",
        "192.0.2.0/24",
        "192.52.193.0/24",
        "2001:1::1/128",
        "2001:3::/32",
        "2001:20::/28",
        "2001:db8::/32",
        "2002::/16",
    ],
)
def test_a_special_purpose_range_has_no_record(prefix: str) -> None:
    inside = str(ip_network(prefix)[-1])
    assert record(inside, countries(Gives.MEASURED, (prefix, "AU"))) is None


def test_cernet_is_not_in_australia() -> None:
    found = record(
        "2001:250::1",
        countries(Gives.MEASURED, ("2001:250::/32", "CN")),
        countries(Gives.FEED, ("2001:200::/23", "AU")),
        countries(Gives.DELEGATION, ("2001:250::/32", "CN")),
    )
    assert found is not None
    assert (found.country, found.dissent, found.alone) == ("CN", "", False)


def test_a_site_in_australia_outside_the_space_of_its_registry_stays_one() -> None:
    found = record(
        "2a09::1",
        countries(Gives.MEASURED, ("2a09::/32", "GB")),
        countries(Gives.FEED, ("2a09::/32", "AU")),
        countries(Gives.DELEGATION, ("2a09::/32", "GB")),
    )
    assert found is not None
    assert found.dissent == "AU"


ANNOUNCED = Layer(Gives.ORIGIN, held(("9.0.0.0/8", CLOUD)))
CHINA = countries(Gives.FEED, ("9.0.0.0/8", "CN"))


@pytest.mark.parametrize("code", ["HK", "MO", "TW"])
def test_a_region_of_its_own_code_is_not_china_since_a_feed_begins_it_with_cn(code: str) -> None:
    found = record("9.9.9.9", ANNOUNCED, countries(Gives.MEASURED, ("9.0.0.0/8", code)), CHINA)
    assert found is not None
    assert (found.country, found.dissent, found.alone) == (code, "", False)


def test_the_same_of_two_lists_made_of_feeds() -> None:
    found = record("9.9.9.9", ANNOUNCED, CHINA, countries(Gives.FEED, ("9.0.0.0/8", "HK")))
    assert found is not None
    assert (found.country, found.dissent) == ("HK", "")


def test_china_in_a_feed_stays_where_no_list_has_such_a_region() -> None:
    found = record("9.9.9.9", ANNOUNCED, MEASURED, CHINA)
    assert found is not None
    assert (found.country, found.dissent) == ("CN", "JP")


def test_china_dissents_of_whom_no_feed_is_known() -> None:
    found = record("9.9.9.9", countries(Gives.MEASURED, ("9.0.0.0/8", "HK")), CHINA)
    assert found is not None
    assert (found.country, found.dissent) == ("HK", "CN")


DELEGATED = rows(("9.0.0.0/8", "US"))


def test_an_unannounced_stretch_between_two_of_one_as_is_taken_for_its() -> None:
    origins = held(("9.1.0.0/24", EXAMPLE), ("9.1.2.0/24", EXAMPLE))
    assert gaps(origins, DELEGATED) == held(("9.1.1.0/24", EXAMPLE))


@pytest.mark.parametrize(
    ("origins", "delegated"),
    [
        (held(("9.1.0.0/24", EXAMPLE), ("9.1.2.0/24", OTHER)), DELEGATED),
        (held(("9.1.0.0/24", EXAMPLE), ("9.1.1.0/24", EXAMPLE)), DELEGATED),
        (held(("9.1.0.0/24", EXAMPLE), ("9.9.2.0/24", EXAMPLE)), DELEGATED),
        (
            held(("9.1.0.0/24", EXAMPLE), ("9.1.2.0/24", EXAMPLE)),
            rows(("9.1.0.0/24", "US"), ("9.1.2.0/24", "CN")),
        ),
    ],
    ids=["of two ASes", "of no width", "too wide", "over two delegations"],
)
def test_any_other_stretch_stays_without_an_as(
    origins: list[Range[Holder]], delegated: list[Range[str]]
) -> None:
    assert gaps(origins, delegated) == []


def test_a_stretch_that_was_filled_is_no_reason_to_believe_a_feed() -> None:
    origins = Layer(Gives.ORIGIN, held(("9.1.0.0/24", CLOUD), ("9.1.2.0/24", CLOUD)))
    found = record("9.1.1.1", origins, MEASURED, FEED, Layer(Gives.DELEGATION, DELEGATED))
    assert found is not None
    assert (found.asn, found.country) == (CLOUD.asn, "JP")


SIX = rows(("2a00::/16", "DE"))


def test_the_rest_of_an_ipv6_block_is_that_of_the_only_as_in_it() -> None:
    origins = held(("2a00:1:2::/48", EXAMPLE), ("2a00:2:2::/48", OTHER))
    assert sole_holders(origins, SIX) == held(("2a00:1::/32", EXAMPLE), ("2a00:2::/32", OTHER))


@pytest.mark.parametrize(
    ("origins", "delegated"),
    [
        (held(("2a00:1:2::/48", EXAMPLE), ("2a00:1:3::/48", OTHER)), SIX),
        (held(("2a00:1:2::/48", EXAMPLE)), rows(("2a00:1::/40", "DE"), ("2a00:1:100::/40", "FR"))),
        (held(("9.1.0.0/24", EXAMPLE)), DELEGATED),
    ],
    ids=["of two ASes", "over two delegations", "of IPv4"],
)
def test_the_rest_of_any_other_block_stays_without_an_as(
    origins: list[Range[Holder]], delegated: list[Range[str]]
) -> None:
    assert sole_holders(origins, delegated) == []


def test_what_is_announced_in_a_block_stays_as_it_is_announced() -> None:
    origins = Layer(Gives.ORIGIN, held(("2a00:1:2::/48", EXAMPLE)))
    delegation = Layer(Gives.DELEGATION, SIX)
    found = record("2a00:1:9::1", origins, delegation)
    assert found is not None
    assert found.asn == EXAMPLE.asn
    assert record("2a00:2::1", origins, delegation) == Merged("", "", False, "DE", 0, "")
