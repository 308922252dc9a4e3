"""What is fed with bytes of an attacker: each target takes bytes, and returns or raises a refusal.

Anything but an `EgressAuditError` that leaves a target is a finding; so is a ledger that does not
add up.
"""

import io
import random
import struct
from collections.abc import Callable
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from tempfile import TemporaryDirectory

from egress_audit.audit import audited
from egress_audit.capture.source import source_of
from egress_audit.capture.window import Window
from egress_audit.classify.address_lists import AddressList
from egress_audit.classify.catalogue_files import packaged_catalogue
from egress_audit.classify.catalogue_schema import entries_of
from egress_audit.classify.destination import Classifier
from egress_audit.compiled import library
from egress_audit.errors import EgressAuditError
from egress_audit.evidence.account import read_account
from egress_audit.judge.profile import load_profile
from egress_audit.model.claim import Claim
from egress_audit.names.dns import read_message, read_stream
from egress_audit.names.http import read_request_head
from egress_audit.names.plain_dns import plain_message
from egress_audit.names.plain_hello import plain_hello
from egress_audit.names.plain_request import plain_request
from egress_audit.names.socks import read_greeting
from egress_audit.names.tls import read_client_hello
from egress_audit.ranges.published import is_mmdb, published_rows
from egress_audit.record.internet.internet import Internet
from egress_audit.record.internet.settings import InternetSettings
from egress_audit.report.beside import Envelope
from egress_audit.report.flow_records import flow_line
from egress_audit.report.renderers import RENDERERS, Presentation
from fuzz.lanes import lanes_of_pcap, lanes_of_pcapng
from tests.builders.both_engines import assert_alike

WINDOW = 1 << 16
"""Small, so that records lie over its end."""
LINKTYPES = 300
"""Link types from 0 to below this one are tried, those that nobody knows among them."""
ASKED = tuple(map(ip_address, ("9.1.2.3", "203.0.113.9", "255.255.255.255", "2001:db8::1")))
"""Looked up in every list: one address lies in the list that the search begins with."""
NANOSECONDS = 1_700_000_000_000_000_000


def capture(data: bytes) -> None:
    """A capture file, from its first byte to every report of it."""
    source = source_of("fuzzed", Window(io.BytesIO(data), block=WINDOW))
    if source is None:
        return
    own = (ip_network("10.0.0.0/8"),)
    found = audited(source, _claim(), Classifier(), catalogue=packaged_catalogue, local=own)
    coverage = found.audit.coverage
    undecoded = sum(coverage.undecoded.values()) + sum(coverage.no_destination.values())
    assert coverage.frames == coverage.packets + undecoded
    for record in found.flow_records():
        flow_line(*record)
    for render in RENDERERS.values():
        render(found.audit, Presentation(Envelope("0", (found.name,)), colour=False))


def frames(data: bytes) -> None:
    """Frames of one link type, each with its length before it; two bytes say which type."""
    capture(_capture_of_frames(data))


def engines(data: bytes) -> None:
    """The same, and a capture as it is: the compiled hot path makes of them what numpy does."""
    if library.is_in_use():
        assert_alike(_capture_of_frames(data), WINDOW)
        assert_alike(data, WINDOW)


def _capture_of_frames(data: bytes) -> bytes:
    linktype = int.from_bytes(data[:2], "big") % LINKTYPES
    records, at = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, linktype)], 2
    while at + 2 <= len(data):
        length = int.from_bytes(data[at : at + 2], "big") % 2048
        frame = data[at + 2 : at + 2 + length]
        second = 1_700_000_000 + at
        records += [struct.pack("<IIII", second, 0, len(frame), max(length, len(frame))), frame]
        at += 2 + length
    return b"".join(records)


def stream(data: bytes) -> None:
    """The first bytes of a TCP stream, whole and cut."""
    readers = (read_client_hello, read_request_head, read_greeting, read_stream)
    for read in (*readers, plain_hello, plain_request):
        read(data)
        read(data[: len(data) // 2])


def dns(data: bytes) -> None:
    """A datagram of the DNS."""
    read_message(data, complete=True)
    read_message(data, complete=False)
    plain_message(data)


def account(data: bytes) -> None:
    """The record of a run."""
    read_account(io.BytesIO(data))


def profile(data: bytes) -> None:
    """A profile somebody wrote."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "fuzzed.yaml")
        path.write_bytes(data)
        load_profile(str(path))


def catalogue(data: bytes) -> None:
    """Entries of the catalogue that somebody wrote."""
    entries_of(data.decode(errors="replace"), "fuzzed.yaml")


def lists(data: bytes) -> None:
    """A list of addresses that somebody downloaded: as it is read, and as it is imported."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "fuzzed.mmdb")
        path.write_bytes(data)
        if not is_mmdb(path):
            published_rows(path)
            return
        known = AddressList(path)
        for address in ASKED:
            known.answer(address)


def internet(data: bytes) -> None:
    """Packets of a program in the sandbox, each with its length before it."""
    simulated = Internet(InternetSettings(), random.Random(1))
    at, now = 0, NANOSECONDS
    while at + 2 <= len(data):
        length = int.from_bytes(data[at : at + 2], "big") % 2048
        simulated.answer(data[at + 2 : at + 2 + length], now)
        at, now = at + 2 + length, now + 10_000_000
        simulated.due(now)


@cache
def _claim() -> Claim:
    return load_profile("offline")


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        capture,
        frames,
        engines,
        lanes_of_pcap,
        lanes_of_pcapng,
        stream,
        dns,
        account,
        profile,
        catalogue,
        lists,
        internet,
    )
}


def survives(target: Callable[[bytes], None], data: bytes) -> None:
    """Runs a target; a refusal with a reason is as good as an answer."""
    try:
        target(data)
    except EgressAuditError:
        return
