"""The oracle held against programs that nobody here wrote: tshark and scapy.

Captures come from the folder that EGRESS_AUDIT_SHARED names: `runtimes/*/capture.pcap` and
`corpus/{captures,truth}`. Without it those tests skip.
"""

import gzip
import json
import os
import shutil
import subprocess
from collections import Counter
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest

from tests.builders.captures import (
    TCP,
    UDP,
    Frame,
    client_hello,
    dns_answer,
    dns_query,
    pcap,
    tcp_session,
    udp_exchange,
)
from tests.builders.files import Interface, Section, pcapng
from tests.builders.links import LINKS
from tests.builders.one_frame import TO_V4, TO_V6
from tests.reference.capture_reader import read_capture
from tests.reference.packet_decoder import (
    Packet,
    Undecoded,
    decode_frame,
    packets_of,
)

SHARED = Path(os.environ.get("EGRESS_AUDIT_SHARED", "shared"))
RUNTIMES = sorted(SHARED.glob("runtimes/*/capture.pcap"))
CORPUS = SHARED / "corpus"
CLIENT, SERVER = ("10.0.0.2", 40000), ("192.0.2.1", 443)
CLIENT6, SERVER6 = ("2001:db8::2", 40000), ("2001:db8::1", 443)


FIELDS = (
    *("frame.number", "ip.src", "ipv6.src", "tcp.srcport", "udp.srcport"),
    *("ip.dst", "ipv6.dst", "tcp.dstport", "udp.dstport"),
    *("ip.len", "tcp.len", "udp.length", "tcp.flags", "tcp.seq_raw", "dns.qry.name"),
    "tls.handshake.extensions_server_name",
)


