"""Where fuzzing begins: the golden captures, profiles and bundles, and what the builders make."""

import gzip
import struct
from pathlib import Path

from egress_audit.capture.walk import MAX_FRAME
from fuzz.grown import EXTREMES, FAULT, HEAD, LONGEST
from tests.builders.address_lists import mmdb_bytes
from tests.builders.captures import (
    TCP,
    UDP,
    client_hello,
    dns_answer,
    dns_query,
    ethernet,
    http_request,
    ip,
    over_tcp,
    tcp,
    udp,
)

ROOT = Path(__file__).parent.parent
LARGEST = 1 << 16
"""Bytes of a seed: longer ones only slow the search."""


UNSOUND = (
    (9000, 2, 1, EXTREMES.index(MAX_FRAME + 1)),
    (9000, 1, 1, EXTREMES.index(36)),
    *((9000, 0, 4, EXTREMES.index(length)) for length in (16, 33, 36)),
)
"""Faults, as `fuzz.grown.FAULT` packs them: lengths within the buffer that no record can have, or
not this one."""


def seeds(target: str) -> list[bytes]:
    """The seeds of a target, by its name; none are longer than LARGEST."""
    made = {
        "capture": _files("captures", "*.pcap*"),
        "frames": _frames(),
        "engines": [*_frames(), *_files("captures", "*.pcap*")],
        "lanes_of_pcap": _recipes(),
        "lanes_of_pcapng": _recipes(),
        "stream": [client_hello("a.example"), http_request("a.example"), over_tcp(_question())],
        "dns": [_question(), dns_answer("a.example", ["192.0.2.1"])],
        "account": _files("captures", "*.bundle/events.jsonl"),
        "profile": _files("profiles", "*.yaml"),
        "catalogue": _files("egress_audit/lists/catalogue", "*.yaml"),
        "lists": _lists(),
        "internet": [b"".join(_with_length(packet) for packet in _packets())],
    }
    return [seed for seed in made.get(target, []) if len(seed) <= LARGEST]


def findings(target: str) -> list[Path]:
    """Inputs that once were too much for a target; each stays a test."""
    return sorted((Path(__file__).parent / "findings" / target).glob("*"))


def _files(folder: str, pattern: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((ROOT / folder).glob(pattern))]


def _lists() -> list[bytes]:
    """A file of each kind that is taken."""
    return [
        mmdb_bytes(),
        b"93.184.0.0,93.184.255.255,64500,Example\n",
        b"93.184.0.0\t93.184.255.255\t64500\tJP\tEXAMPLE\n",
        gzip.compress(b"2001:db8::,2001:db8::ff,JP\n", mtime=0),
    ]


def _question() -> bytes:
    return dns_query("a.example")


def _recipes() -> list[bytes]:
    """Of buffers with lanes: sound ones, records within records, and a fault of every sort."""
    plain = b"".join(_with_length(bytes(length)) for length in (60, 0, 1400))
    within = b"".join(struct.pack(">H", nested * LONGEST + 40) + bytes(40) for nested in (0, 9, 3))
    wrong = [
        (place, word, word, 4 * word) for word, place in enumerate((9000, 30000, 40000, 60000))
    ]
    faults = [FAULT.pack(*fault) for fault in (*wrong, *UNSOUND)]
    return [
        *(HEAD.pack(way, 0, 0, 0) + records for way in (0, 1) for records in (plain, within, b"")),
        HEAD.pack(0, 7, 33, 0) + plain,
        HEAD.pack(0, 0, 0, len(faults)) + b"".join(faults) + within,
        *(HEAD.pack(1, 0, 0, 1) + fault + plain for fault in faults),
    ]


def _packets() -> list[bytes]:
    return [
        ip("10.87.0.2", "192.0.2.1", tcp(40000, 443, "S"), TCP),
        ip("10.87.0.2", "192.0.2.1", tcp(40000, 443, "PA", payload=client_hello("a.example")), TCP),
        ip("10.87.0.2", "10.87.0.1", udp(40000, 53, _question()), UDP),
        ip("fd00:e6e4::2", "2001:db8::1", udp(40000, 53, _question()), UDP),
    ]


def _with_length(part: bytes) -> bytes:
    return struct.pack(">H", len(part)) + part


def _frames() -> list[bytes]:
    packets = _packets()
    return [
        b"\0\x01" + b"".join(_with_length(ethernet(packet)) for packet in packets),
        b"\0\x65" + b"".join(_with_length(packet) for packet in packets),
    ]
