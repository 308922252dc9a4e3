"""Addresses: what kind of place each is, which IPv4 address it hides, and how it is written."""

import ipaddress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.addresses import (
    NEAR,
    SPECIAL_PURPOSE,
    PrefixMap,
    Scope,
    address_of,
    address_text,
    embedded_ipv4,
    parse_prefix,
    scope_of,
)
from egress_audit.errors import WrongUsage

# Address, scope, source; neighbours on both sides of a range where a slip would matter.
REGISTRY = [
    ("0.0.0.0", Scope.UNSPECIFIED, "RFC 1122"),
    ("0.0.0.1", Scope.RESERVED, "RFC 791"),
    ("0.255.255.255", Scope.RESERVED, "RFC 791"),
    ("1.0.0.0", Scope.GLOBAL, "allocated"),
    ("9.255.255.255", Scope.GLOBAL, "allocated"),
    ("10.0.0.0", Scope.LAN, "RFC 1918"),
    ("10.255.255.255", Scope.LAN, "RFC 1918"),
    ("11.0.0.0", Scope.GLOBAL, "allocated"),
    ("100.63.255.255", Scope.GLOBAL, "allocated"),
    ("100.64.0.0", Scope.CGNAT, "RFC 6598"),
    ("100.127.255.255", Scope.CGNAT, "RFC 6598"),
    ("100.128.0.0", Scope.GLOBAL, "allocated"),
    ("100.100.100.199", Scope.CGNAT, "RFC 6598"),
    ("100.100.100.200", Scope.METADATA_SERVICE, "Alibaba Cloud"),
    ("127.0.0.1", Scope.LOOPBACK, "RFC 1122"),
    ("127.255.255.255", Scope.LOOPBACK, "RFC 1122"),
    ("128.0.0.0", Scope.GLOBAL, "allocated"),
    ("168.63.129.15", Scope.GLOBAL, "allocated"),
    ("168.63.129.16", Scope.METADATA_SERVICE, "Azure"),
    ("169.254.0.1", Scope.LINK_LOCAL, "RFC 3927"),
    ("169.254.169.253", Scope.LINK_LOCAL, "RFC 3927"),
    ("169.254.169.254", Scope.METADATA_SERVICE, "EC2"),
    ("172.15.255.255", Scope.GLOBAL, "allocated"),
    ("172.16.0.0", Scope.LAN, "RFC 1918"),
    ("172.31.255.255", Scope.LAN, "RFC 1918"),
    ("172.32.0.0", Scope.GLOBAL, "allocated"),
    ("192.0.0.8", Scope.RESERVED, "RFC 7600"),
    ("192.0.0.9", Scope.GLOBAL, "RFC 7723"),
    ("192.0.0.10", Scope.GLOBAL, "RFC 8155"),
    ("192.0.0.11", Scope.RESERVED, "RFC 6890"),
    ("192.0.0.170", Scope.RESERVED, "RFC 8880"),
    ("192.0.1.0", Scope.GLOBAL, "allocated"),
    ("192.0.2.1", Scope.DOCUMENTATION, "RFC 5737"),
    ("192.31.196.1", Scope.GLOBAL, "RFC 7535"),
    ("192.52.193.1", Scope.GLOBAL, "RFC 7450"),
    ("192.88.99.1", Scope.RESERVED, "RFC 7526"),
    ("192.168.1.1", Scope.LAN, "RFC 1918"),
    ("192.169.0.0", Scope.GLOBAL, "allocated"),
    ("192.175.48.1", Scope.GLOBAL, "RFC 7534"),
    ("198.17.255.255", Scope.GLOBAL, "allocated"),
    ("198.18.0.0", Scope.BENCHMARK, "RFC 2544"),
    ("198.19.255.255", Scope.BENCHMARK, "RFC 2544"),
    ("198.20.0.0", Scope.GLOBAL, "allocated"),
    ("198.51.100.1", Scope.DOCUMENTATION, "RFC 5737"),
    ("203.0.113.1", Scope.DOCUMENTATION, "RFC 5737"),
    ("223.255.255.255", Scope.GLOBAL, "allocated"),
    ("224.0.0.251", Scope.MULTICAST, "RFC 1112"),
    ("239.255.255.250", Scope.MULTICAST, "RFC 1112"),
    ("240.0.0.1", Scope.RESERVED, "RFC 1112"),
    ("255.255.255.254", Scope.RESERVED, "RFC 1112"),
    ("255.255.255.255", Scope.BROADCAST, "RFC 919"),
    ("::", Scope.UNSPECIFIED, "RFC 4291"),
    ("::1", Scope.LOOPBACK, "RFC 4291"),
    ("::ffff:0:8.8.8.8", Scope.RESERVED, "RFC 2765, of no use any more"),
    ("64:ff9b:1::808:808", Scope.RESERVED, "RFC 8215"),
    ("100::1", Scope.RESERVED, "RFC 6666"),
    ("100:0:0:1::1", Scope.RESERVED, "RFC 9780"),
    ("200::1", Scope.RESERVED, "RFC 4048"),
    ("1fff:ffff::", Scope.RESERVED, "RFC 4291"),
    ("2001:1::1", Scope.GLOBAL, "RFC 7723"),
    ("2001:1::2", Scope.GLOBAL, "RFC 8155"),
    ("2001:1::3", Scope.GLOBAL, "RFC 9665"),
    ("2001:1::4", Scope.RESERVED, "RFC 2928"),
    ("2001:2::1", Scope.BENCHMARK, "RFC 5180"),
    ("2001:2:1::1", Scope.RESERVED, "RFC 2928"),
    ("2001:3::1", Scope.GLOBAL, "RFC 7450"),
    ("2001:4:112::1", Scope.GLOBAL, "RFC 7535"),
    ("2001:10::1", Scope.RESERVED, "RFC 4843"),
    ("2001:20::1", Scope.GLOBAL, "RFC 7343"),
    ("2001:30::1", Scope.GLOBAL, "RFC 9374"),
    ("2001:200::1", Scope.GLOBAL, "allocated"),
    ("2001:db8::1", Scope.DOCUMENTATION, "RFC 3849"),
    ("2001:db9::1", Scope.GLOBAL, "allocated"),
    ("2606:4700:4700::1111", Scope.GLOBAL, "allocated"),
    ("2620:4f:8000::1", Scope.GLOBAL, "RFC 7534"),
    ("3fff:fff::1", Scope.DOCUMENTATION, "RFC 9637"),
    ("3fff:1000::1", Scope.GLOBAL, "not given out"),
    ("4000::1", Scope.RESERVED, "RFC 4291"),
    ("5f00::1", Scope.RESERVED, "RFC 9602"),
    ("fbff::1", Scope.RESERVED, "RFC 4291"),
    ("fc00::1", Scope.LAN, "RFC 4193"),
    ("fd00:ec2::253", Scope.LAN, "RFC 4193"),
    ("fd00:ec2::254", Scope.METADATA_SERVICE, "EC2"),
    ("fe00::1", Scope.RESERVED, "RFC 4291"),
    ("fe80::1", Scope.LINK_LOCAL, "RFC 4291"),
    ("febf::1", Scope.LINK_LOCAL, "RFC 4291"),
    ("fec0::1", Scope.LAN, "RFC 3879"),
    ("ff02::fb", Scope.MULTICAST, "RFC 4291"),
]


