"""Address lists: one adapter for every shape of MMDB, and what it refuses to read."""

import hashlib
import os
import random
from contextlib import suppress
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from egress_audit.classify.address_lists import (
    MERGED,
    NOTHING,
    AddressList,
    ListAnswer,
    merged_answer,
)
from egress_audit.errors import ListUnreadable
from egress_audit.model.destination import Absent

EPOCH = 1_767_225_600  # 2026-01-01T00:00:00Z

UINT16, UINT32, UINT64, BOOLEAN = 5, 6, 9, 14
"""Types of the MaxMind DB file format, "Output Data Section"."""


def encoded(value: object) -> bytes:
    """A value in the data format of MMDB, without pointers."""
    match value:
        case bool():
            return _controlled(BOOLEAN, int(value))
        case str():
            return _controlled(2, len(value.encode())) + value.encode()
        case int():
            return encoded_int(value, UINT32)
        case dict():
            pairs = b"".join(encoded(key) + encoded(item) for key, item in value.items())
            return _controlled(7, len(value)) + pairs
        case list():
            return _controlled(11, len(value)) + b"".join(map(encoded, value))
    raise TypeError(value)


def encoded_int(value: int, kind: int) -> bytes:
    """A number of the given type: the metadata has to use the types of the specification."""
    size = (value.bit_length() + 7) // 8
    return _controlled(kind, size) + value.to_bytes(size)


def _controlled(kind: int, size: int) -> bytes:
    """Control byte, the type byte of extended types, and the size (below 285)."""
    low = min(size, 29)
    head = bytes([kind << 5 | low]) if kind < 8 else bytes([low, kind - 7])
    return head if size < 29 else head + bytes([size - 29])


def mmdb(rows: dict[str, Any], kind: str, ip_version: int = 6) -> bytes:
    """An MMDB file with 24-bit records: `rows` by prefix; IPv4 below ::/96 in an IPv6 tree."""
    nodes: list[list[int | bytes | None]] = [[None, None]]
    for prefix, record in rows.items():
        _insert(nodes, _bits(prefix, ip_version), encoded(record))
    tree, data = b"", b""
    for node in nodes:
        for slot in node:
            if isinstance(slot, bytes):
                tree += (len(nodes) + 16 + len(data)).to_bytes(3)
                data += slot
            else:
                tree += (len(nodes) if slot is None else slot).to_bytes(3)
    return (
        tree
        + bytes(16)
        + data
        + b"\xab\xcd\xefMaxMind.com"
        + _metadata(kind, ip_version, len(nodes))
    )


def _metadata(kind: str, ip_version: int, node_count: int) -> bytes:
    pairs = {
        "binary_format_major_version": encoded_int(2, UINT16),
        "binary_format_minor_version": encoded_int(0, UINT16),
        "build_epoch": encoded_int(EPOCH, UINT64),
        "database_type": encoded(kind),
        "description": encoded({"en": "made for a test"}),
        "ip_version": encoded_int(ip_version, UINT16),
        "languages": encoded(["en"]),
        "node_count": encoded_int(node_count, UINT32),
        "record_size": encoded_int(24, UINT16),
    }
    written = b"".join(encoded(key) + value for key, value in pairs.items())
    return _controlled(7, len(pairs)) + written


def _bits(prefix: str, ip_version: int) -> str:
    network = ip_network(prefix)
    bits = f"{int(network.network_address):0{network.max_prefixlen}b}"[: network.prefixlen]
    return "0" * 96 + bits if network.version == 4 and ip_version == 6 else bits


def _insert(nodes: list[list[int | bytes | None]], bits: str, record: bytes) -> None:
    at = 0
    for bit in map(int, bits[:-1]):
        below = nodes[at][bit]
        if below is None:
            nodes.append([None, None])
            below = nodes[at][bit] = len(nodes) - 1
        assert isinstance(below, int), "prefixes of a test may not overlap"
        at = below
    nodes[at][int(bits[-1])] = record


