"""Names asked of the neighbours are observed; those that may go further are questions."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.model.flow import NameSource
from egress_audit.names.link_names import read_link_message, stays_on_link
from egress_audit.names.reading import Spoken, Unread
from tests.builders.captures import dns_answer, dns_name, dns_query

MDNS, LLMNR, NETBIOS = NameSource.MDNS, NameSource.LLMNR, NameSource.NETBIOS
HOME, GROUP, GROUP_V6 = "192.168.1.2", "224.0.0.251", "ff02::fb"


def encoded(name: str, kind: int = 0x20, pad: bytes = b" ") -> str:
    """The first-level encoding of a NetBIOS name (RFC 1001 §14.1)."""
    raw = name.encode().ljust(15, pad) + bytes((kind,))
    return "".join(chr(65 + (byte >> 4)) + chr(65 + (byte & 15)) for byte in raw)


def hosts(message: bytes, source: NameSource = MDNS) -> list[str]:
    return [word.host for word in read_link_message(message, source).spoken]


def announcement(*owners: str) -> bytes:
    """A response with an address for each owner, the cache-flush bit set (RFC 6762 §10.2)."""
    records = b"".join(
        dns_name(owner) + struct.pack(">HHIH", 1, 0x8001, 120, 4) + bytes(4) for owner in owners
    )
    return struct.pack(">HHHHHH", 0, 0x8400, 0, len(owners), 0, 0) + records


def test_a_question_is_spoken_with_its_type() -> None:
    reading = read_link_message(dns_query("printer.local", 28), MDNS)
    assert reading.spoken == (Spoken("printer.local", MDNS, qtype="AAAA"),)
    assert reading.marks == {"dns", "names-read"}


def test_an_announcement_speaks_each_owner_once_and_no_address() -> None:
    reading = read_link_message(announcement("b.local", "a.local", "b.local"), MDNS)
    assert [(word.host, word.address) for word in reading.spoken] == [
        ("b.local", None),
        ("a.local", None),
    ]
    assert "dns-response" in reading.marks


def test_the_address_of_a_server_is_spoken_as_the_record_that_it_is() -> None:
    where = dns_name("_x._tcp.local") + struct.pack(">HH", 33, 1)
    server = bytes(6) + dns_name("box.local")
    record = b"\xc0\x0c" + struct.pack(">HHIH", 33, 1, 120, len(server)) + server
    front = struct.pack(">HHHHHH", 0, 0x8400, 1, 2, 0, 0)
    message = front + where + record + announcement("box.local")[12:]
    assert [(word.host, word.qtype) for word in read_link_message(message, MDNS).spoken] == [
        ("_x._tcp.local", "SRV"),
        ("box.local", "A"),
    ]


def test_an_alias_without_an_address_speaks_the_question_alone() -> None:
    assert hosts(dns_answer("a.local", [], aliases=["b.local"])) == ["a.local"]


def test_an_answer_of_llmnr_gives_no_address() -> None:
    reading = read_link_message(dns_answer("wpad", ["192.0.2.1"]), LLMNR)
    assert reading.spoken == (Spoken("wpad", LLMNR, qtype="A"),)


@pytest.mark.parametrize(("pad", "kind"), [(b" ", 0x20), (b"\0", 0), (b" ", 0x1C)])
def test_a_netbios_name_is_decoded(pad: bytes, kind: int) -> None:
    query = dns_query(encoded("FILESERVER", kind, pad), 32)
    reading = read_link_message(query, NETBIOS)
    assert reading.spoken == (Spoken("fileserver", NETBIOS, qtype="NB"),)


def test_the_question_for_the_names_of_a_machine_is_one_of_netbios() -> None:
    reading = read_link_message(dns_query(encoded("*"), 33), NETBIOS)
    assert [word.qtype for word in reading.spoken] == ["NBSTAT"]


def test_of_the_dns_its_number_is_another_one() -> None:
    assert read_link_message(dns_query("_x._tcp.local", 33), MDNS).spoken[0].qtype == "SRV"


def test_a_netbios_name_keeps_its_scope_and_its_odd_bytes() -> None:
    assert hosts(dns_query(encoded("A B\x01") + ".corp.example", 32), NETBIOS) == [
        "a\\x20b\\x01.corp.example"
    ]


def test_a_name_that_is_not_encoded_stands_as_it_is() -> None:
    assert hosts(dns_query("plain.example", 32), NETBIOS) == ["plain.example"]


@pytest.mark.parametrize("complete", [True, False])
def test_a_damaged_message_is_not_read(complete: bool) -> None:
    reading = read_link_message(dns_query("printer.local")[:-3], MDNS, complete)
    assert reading.unread is (Unread.MALFORMED if complete else Unread.TRUNCATED)
    assert "names-read" not in reading.marks


def stays(
    host: str,
    receiver: str = GROUP,
    source: NameSource = MDNS,
    *,
    sender: str = HOME,
    response: bool = False,
) -> bool:
    return stays_on_link(Spoken(host, source), response, sender, receiver)


@pytest.mark.parametrize(
    "host",
    [
        *("printer.local", "_ipp._tcp.local", "local", "wpad"),
        *("5.1.168.192.in-addr.arpa", "1.0.254.169.in-addr.arpa"),
        f"{'0.' * 28}0.8.e.f.ip6.arpa",
    ],
)
@pytest.mark.parametrize("receiver", [GROUP, GROUP_V6, "224.0.0.252", "255.255.255.255"])
def test_a_name_of_the_link_asked_of_a_group_stays_there(host: str, receiver: str) -> None:
    assert stays(host, receiver)


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "local.example", "a.notlocal", "printer.local.example"),
        *("8.8.8.8.in-addr.arpa", "1.168.192.in-addr.arpa", "999.1.168.192.in-addr.arpa"),
        *("x.1.168.192.in-addr.arpa", "8.e.f.ip6.arpa", "in-addr.arpa", "stolen\\x2elocal.b"),
    ],
)
def test_any_other_name_is_a_question(host: str) -> None:
    assert not stays(host)


@pytest.mark.parametrize(
    "receiver", ["192.168.1.1", "8.8.8.8", "239.1.2.3", "127.0.0.1", "ff0e::fb"]
)
def test_what_one_machine_or_a_far_group_is_asked_for_is_a_question(receiver: str) -> None:
    assert not stays("printer.local", receiver)


@pytest.mark.parametrize("host", ["printer.local", "stolen.example"])
def test_an_announcement_among_neighbours_asks_nothing(host: str) -> None:
    assert stays(host, response=True)
    assert stays(host, "192.168.1.9", response=True)


@pytest.mark.parametrize(
    ("sender", "receiver"), [(HOME, "8.8.8.8"), ("8.8.8.8", HOME), (HOME, "239.1.2.3")]
)
def test_an_announcement_further_out_repeats_a_question(sender: str, receiver: str) -> None:
    assert not stays("printer.local", receiver, sender=sender, response=True)


def test_netbios_may_ask_the_broadcast_address_of_its_network() -> None:
    assert stays("fileserver", "192.168.1.255", NETBIOS)
    assert not stays("fileserver", "8.8.8.255", NETBIOS)
    assert not stays("fileserver", "192.168.1.1", NETBIOS)
    assert not stays("printer.local", "192.168.1.255", MDNS)


@given(st.binary(max_size=200), st.sampled_from((MDNS, LLMNR, NETBIOS)))
def test_random_bytes_are_read(message: bytes, source: NameSource) -> None:
    for word in read_link_message(message, source).spoken:
        assert isinstance(stays(word.host, source=source), bool)
