"""Every link layer leads to the same packet, or says why it leads to none."""

from collections.abc import Callable

import numpy as np
import pytest

from egress_audit.capture.linktypes import LINKTYPE_NAMES
from egress_audit.decode.link import DECODERS, MAX_HEADERS
from egress_audit.decode.link_rows import Rows
from tests.builders.captures import Frame, arp, ethernet, ethernet_snap, null, pcap, sll, sll2
from tests.builders.engine import run
from tests.builders.links import LINKS, MAC, snap
from tests.builders.one_frame import PACKET, TO_V4, TO_V6, alone, fate

Link = Callable[[bytes], bytes]
V4_AND_V6 = pytest.mark.parametrize("packet", [TO_V4, TO_V6], ids=["v4", "v6"])


@pytest.mark.parametrize("linktype", LINKS)
@V4_AND_V6
def test_every_link_type_leads_to_its_packet(linktype: int, packet: bytes) -> None:
    assert fate(LINKS[linktype](packet), linktype) == PACKET


@pytest.mark.parametrize("linktype", LINKS)
def test_a_frame_cut_anywhere_before_its_packet_is_counted_as_truncated(linktype: int) -> None:
    whole = LINKS[linktype](TO_V4)
    header = whole.index(TO_V4)
    cuts = [Frame(0, whole[:kept], len(whole)) for kept in range(header + 20)]
    counted = run(pcap(cuts, linktype)).ledger
    not_yet = counted.undecoded["link type 149"] if linktype == 149 else 0
    assert counted.undecoded["truncated"] + not_yet == len(cuts) == counted.frames


@pytest.mark.parametrize("linktype", LINKS)
def test_a_frame_that_was_never_whole_is_counted_as_malformed(linktype: int) -> None:
    whole = LINKS[linktype](TO_V4)
    header = whole.index(TO_V4)
    counted = run(pcap([Frame(0, whole[:kept]) for kept in range(header + 20)], linktype)).ledger
    malformed = counted.undecoded["link-malformed"] + counted.undecoded["ip-malformed"]
    not_yet = counted.undecoded["link type 149"] if linktype == 149 else 0
    assert malformed + not_yet == counted.frames


def test_every_link_type_that_is_decoded_is_tested_and_has_a_name() -> None:
    assert set(LINKS) | {228, 229} == set(DECODERS)
    assert set(DECODERS) <= set(LINKTYPE_NAMES)


def test_what_became_of_a_frame_does_not_depend_on_its_neighbours() -> None:
    secret = MAC * 2 + b"\x88\xe5" + b"\x0c" + bytes(13) + TO_V4
    bodies = [
        secret,
        ethernet_snap(TO_V4),
        ethernet(b"\xe0\xe0\x03", 3),
        ethernet(TO_V4, vlans=[1]),
    ]
    done = run(pcap([Frame(0, frame) for frame in bodies * 3], 1))
    assert done.ledger.undecoded == {"encrypted MACsec": 3, "802.2 LLC": 3}
    assert done.ledger.packets == 6


def test_a_frame_inside_a_packet_can_be_decoded_on_its_own() -> None:
    outer = np.frombuffer(bytes(50) + ethernet(TO_V4, vlans=[5]) + bytes(256), np.uint8)
    end = len(outer) - 256
    rows = Rows(outer, np.array([50]), np.array([end]), np.array([False]))
    network, ethertype, outcome = DECODERS[1](rows)
    assert (network.tolist(), ethertype.tolist(), outcome.tolist()) == ([68], [0x0800], [0])


def test_decoding_leaves_the_rows_as_they_were() -> None:
    data = np.frombuffer(snap(TO_V4) + bytes(256), np.uint8)
    rows = Rows(data, np.array([0]), np.array([len(data) - 256]), np.array([False]))
    for decoder in DECODERS.values():
        decoder(rows)
        assert rows.start.tolist() == [0]


def test_ever_new_link_types_inside_cost_no_pass_each() -> None:
    frames = [
        Frame(0, LINKS[258](TO_V4)[:8] + n.to_bytes(4, "little") + bytes(96))
        for n in range(999, 1999)
    ]
    counted = run(pcap(frames, 258)).ledger
    assert counted.undecoded.total() == counted.frames == 1000


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
@V4_AND_V6
def test_every_link_layer_leads_to_the_same_packet(
    wrapped: Link, linktype: int, packet: bytes
) -> None:
    (found,) = alone(wrapped(packet), linktype).packets
    assert (found.sport, found.dport, found.payload_len) == (40000, 4433, 7)
    assert found.ip_len == len(packet)


@pytest.mark.parametrize(("linktype", "packet"), [(228, TO_V4), (229, TO_V6)])
def test_a_link_type_that_says_the_version_is_believed(linktype: int, packet: bytes) -> None:
    assert len(alone(packet, linktype).packets) == 1


@pytest.mark.parametrize(("linktype", "packet"), [(228, TO_V6), (229, TO_V4)])
def test_a_packet_of_the_other_version_is_malformed(linktype: int, packet: bytes) -> None:
    assert alone(packet, linktype).ledger.undecoded == {"ip-malformed": 1}


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
    [(0x88CC, "LLDP"), (0x888E, "EAPOL"), (0x8808, "MAC control")],
)
def test_what_ends_at_the_link_has_no_destination(ethertype: int, kind: str) -> None:
    assert alone(ethernet(bytes(46), ethertype)).ledger.no_destination == {kind: 1}


def test_an_unknown_link_type_is_counted_by_its_number() -> None:
    assert alone(TO_V4, 147).ledger.undecoded == {"link type 147": 1}


def test_a_mac_address_that_begins_with_four_is_not_taken_for_ip() -> None:
    frame = ethernet(arp() + bytes(18), 0x0806, dst=b"\x45\0\0\0\0\0")
    assert alone(frame).ledger.no_destination == {"ARP": 1}