def opened(
    folder: Path, record: object, kind: str = "GeoLite2-Country", ip_version: int = 6
) -> AddressList:
    """A list that has one record, for 192.0.2.0/24."""
    path = folder / "list.mmdb"
    path.write_bytes(mmdb({"192.0.2.0/24": record}, kind, ip_version))
    return AddressList(path)


def answer(addresses: AddressList, address: str = "192.0.2.1") -> ListAnswer:
    found = addresses.answer(ip_address(address))
    assert isinstance(found, ListAnswer)
    return found


def test_a_geolite2_country_record_has_two_countries(tmp_path: Path) -> None:
    record = {"country": {"iso_code": "JP"}, "registered_country": {"iso_code": "US"}}
    assert answer(opened(tmp_path, record)) == NOTHING._replace(located="JP", registered="US")


def test_a_geolite2_asn_record_has_an_as_and_no_country(tmp_path: Path) -> None:
    record = {"autonomous_system_number": 64500, "autonomous_system_organization": "Example"}
    found = answer(opened(tmp_path, record, "GeoLite2-ASN"))
    assert found == NOTHING._replace(asn=64500, organisation="Example")


def test_an_ipinfo_record_is_flat(tmp_path: Path) -> None:
    record = {"country": "Japan", "country_code": "JP", "asn": "AS64500", "as_name": "Example"}
    found = answer(opened(tmp_path, record, "ipinfo generic_lite_free.mmdb"))
    assert found == NOTHING._replace(located="JP", asn=64500, organisation="Example")


def test_an_older_ipinfo_record_has_the_code_where_newer_ones_have_the_name(tmp_path: Path) -> None:
    record = {"country": "JP", "country_name": "Japan", "asn": "AS64500", "as_name": "Example"}
    found = answer(opened(tmp_path, record, "ipinfo country_asn.mmdb"))
    assert found == NOTHING._replace(located="JP", asn=64500, organisation="Example")


def test_a_record_of_ipinfos_list_of_ases_names_the_holder(tmp_path: Path) -> None:
    record = {"asn": "AS64500", "name": "Example", "domain": "example.com"}
    found = answer(opened(tmp_path, record, "ipinfo standard_asn.mmdb"))
    assert found == NOTHING._replace(asn=64500, organisation="Example")


def test_a_name_beside_no_as_is_not_that_of_a_holder(tmp_path: Path) -> None:
    found = answer(opened(tmp_path, {"country_code": "JP", "name": "Tokyo"}))
    assert found == NOTHING._replace(located="JP")


@pytest.mark.parametrize(
    "record",
    [
        {"country": {"iso_code": "japan"}, "autonomous_system_number": 64500},
        {"country": {"iso_code": 7}, "autonomous_system_number": 64500},
        {"country": "Japan", "autonomous_system_number": 64500},
        {"country": {"iso_code": "AP"}, "autonomous_system_number": 64500},
        {"country_code": "EU", "asn": "AS64500"},
        {"country_code": "ZZ", "asn": "AS64500"},
        {"country_code": "", "asn": "AS64500"},
    ],
)
def test_what_is_no_country_code_is_no_country(tmp_path: Path, record: object) -> None:
    assert answer(opened(tmp_path, record)) == NOTHING._replace(asn=64500)


def test_a_list_of_one_source_corroborates_nothing(tmp_path: Path) -> None:
    record = {"country": {"iso_code": "JP"}, "registered_country": {"iso_code": "JP"}}
    assert not answer(opened(tmp_path, record)).corroborated


def test_a_merged_list_without_dissent_is_corroborated(tmp_path: Path) -> None:
    record = {"country": {"iso_code": "JP"}, "registered_country": {"iso_code": "US"}}
    assert answer(opened(tmp_path, record, MERGED)).corroborated


def test_a_merged_list_with_dissent_is_not_corroborated(tmp_path: Path) -> None:
    record = {
        "country": {"iso_code": "JP"},
        "country_alt": {"iso_code": "US"},
        "registered_country": {"iso_code": "US"},
    }
    found = answer(opened(tmp_path, record, MERGED))
    assert (found.located, found.located_alt, found.corroborated) == ("JP", "US", False)


