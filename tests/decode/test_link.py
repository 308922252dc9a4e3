"""Every link layer leads to the same packet, or says why it leads to none."""

from collections.abc import Callable

import pytest

from egress_audit.decode.link import MAX_HEADERS
from tests.builders.captures import (
    UDP,
    Frame,
    ethernet,
    ethernet_snap,
    ip,
    null,
    pcap,
    sll,
    sll2,
    udp,
)
from tests.builders.engine import Run, run

Link = Callable[[bytes], bytes]
TO_V4 = ip("10.0.0.2", "192.0.2.1", udp(40000, 443, b"payload"), UDP)
TO_V6 = ip("2001:db8::2", "2001:db8::1", udp(40000, 443, b"payload"), UDP)


def alone(data: bytes, linktype: int = 1, wirelen: int | None = None) -> Run:
    """What the engine makes of one frame."""
    return run(pcap([Frame(0, data, wirelen)], linktype))


@pytest.mark.parametrize(
    ("wrapped", "linktype"),
    [
        (ethernet, 1),
        (lambda p: ethernet(p, vlans=[1]), 1),
        (lambda p: ethernet(p, vlans=range(MAX_HEADERS), tpid=0x88A8), 1),
        (ethernet_snap, 1),
        (sll, 113),
        (sll2, 276),
        (null, 0),
        (lambda p: null(p, big_endian=True), 0),
        (lambda p: null(p, big_endian=True), 108),
        *((bytes, linktype) for linktype in (12, 14, 101)),
    ],
)
@pytest.mark.parametrize("packet", [TO_V4, TO_V6], ids=["v4", "v6"])
def test_every_link_layer_leads_to_the_same_packet(
    wrapped: Link, linktype: int, packet: bytes
) -> None:
    (found,) = alone(wrapped(packet), linktype).packets
    assert (found.sport, found.dport, found.payload_len) == (40000, 443, 7)
    assert found.ip_len == len(packet)


@pytest.mark.parametrize(("linktype", "packet"), [(228, TO_V4), (229, TO_V6)])
def test_a_link_type_that_says_the_version_is_believed(linktype: int, packet: bytes) -> None:
    assert len(alone(packet, linktype).packets) == 1


@pytest.mark.parametrize(("linktype", "packet"), [(228, TO_V6), (229, TO_V4)])
def test_a_packet_of_the_other_version_is_malformed(linktype: int, packet: bytes) -> None:
    assert alone(packet, linktype).ledger.undecoded == {"ip-malformed": 1}


@pytest.mark.parametrize("family", [10, 23, 24, 28, 30])
def test_every_systems_number_for_ipv6_is_known(family: int) -> None:
    assert len(alone(null(TO_V6, family), 0).packets) == 1


def test_loop_is_in_network_order_only() -> None:
    done = alone(null(TO_V4), 108)
    assert done.ledger.undecoded == {f"address family {2 << 24}": 1}


def sll_llc(body: bytes) -> bytes:
    """A cooked frame with an 802.2 header."""
    return sll(body, 4)


SNAP = b"\xaa\xaa\x03\0\0\0\x08\0"


def test_a_cooked_802_2_frame_leads_on_through_snap() -> None:
    assert len(alone(sll_llc(SNAP + TO_V4), 113).packets) == 1


def test_a_cooked_802_2_frame_may_be_spanning_tree() -> None:
    assert alone(sll_llc(b"\x42\x42\x03"), 113).ledger.no_destination == {"STP": 1}


def test_a_cooked_frame_may_have_tags() -> None:
    tagged = b"\0\x05\x08\0" + TO_V4
    assert len(alone(sll(tagged, 0x8100), 113).packets) == 1


@pytest.mark.parametrize("linktype", [1, 113])
def test_one_tag_too_many_is_not_followed(linktype: int) -> None:
    tags = b"\x81\0".join([b"\0\x05"] * (MAX_HEADERS + 1)) + b"\x08\0"
    whole = ethernet(tags + TO_V4, 0x8100) if linktype == 1 else sll(tags + TO_V4, 0x8100)
    assert alone(whole, linktype).ledger.undecoded == {"ethertype 0x8100": 1}


@pytest.mark.parametrize("length", [1501, 1535])
def test_what_is_too_small_for_an_ethertype_is_a_length(length: int) -> None:
    assert alone(ethernet(b"\xe0\xe0\x03", length)).ledger.undecoded == {"802.2 LLC": 1}


def test_the_smallest_ethertype_is_one() -> None:
    assert alone(ethernet(b"\xe0\xe0\x03", 1536)).ledger.undecoded == {"ethertype 0x0600": 1}


@pytest.mark.parametrize(
    ("data", "wirelen", "why"),
    [
        (bytes(13), None, "link-malformed"),
        (bytes(13), 14, "truncated"),
        (b"", 60, "truncated"),
        (ethernet(b"\0", 0x8100), None, "link-malformed"),
        (ethernet(b"\xaa\xaa\x03\0", 4), 60, "truncated"),
        (ethernet(b"\xaa\xaa\x03\0\0\1\x08\0", 8), None, "802.2 LLC"),
    ],
)
def test_a_link_header_that_is_not_whole_says_whose_fault_it_is(
    data: bytes, wirelen: int | None, why: str
) -> None:
    assert alone(data, 1, wirelen).ledger.undecoded == {why: 1}


@pytest.mark.parametrize("linktype", [12, 101, 228, 229])
def test_an_empty_raw_frame_is_a_malformed_packet(linktype: int) -> None:
    assert alone(b"", linktype).ledger.undecoded == {"ip-malformed": 1}


@pytest.mark.parametrize(
    ("ethertype", "kind"),
    [(0x0806, "ARP"), (0x88CC, "LLDP"), (0x888E, "EAPOL"), (0x8808, "MAC control")],
)
def test_what_ends_at_the_link_has_no_destination(ethertype: int, kind: str) -> None:
    assert alone(ethernet(bytes(46), ethertype)).ledger.no_destination == {kind: 1}


def test_an_unknown_link_type_is_counted_by_its_number() -> None:
    assert alone(TO_V4, 147).ledger.undecoded == {"link type 147": 1}


def test_a_mac_address_that_begins_with_four_is_not_taken_for_ip() -> None:
    frame = ethernet(bytes(46), 0x0806, dst=b"\x45\0\0\0\0\0")
    assert alone(frame).ledger.no_destination == {"ARP": 1}
