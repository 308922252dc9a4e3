"""Each name has an address of its own, for as long as there are any."""

from ipaddress import ip_address

import pytest

from egress_audit.record.internet import invented_names
from egress_audit.record.internet.invented_names import InventedNames


def invented(range4: str = "198.18.0.0/15", taken: tuple[str, ...] = ()) -> InventedNames:
    """Names in a range, and in the usual one of IPv6."""
    return InventedNames(range4, "fd00:e6e5::/64", taken)


def test_a_name_keeps_its_address() -> None:
    names = invented()
    assert names.address_of("a.example", 4) == names.address_of("a.example", 4)


def test_addresses_come_in_the_order_of_the_questions() -> None:
    names = invented()
    for host in ("a.example", "b.example"):
        names.address_of(host, 4)
    names.address_of("b.example", 16)
    assert names.names == {
        "198.18.0.1": "a.example",
        "198.18.0.2": "b.example",
        "fd00:e6e5::1": "b.example",
    }


def test_what_is_new_is_told_once() -> None:
    names = invented()
    names.address_of("a.example", 4)
    assert names.fresh() == [("a.example", "198.18.0.1")]
    names.address_of("a.example", 4)
    assert names.fresh() == []


def test_an_address_leads_back_to_its_name() -> None:
    names = invented()
    address = names.address_of("a.example", 4)
    assert address is not None
    assert names.host_of(address) == "a.example"
    assert names.host_of(b"\1\1\1\1") is None


def test_a_range_that_is_used_up_gives_no_more() -> None:
    names = invented("192.0.2.0/30")
    given = [names.address_of(host, 4) for host in ("a", "b", "c")]
    assert given == [ip_address("192.0.2.1").packed, ip_address("192.0.2.2").packed, None]
    assert names.address_of("a", 4) == given[0]


@pytest.mark.parametrize(("network", "first"), [("192.0.2.7/32", 7), ("192.0.2.6/31", 6)])
def test_the_smallest_ranges_have_no_ends_to_spare(network: str, first: int) -> None:
    assert invented(network).address_of("a", 4) == bytes((192, 0, 2, first))


def test_an_address_that_means_something_else_is_never_given() -> None:
    names = invented(taken=("198.18.0.1", "fd00:e6e5::1"))
    assert names.address_of("a", 4) == bytes((198, 18, 0, 2))
    assert names.address_of("a", 16) == ip_address("fd00:e6e5::2").packed


def test_a_vast_range_gives_no_more_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invented_names, "MAX_NAMES", 3)
    names = invented("10.0.0.0/8")
    given = [names.address_of(str(number), 4) for number in range(5)]
    assert [address is not None for address in given] == [True, True, True, False, False]
