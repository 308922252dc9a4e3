"""Tests of egress_audit/evidence/payload_hashes.py."""

import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.evidence import payload_hashes
from egress_audit.evidence.payload_hashes import (
    captured_frames,
    payload_hash,
    payload_of,
    write_payload_hashes,
)
from egress_audit.evidence.pcapng_writer import CaptureInterface, PcapngWriter
from tests.builders.captures import START_NS, TCP, UDP, ethernet, ipv4, tcp, udp

RAW, ETHERNET = 101, 1
A, B = "10.87.0.2", "203.0.113.7"
UDP_PACKET = ipv4(A, B, udp(1, 2, b"payload"), UDP)
TCP_PACKET = ipv4(A, B, tcp(1, 2, "PA", payload=b"payload"), TCP)
SALT = bytes(range(16))


def capture_of(*frames: bytes, linktype: int = RAW, comment: str = "pid 1 /bin/a") -> io.BytesIO:
    stream = io.BytesIO()
    writer = PcapngWriter(stream, [CaptureInterface("lo", 113), CaptureInterface("eg0", linktype)])
    writer.write_names({B: "a.example"})
    for frame in frames:
        writer.write(1, START_NS, frame, outbound=True, comment=comment)
    writer.write_statistics(1, received=1, dropped=0, start_ns=0, end_ns=1)
    writer.flush()
    stream.seek(0)
    return stream


def hashed(*frames: bytes, linktype: int = RAW) -> list[tuple[bytes, bytes]]:
    hashes, salts = io.BytesIO(), io.BytesIO()
    count = write_payload_hashes(capture_of(*frames, linktype=linktype), hashes, salts)
    assert (len(hashes.getvalue()), len(salts.getvalue())) == (32 * count, 16 * count)
    hashes.seek(0)
    salts.seek(0)
    return [(salts.read(16), hashes.read(32)) for _ in range(count)]


def test_the_hash_covers_the_salt_and_what_lies_behind_the_transport_header() -> None:
    expected = hashlib.sha256(SALT + b"payload").digest()
    assert payload_hash(UDP_PACKET, RAW, SALT) == expected
    assert payload_hash(TCP_PACKET, RAW, SALT) == expected
    assert payload_hash(ethernet(TCP_PACKET), ETHERNET, SALT) == expected


def test_a_frame_without_transport_header_is_hashed_whole() -> None:
    later = ipv4(A, B, b"rest of it", UDP, fragment_offset=8)
    assert payload_of(later, RAW) == later
    assert payload_of(b"no IP at all", RAW) == b"no IP at all"
    assert payload_of(UDP_PACKET, 113) == UDP_PACKET


def test_every_frame_has_its_hash_in_order() -> None:
    frames = (UDP_PACKET, TCP_PACKET, b"other")
    rows = hashed(*frames)
    assert len(rows) == 3
    for frame, (salt, expected) in zip(frames, rows, strict=True):
        assert payload_hash(frame, RAW, salt) == expected


def test_another_payload_or_salt_does_not_match() -> None:
    ((salt, expected),) = hashed(UDP_PACKET)
    assert payload_hash(UDP_PACKET[:-1] + b"!", RAW, salt) != expected
    assert payload_hash(UDP_PACKET, RAW, SALT) != expected


def test_another_header_over_the_same_payload_matches() -> None:
    ((salt, expected),) = hashed(UDP_PACKET)
    assert payload_hash(TCP_PACKET, RAW, salt) == expected


def test_equal_payloads_have_different_hashes() -> None:
    rows = hashed(*[UDP_PACKET] * 50)
    assert len({salt for salt, _ in rows}) == len({digest for _, digest in rows}) == 50


def test_salts_are_fresh_beyond_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload_hashes, "FRAMES_AT_ONCE", 4)
    rows = hashed(*[UDP_PACKET] * 11)
    assert len({salt for salt, _ in rows}) == 11
    assert all(payload_hash(UDP_PACKET, RAW, salt) == expected for salt, expected in rows)


def test_an_empty_capture_has_no_hashes() -> None:
    assert hashed() == []


@given(st.integers(0, 600))
def test_a_capture_that_is_cut_gives_its_whole_frames(size: int) -> None:
    whole = capture_of(UDP_PACKET, TCP_PACKET).getvalue()
    cut = list(captured_frames(io.BytesIO(whole[:size])))
    assert cut == [(RAW, UDP_PACKET), (RAW, TCP_PACKET)][: len(cut)]


@given(st.integers(0, 500), st.binary(min_size=1, max_size=4))
def test_a_capture_that_is_damaged_gives_frames_and_no_crash(place: int, damage: bytes) -> None:
    data = bytearray(capture_of(UDP_PACKET, TCP_PACKET).getvalue())
    data[place : place + len(damage)] = damage
    assert len(list(captured_frames(io.BytesIO(bytes(data))))) <= 2