def tshark_rows(data: bytes) -> list[dict[str, str]]:
    """FIELDS of each frame as tshark reads them, the outermost layer's first."""
    arguments = ["tshark", "-n", "-r", "-", "-T", "fields", "-E", "occurrence=f"]
    arguments += ["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]
    for name in FIELDS:
        arguments += ["-e", name]
    output = subprocess.run(arguments, input=data, capture_output=True, check=True).stdout.decode()
    return [dict(zip(FIELDS, row.split("\t"), strict=True)) for row in output.splitlines()]


def assert_tshark_agrees(data: bytes) -> None:
    """Addresses, ports, lengths, flags and sequence numbers of every TCP and UDP packet."""
    packets = {packet.frame: packet for packet in packets_of(data)}
    for row in tshark_rows(data):
        packet = packets[int(row["frame.number"])]
        assert ip_address(packet.src) == ip_address(row["ip.src"] or row["ipv6.src"])
        assert ip_address(packet.dst) == ip_address(row["ip.dst"] or row["ipv6.dst"])
        if packet.version == 4:
            assert packet.ip_len == int(row["ip.len"])
        if packet.proto == TCP:
            assert (packet.sport, packet.dport) == (
                int(row["tcp.srcport"]),
                int(row["tcp.dstport"]),
            )
            assert packet.payload_len == int(row["tcp.len"])
            assert packet.tcp_flags == int(row["tcp.flags"], 16) & 0xFF
            assert packet.tcp_seq == int(row["tcp.seq_raw"])
        if packet.proto == UDP:
            assert (packet.sport, packet.dport) == (
                int(row["udp.srcport"]),
                int(row["udp.dstport"]),
            )
            assert packet.payload_len == int(row["udp.length"]) - 8


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
def test_tshark_reads_what_the_builders_build() -> None:
    hello = client_hello("example.org", post_quantum=True)
    frames = tcp_session(CLIENT, SERVER, hello, b"y" * 99)
    frames += udp_exchange(
        CLIENT6, (SERVER6[0], 53), dns_query("a.example"), dns_answer("a.example", ["::1"])
    )
    data = pcap(frames)
    assert_tshark_agrees(data)
    rows = tshark_rows(data)
    assert {row["tls.handshake.extensions_server_name"] for row in rows} == {"", "example.org"}
    assert [row["dns.qry.name"] for row in rows[-2:]] == ["a.example", "a.example"]


NOT_IN_TSHARK = {
    **{8: "no dissector", 106: "only without 802.2", 143: "wants the header's checksum"},
    **{166: "no dissector", 205: "no dissector", 206: "no dissector"},
    **{240: "wants a version that no page documents", 241: "the same"},
    **{281: "no dissector", 282: "no dissector", 284: "no dissector", 285: "no dissector"},
}


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
@pytest.mark.parametrize("packet", [TO_V4, TO_V6], ids=["v4", "v6"])
def test_tshark_finds_the_packet_in_every_link_type_too(packet: bytes) -> None:
    known = sorted(LINKS.keys() - NOT_IN_TSHARK.keys())
    frames = [Frame(0, LINKS[linktype](packet), None, n) for n, linktype in enumerate(known)]
    data = pcapng([Section(frames, tuple(Interface(linktype) for linktype in known))])
    assert len(packets_of(data)) == len(tshark_rows(data)) == len(known)
    assert_tshark_agrees(data)


@pytest.mark.skipif(not RUNTIMES, reason="no recorded runtimes on this machine")
@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
def test_tshark_agrees_on_the_recorded_runtimes() -> None:
    frames = [
        Frame(frame.ts_ns, frame.data, frame.wirelen)
        for path in RUNTIMES
        for frame in read_capture(path.read_bytes()).frames
    ]
    assert len(frames) > 100
    assert_tshark_agrees(pcap(frames, 101))


@pytest.mark.skipif(not RUNTIMES, reason="no recorded runtimes on this machine")
@pytest.mark.opens_sockets
@pytest.mark.filterwarnings("ignore")
def test_scapy_agrees_on_the_recorded_runtimes() -> None:
    """Scapy asks the system for its interfaces when it is imported."""
    layers = pytest.importorskip("scapy.layers.inet")
    layers6 = pytest.importorskip("scapy.layers.inet6")
    for path in RUNTIMES:
        for frame in read_capture(path.read_bytes()).frames:
            packet = decode_frame(frame)
            assert isinstance(packet, Packet)
            theirs = (layers.IP if packet.version == 4 else layers6.IPv6)(frame.data)
            assert int(ip_address(theirs.src)) == packet.src
            assert int(ip_address(theirs.dst)) == packet.dst
            if packet.proto in (TCP, UDP):
                segment = theirs[layers.TCP if packet.proto == TCP else layers.UDP]
                assert (segment.sport, segment.dport) == (packet.sport, packet.dport)
                assert len(segment.payload) == packet.payload_len


Conversations = Counter[tuple[str, str, int, str, int]]
"""Packets by protocol, sender's address and port, receiver's address and port."""


def conversations_of(packets: list[Packet]) -> Conversations:
    """TCP and UDP only."""
    names = {TCP: "tcp", UDP: "udp"}
    counted: Conversations = Counter()
    for packet in packets:
        if packet.proto in names:
            address = IPv4Address if packet.version == 4 else IPv6Address
            near = (str(address(packet.src)), packet.sport)
            far = (str(address(packet.dst)), packet.dport)
            counted[names[packet.proto], *near, *far] += 1
    return counted


def conversations_in(truth: dict[str, Any]) -> Conversations:
    """The same, as tshark counted them over the whole file."""
    counted: Conversations = Counter()
    for row in truth["conversations"]:
        if row["proto"] in ("tcp", "udp"):
            near = (str(ip_address(row["src"])), row["sport"])
            far = (str(ip_address(row["dst"])), row["dport"])
            counted[row["proto"], *near, *far] += row["pkts_ab"]
            counted[row["proto"], *far, *near] += row["pkts_ba"]
    return +counted


def compare_with_truth(path: Path) -> bool:
    """Whether a file could be compared: none could that tshark calls malformed or fragmented,
    nor one with a frame that the oracle leaves undecoded (IPX, DECnet, encrypted radio ...).
    """
    truth = json.loads((CORPUS / "truth" / f"{path.name}.json").read_text())
    data = path.read_bytes()
    capture = read_capture(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
    found = [decode_frame(frame) for frame in capture.frames]
    set_aside = {"malformed_pkts", "nonfirst_fragments"} & set(truth["features"])
    if truth["tshark"]["rc"] or set_aside or any(isinstance(x, Undecoded) for x in found):
        return False
    assert len(capture.frames) == truth["packets"], path.name
    packets = [x for x in found if isinstance(x, Packet)]
    assert conversations_of(packets) == conversations_in(truth), path.name
    return True


@pytest.mark.skipif(not CORPUS.exists(), reason="no corpus on this machine")
def test_the_corpus_holds_the_conversations_that_tshark_counted() -> None:
    paths = sorted((CORPUS / "captures").iterdir())
    compared = sum(compare_with_truth(path) for path in paths)
    assert compared > len(paths) // 2
