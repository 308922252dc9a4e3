"""A salted hash of each frame's payload, so that payload can be taken out of a bundle later and
what is left still be checked: who has the salt can show that a payload was there, who has it not
cannot guess it.

Beside a capture of n frames stand `payloads.sha256`, 32 bytes a frame, and `payloads.salt`, 16
bytes a frame, both in the order of the frames. Hashed are the salt and then the captured bytes
behind the transport header; all captured bytes, if there is no such header (see packet_layout).

Source: draft-ietf-opsawg-pcapng §4.2 (IDB), §4.3 (EPB), as pcapng_writer.py writes them.
"""

import hashlib
import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

from egress_audit.evidence.packet_layout import UNKNOWN, layout_of
from egress_audit.evidence.pcapng_writer import EPB, IDB

HASHES, SALTS = "payloads.sha256", "payloads.salt"
HASH_BYTES, SALT_BYTES = 32, 16
FRAMES_AT_ONCE = 4096
MAX_BLOCK = 16 << 20
EPB_HEAD, EPB_TAIL = 28, 4

Captured = tuple[int, bytes]
"""LINKTYPE_ value and captured bytes of a frame."""


def payload_of(frame: bytes, linktype: int) -> bytes:
    """The captured bytes of a frame that its hash covers."""
    payload = layout_of(frame, linktype).payload
    return frame if payload == UNKNOWN else frame[payload:]


def payload_hash(frame: bytes, linktype: int, salt: bytes) -> bytes:
    """32 bytes: sha256 of salt and payload."""
    return hashlib.sha256(salt + payload_of(frame, linktype)).digest()


def write_payload_hashes(capture: BinaryIO, hashes: BinaryIO, salts: BinaryIO) -> int:
    """Hashes and fresh salts of all whole frames of a capture of ours; returns their number."""
    frames = 0
    fresh, made = b"", bytearray()
    for linktype, frame in captured_frames(capture):
        place = frames % FRAMES_AT_ONCE * SALT_BYTES
        if not place:
            hashes.write(made)
            made.clear()
            fresh = os.urandom(FRAMES_AT_ONCE * SALT_BYTES)
        salt = fresh[place : place + SALT_BYTES]
        salts.write(salt)
        made += payload_hash(frame, linktype, salt)
        frames += 1
    hashes.write(made)
    return frames


def captured_frames(capture: BinaryIO) -> Iterator[Captured]:
    """The whole frames of a capture that PcapngWriter wrote, up to where it is cut or damaged."""
    linktypes: list[int] = []
    while len(head := capture.read(8)) == 8:
        kind, length = struct.unpack("<II", head)
        if not 12 <= length <= MAX_BLOCK:
            return
        rest = capture.read(length - 8)
        if len(rest) < length - 8:
            return
        if kind == IDB and length >= 20:
            linktypes.append(int.from_bytes(rest[:2], "little"))
        elif kind == EPB:
            if length < EPB_HEAD + EPB_TAIL:
                return
            interface, captured = struct.unpack("<I8xI", rest[:16])
            if interface >= len(linktypes) or EPB_HEAD + captured + EPB_TAIL > length:
                return
            yield linktypes[interface], rest[20 : 20 + captured]
