"""What servers answer in generated captures: the framing of their streams, put into packets.

The bytes between stay noise, as ciphertext is. Sources: RFC 8446 §4.1.3 (ServerHello), §5.1 and
§5.2 (records), §D.4 (the ChangeCipherSpec that is sent for middleboxes), RFC 9112 §4 and §6.2
(status line, Content-Length), RFC 9000 §17.3.1 (packets with short headers).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]

RECORDS = (1369, 4096, 8192, 16384)
"""Bytes of plaintext in the records of a flow: from one segment up to the largest."""
SEALED = 17
"""What a record of TLS 1.3 has more than its plaintext: its type, and the tag."""
RECORD_HEADER = 5
FLOW_BITS = 40
"""Bits of a place in a stream, below the number of its flow."""
SHORT_HEADER = 0x40
"""The fixed bit, without that of long headers."""


def _server_hello() -> tuple[I64, U8]:
    """A ServerHello and a ChangeCipherSpec: the places that are always the same, and their bytes.

    Not among them: the random, the session ID and the key share.
    """
    whole = bytes.fromhex("160303007a 02000076 0303") + bytes(32) + b"\x20" + bytes(32)
    whole += bytes.fromhex("1301 00 002e 002b00020304 00330024001d0020") + bytes(32)
    whole += bytes.fromhex("140303000101")
    free = {*range(11, 43), *range(44, 76), *range(95, 127)}
    places = [place for place in range(len(whole)) if place not in free]
    return np.array(places), np.frombuffer(whole, np.uint8)[places]


HELLO_PLACES, HELLO_BYTES = _server_hello()
HELLO = int(HELLO_PLACES[-1]) + 1
"""Bytes of the stream in front of the first record of data."""


@dataclass
class Streams:
    """Streams of a wave, each cut into packets: one array a field, sorted by flow and offset."""

    flow: I64
    offset: I64
    """Of the packet's first payload byte in its stream."""
    size: I64
    """Payload bytes."""
    at: I64
    """Where the payload begins in the bytes of all frames."""

    def __post_init__(self) -> None:
        order = np.lexsort((self.offset, self.flow))
        self.flow, self.offset = self.flow[order], self.offset[order]
        self.size, self.at = self.size[order], self.at[order]
        self.key = self.flow << FLOW_BITS | self.offset
        last = np.flatnonzero(np.append(self.flow[1:] != self.flow[:-1], len(self.flow) > 0))
        self.flows, self.lengths = self.flow[last], self.offset[last] + self.size[last]

    def write(self, data: U8, flow: I64, offset: I64, values: U8) -> None:
        """Puts one byte each at these places of these streams, which are long enough."""
        packet = np.searchsorted(self.key, flow << FLOW_BITS | offset, "right") - 1
        data[self.at[packet] + offset - self.offset[packet]] = values


def write_tls(data: U8, streams: Streams) -> None:
    """A ServerHello, and records up to the last byte."""
    room = HELLO + RECORD_HEADER + SEALED + 1
    long = streams.lengths >= room
    flows, lengths = streams.flows[long], streams.lengths[long]
    places = np.tile(HELLO_PLACES, len(flows))
    told = np.tile(HELLO_BYTES, len(flows))
    streams.write(data, np.repeat(flows, len(HELLO_PLACES)), places, told)
    whole = np.array(RECORDS)[flows % len(RECORDS)] + SEALED + RECORD_HEADER
    records = 1 + (lengths - room) // whole
    of = np.repeat(np.arange(len(flows)), records)
    rank = np.arange(len(of)) - np.repeat(np.cumsum(records) - records, records)
    offset = HELLO + rank * whole[of]
    size = np.where(rank == records[of] - 1, lengths[of] - offset, whole[of]) - RECORD_HEADER
    for place, value in enumerate((0x17, 3, 3, size >> 8, size & 0xFF)):
        told = np.broadcast_to(np.asarray(value, np.uint8), of.shape)
        streams.write(data, flows[of], offset + place, told)


def write_http(data: U8, streams: Streams) -> None:
    """The head of a response whose content is all that follows."""
    for flow, length in zip(streams.flows.tolist(), streams.lengths.tolist(), strict=True):
        head = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: application/octet-stream\r\n"
        head += b"Content-Length: %d\r\n\r\n"
        head %= max(length - len(head) - len(str(length)) + 2, 0)
        if len(head) <= length:
            offset = np.arange(len(head))
            streams.write(data, np.full(len(head), flow), offset, np.frombuffer(head, np.uint8))


def write_quic(data: U8, at: I64) -> None:
    """Short headers in front of the payloads that begin at `at`."""
    data[at] = data[at] & 0x3F | SHORT_HEADER