@pytest.mark.parametrize(("address", "scope", "source"), REGISTRY)
def test_the_registries_say_what_an_address_is(address: str, scope: Scope, source: str) -> None:
    assert scope_of(address) is scope, source


@pytest.mark.parametrize(("prefix", "scope", "source"), SPECIAL_PURPOSE)
def test_every_row_of_the_table_decides_something_and_names_its_source(
    prefix: str, scope: Scope, source: str
) -> None:
    network = ip_network(prefix)
    samples = (network[0], network[-1], network[network.num_addresses // 2 - 1])
    assert source
    assert scope in {scope_of(address) for address in samples} or prefix == "::/0"


@given(st.ip_addresses())
def test_every_address_has_one_scope_however_it_is_given(
    address: IPv4Address | IPv6Address,
) -> None:
    scope = scope_of(address)
    assert isinstance(scope, Scope)
    assert scope_of(str(address)) is scope


@given(st.ip_addresses(v=4))
def test_ipv4_agrees_with_the_standard_library(address: IPv4Address) -> None:
    scope = scope_of(address)
    if scope is Scope.METADATA_SERVICE or address in ip_network("192.0.0.0/24"):
        return  # services the library does not know; exceptions it learnt only in 3.11.10
    assert (scope is Scope.LOOPBACK) == address.is_loopback
    assert (scope is Scope.LINK_LOCAL) == address.is_link_local
    assert (scope is Scope.MULTICAST) == address.is_multicast
    if address not in ip_network("192.88.99.0/24"):
        assert (scope is Scope.GLOBAL) == (address.is_global and not address.is_multicast)


@given(st.ip_addresses(v=6))
def test_ipv6_agrees_with_the_standard_library(address: IPv6Address) -> None:
    scope = scope_of(address)
    if embedded_ipv4(address) is not None or scope is Scope.METADATA_SERVICE:
        return
    assert (scope is Scope.LOOPBACK) == address.is_loopback
    assert (scope is Scope.LINK_LOCAL) == address.is_link_local
    assert (scope is Scope.MULTICAST) == address.is_multicast
    assert (scope is Scope.UNSPECIFIED) == address.is_unspecified
    # What the library learnt after 3.11, or calls global because nobody reserved it by name.
    newer = ("2001::/23", "3fff::/20")
    if address in ip_network("2000::/3") and not any(address in ip_network(n) for n in newer):
        assert (scope is Scope.GLOBAL) == address.is_global


@pytest.mark.parametrize(
    ("address", "inner"),
    [
        ("::ffff:8.8.8.8", "8.8.8.8"),
        ("64:ff9b::8.8.8.8", "8.8.8.8"),
        ("2002:808:808::1", "8.8.8.8"),
        ("2001:0:4136:e378:8000:63bf:f7f7:f7f7", "8.8.8.8"),
        ("::8.8.8.8", "8.8.8.8"),
    ],
)
def test_an_embedded_ipv4_address_is_found_and_judged(address: str, inner: str) -> None:
    assert embedded_ipv4(IPv6Address(address)) == IPv4Address(inner)
    assert scope_of(address) is Scope.GLOBAL


@pytest.mark.parametrize(
    "address", ["::", "::1", "2606:4700::8.8.8.8", "64:ff9b:1::8.8.8.8", "fe80::5efe:8.8.8.8"]
)
def test_no_ipv4_address_is_read_where_none_need_be(address: str) -> None:
    assert embedded_ipv4(IPv6Address(address)) is None


@given(st.ip_addresses(v=4))
def test_an_ipv4_mapped_address_is_the_ipv4_address(address: IPv4Address) -> None:
    assert scope_of(f"::ffff:{address}") is scope_of(address)


def _around(inner: IPv4Address) -> list[IPv6Address]:
    """The address as NAT64, 6to4 and Teredo carry it."""
    return [
        IPv6Address(0x64_FF9B << 96 | int(inner)),
        IPv6Address(0x2002 << 112 | int(inner) << 80 | 1),
        IPv6Address(0x2001_0000 << 96 | int(inner) ^ 0xFFFF_FFFF),
    ]


@given(st.ip_addresses(v=4))
def test_behind_a_translator_nothing_is_near(inner: IPv4Address) -> None:
    scope = scope_of(inner)
    for outer in _around(inner):
        assert scope_of(outer) is (Scope.RESERVED if scope in NEAR else scope)


def test_a_metadata_service_behind_a_translator_is_one() -> None:
    assert {scope_of(a) for a in _around(IPv4Address("169.254.169.254"))} == {
        Scope.METADATA_SERVICE
    }


def test_text_that_is_no_address_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="example"):
        scope_of("example.org")


def test_a_text_is_read_as_its_address_and_any_other_refused() -> None:
    assert address_of("2001:db8::1") == ip_address("2001:db8::1")
    with pytest.raises(ValueError, match="example"):
        address_of("example.org")


def test_the_longest_prefix_answers_whatever_the_order_of_the_rows() -> None:
    rows = [(ip_network("10.0.0.0/8"), "wide"), (ip_network("10.1.0.0/16"), "narrow")]
    for order in (rows, rows[::-1]):
        table = PrefixMap(order)
        assert table.get(ip_address("10.1.2.3")) == "narrow"
        assert table.get(ip_address("10.2.2.3")) == "wide"
        assert table.get(ip_address("11.0.0.0")) is None


def test_ipv4_and_ipv6_prefixes_do_not_answer_for_each_other() -> None:
    table = PrefixMap([(ip_network("::/0"), "six")])
    assert table.get(ip_address("10.0.0.1")) is None


def test_every_prefix_that_holds_an_address_answers_the_longest_first() -> None:
    rows = [("192.0.0.0/16", "wide"), ("192.0.2.0/24", "narrow"), ("198.51.100.0/24", "other")]
    table = PrefixMap((ip_network(prefix), value) for prefix, value in rows)
    assert list(table.every(ip_address("192.0.2.1"))) == ["narrow", "wide"]
    assert list(table.every(ip_address("203.0.113.1"))) == []


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("192.0.2.7", "192.0.2.7/32"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("::1", "::1/128"),
    ],
)
def test_a_prefix_or_a_bare_address_is_understood(text: str, network: str) -> None:
    assert parse_prefix(text) == ip_network(network)