def test_a_network_in_no_delegation_has_nothing_to_be_checked_against(tmp_path: Path) -> None:
    assert not answer(opened(tmp_path, {"country": {"iso_code": "JP"}}, MERGED)).corroborated


def test_a_network_that_one_source_alone_knows_is_not_corroborated(tmp_path: Path) -> None:
    record = {
        "country": {"iso_code": "JP"},
        "registered_country": {"iso_code": "JP"},
        "country_alone": True,
    }
    assert not answer(opened(tmp_path, record, MERGED)).corroborated


def test_an_address_outside_every_network_is_not_found(tmp_path: Path) -> None:
    addresses = opened(tmp_path, {"country": {"iso_code": "JP"}})
    assert addresses.answer(ip_address("198.51.100.1")) is Absent.NOT_FOUND


def test_an_ipv4_list_does_not_know_ipv6(tmp_path: Path) -> None:
    addresses = opened(tmp_path, {"country": {"iso_code": "JP"}}, ip_version=4)
    assert answer(addresses).located == "JP"
    assert addresses.answer(ip_address("2001:db8::1")) is Absent.NOT_FOUND


def test_equal_records_are_one_object(tmp_path: Path) -> None:
    addresses = opened(tmp_path, {"country": {"iso_code": "JP"}})
    assert answer(addresses, "192.0.2.1") is answer(addresses, "192.0.2.2")


def test_a_supplied_list_is_named_and_dated_by_its_own_metadata(tmp_path: Path) -> None:
    used = opened(tmp_path, {"country": {"iso_code": "JP"}}).used
    assert (used.name, used.date) == ("GeoLite2-Country", "2026-01-01")
    assert used.attribution == "made for a test"
    content = (tmp_path / "list.mmdb").read_bytes()
    assert used.sha256 == hashlib.sha256(content).hexdigest()


def test_a_missing_list_is_refused_with_its_path(tmp_path: Path) -> None:
    said = r"none\.mmdb: address list cannot be read: no such file"
    with pytest.raises(ListUnreadable, match=said) as raised:
        AddressList(tmp_path / "none.mmdb")
    assert raised.value.hint


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"asn,organisation\n1,Example\n"])
def test_a_file_that_is_no_mmdb_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "list.mmdb"
    path.write_bytes(content)
    with pytest.raises(ListUnreadable) as raised:
        AddressList(path)
    assert raised.value.hint


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "list.mmdb")
    with pytest.raises(ListUnreadable, match="no ordinary file"):
        AddressList(tmp_path / "list.mmdb")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ListUnreadable):
        AddressList(tmp_path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_list_that_is_cut_off_is_refused(tmp_path: Path, share: float) -> None:
    whole = mmdb({"192.0.2.0/24": {"country": {"iso_code": "JP"}}}, "GeoLite2-Country")
    path = tmp_path / "list.mmdb"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ListUnreadable):
        AddressList(path)


@pytest.mark.parametrize("name", [b"\xff" * 8, b"\x47Exa\xff\xfe\xffe"])
def test_damage_that_shows_late_is_an_error_and_not_an_absence(tmp_path: Path, name: bytes) -> None:
    networks: dict[str, Any] = {
        f"10.{number}.0.0/16": {"country": {"iso_code": "JP"}} for number in range(256)
    }
    networks["192.0.2.0/24"] = {"autonomous_system_organization": "Example"}
    whole = mmdb(networks, "GeoLite2-ASN")
    path = tmp_path / "list.mmdb"
    path.write_bytes(whole.replace(encoded("Example"), name))
    addresses = AddressList(path)
    assert addresses.answer(ip_address("10.0.0.1")) == NOTHING._replace(located="JP")
    with pytest.raises(ListUnreadable, match="damaged"):
        addresses.answer(ip_address("192.0.2.1"))


@pytest.mark.parametrize("record", [{"is_anonymous": 1}, "text", {"country": "Japan"}])
def test_a_list_of_another_kind_is_refused_by_its_name(tmp_path: Path, record: object) -> None:
    with pytest.raises(ListUnreadable, match="GeoIP2-Anonymous-IP"):
        opened(tmp_path, record, "GeoIP2-Anonymous-IP")


def test_a_record_without_any_names_is_damage_once_it_is_met(tmp_path: Path) -> None:
    path = tmp_path / "list.mmdb"
    networks = {"10.0.0.0/8": {"country": {"iso_code": "JP"}}, "192.0.2.0/24": 7}
    path.write_bytes(mmdb(networks, "GeoLite2-Country"))
    addresses = AddressList(path)
    assert addresses.answer(ip_address("10.0.0.1")) == NOTHING._replace(located="JP")
    with pytest.raises(ListUnreadable, match="damaged"):
        addresses.answer(ip_address("192.0.2.1"))


# The reader warns of its own code where a text is no UTF-8.
@pytest.mark.filterwarnings("ignore:PyUnicode_FromStringAndSize:DeprecationWarning")
@pytest.mark.parametrize("part", ["head", "tree", "data", "metadata"])
def test_a_mutated_list_answers_or_is_refused(tmp_path: Path, part: str) -> None:
    networks = {
        f"10.{n}.0.0/16": {"country": {"iso_code": "JP"}, "asn": f"AS{n}"} for n in range(64)
    }
    whole = mmdb(networks, "GeoLite2-Country")
    start = {"head": 0, "tree": 600, "data": 1200, "metadata": whole.index(b"MaxMind.com")}[part]
    chance = random.Random(part)
    path = tmp_path / "list.mmdb"
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(chance.randrange(1, 5)):
            damaged[chance.randrange(start, min(start + 600, len(whole)))] = chance.randrange(256)
        path.write_bytes(damaged[: chance.choice((len(damaged), chance.randrange(len(damaged))))])
        with suppress(ListUnreadable):
            addresses = AddressList(path)
            assert addresses.used.date
            for number in range(0, 256, 16):
                addresses.answer(ip_address(f"10.{number}.0.1"))


def test_a_build_date_beyond_every_calendar_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "list.mmdb"
    networks = {"192.0.2.0/24": {"country": {"iso_code": "JP"}}}
    late = encoded_int(1 << 62, UINT64)
    path.write_bytes(mmdb(networks, "GeoLite2-Country").replace(encoded_int(EPOCH, UINT64), late))
    with pytest.raises(ListUnreadable, match="damaged"):
        _ = AddressList(path).used


JAPAN = NOTHING._replace(located="JP", registered="JP")


def test_no_answer_merges_to_nothing() -> None:
    assert merged_answer([]) == NOTHING


def test_one_answer_stays_as_it_is() -> None:
    assert merged_answer([JAPAN]) is JAPAN


def test_two_lists_that_agree_corroborate_each_other() -> None:
    merged = merged_answer([JAPAN, NOTHING._replace(located="JP")])
    assert merged.corroborated
    assert merged.located_alt is Absent.NOT_FOUND


def test_two_lists_that_differ_both_show() -> None:
    merged = merged_answer([NOTHING._replace(located="US"), JAPAN._replace(corroborated=True)])
    assert (merged.located, merged.located_alt, merged.corroborated) == ("US", "JP", False)


def test_dissent_within_one_list_outlives_the_agreement_of_two() -> None:
    merged = merged_answer([JAPAN, JAPAN._replace(located_alt="CN")])
    assert (merged.located_alt, merged.corroborated) == ("CN", False)


def test_a_list_that_has_no_country_corroborates_none() -> None:
    assert not merged_answer([NOTHING._replace(asn=64500), JAPAN]).corroborated


def test_an_as_and_its_name_come_from_one_list() -> None:
    merged = merged_answer(
        [
            JAPAN._replace(organisation="nameless"),
            NOTHING._replace(asn=64500, organisation="Example"),
        ]
    )
    assert (merged.asn, merged.organisation) == (64500, "Example")