@pytest.mark.parametrize("text", ["", "lan", "10.0.0.0/33", " 10.0.0.0/8", "1.2.3", "fe80::1%eth0"])
def test_a_word_that_is_no_prefix_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(WrongUsage) as raised:
        parse_prefix(text)
    assert "192.0.2.0/24" in raised.value.hint


def test_host_bits_are_refused_with_the_prefix_that_may_be_meant() -> None:
    with pytest.raises(WrongUsage) as raised:
        parse_prefix("10.0.0.5/8")
    assert "10.0.0.0/8" in raised.value.hint


@given(st.integers(0, 2**32 - 1))
def test_ipv4_text_is_dotted(number: int) -> None:
    assert address_text(4, 0, number) == str(IPv4Address(number))


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_ipv6_text_reads_back_as_the_same_address(hi: int, lo: int) -> None:
    assert int(IPv6Address(address_text(6, hi, lo))) == hi << 64 | lo


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0DB8::000A", "2001:db8::a"),
        ("::", "::"),
        ("::ffff:c000:201", "::ffff:192.0.2.1"),
        ("::c000:201", "::c000:201"),
    ],
)
def test_ipv6_text_is_the_canonical_one(address: str, text: str) -> None:
    number = int(ipaddress.IPv6Address(address))
    assert address_text(6, number >> 64, number & 2**64 - 1) == text
