"""Streams are told apart in C as in numpy, and plain hellos read as `plain_hello` reads them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.columns import PacketBatch
from egress_audit.compiled.hellos import (
    LONGEST_HOST,
    OPEN,
    OTHER_HELLO,
    PLAIN_HELLO,
    SILENT,
    PlainHellos,
    told_apart,
)
from egress_audit.names import first_bytes
from egress_audit.names.plain_hello import PlainHello, plain_hello
from egress_audit.names.reading import printable_host
from tests.builders.beginnings import beginning_with, sides_of
from tests.builders.both_engines import needs_library
from tests.builders.captures import client_hello
from tests.names.test_first_bytes import BEGINNINGS, streams
from tests.names.test_plain_hello import ALPN, ECH, EXTENSIONS
from tests.names.test_tls import RECORDED, extension, handshake, real_hello, records, sni, vector

pytestmark = needs_library

REAL = real_hello("huggingface.co", ["h2", "http/1.1"])
LONGEST = b"x" * LONGEST_HOST


def message(body: bytes) -> bytes:
    """A ClientHello whose body, behind version and random, is any."""
    return b"\1" + vector(b"\3\3" + bytes(32) + body, 3)


PLAIN = (
    REAL, RECORDED, client_hello("a.example"), client_hello("", post_quantum=True),
    records(handshake(sni(b"A.Example."), ECH)), records(handshake(sni(b"."))),
    records(handshake(sni(LONGEST), ALPN)), records(handshake(sni(b"\0\xff\\"))),
    records(handshake()), records(message(b"\0\0\0\0")), records(message(b"\0\0\0\0\0\0")),
    records(handshake(extension(16, vector(b"\1a" * 8, 2)))), records(handshake(ALPN, ALPN)),
    records(handshake(extension(16, vector(b"\1a" * 8 + b"\xff", 2)))),
)  # fmt: skip
NOT_ALONE = (REAL + b"\x17\3", REAL + b"\x16", REAL + REAL, records(handshake(ALPN) + b"\1\0\0\0"))
NOT_PLAIN = (
    records(handshake(sni(b"a", b"b"))), records(handshake(sni(b"a"), sni(b"a"))),
    records(handshake(sni(LONGEST + b"x"))), records(handshake(sni(b""))),
    records(handshake(sni(b"a", kind=1))), records(handshake(extension(0, b""))),
    records(handshake(extension(16, b"\0"))), records(handshake(extension(16, b"\0\3\2h2x"))),
    records(handshake(extension(16, b"\0\5\2h2\7h"))), records(handshake(b"\0")),
    records(handshake(extension(16, vector(b"\1a" * 130, 2)))), records(handshake(b"\0\0\xff\xff")),
    records(handshake(extension(0, b"\0\4\0\0\2a"))), records(message(b"\xff")),
    records(handshake(extension(0, b"\0\3\0\0\1a"))), records(message(b"\0\xff\xff")),
    records(message(b"\0\0\0\xff")), records(message(b"\0\0\0\0\0")), records(message(b"")),
    records(message(b"\0\0\0\0\0\1")), records(message(b"\0")), records(message(b"\0\0")),
    records(message(b"\0\0\0")),
    records(b"\1" + vector(b"\3\3" + bytes(30), 3)), records(message(b"\0\0\0\0\0\0\0")),
)  # fmt: skip


def hosts_of(found: PlainHellos) -> Iterator[str]:
    """The hosts of plain hellos, as text."""
    edges = np.append(0, np.cumsum(found.host_size)).tolist()
    assert edges[-1] == len(found.hosts)
    return (printable_host(found.hosts[begin:end]) for begin, end in pairwise(edges))


def assert_told_as_in_python(packets: PacketBatch) -> None:
    """What C makes of the streams that begin with packets is what numpy and Python make of them."""
    rows, side = np.arange(len(packets)), sides_of(packets)
    kind, needs, found = told_apart(packets, side, rows)
    silent, whole, expected = first_bytes.told_apart(packets, rows)
    assert needs.tolist() == expected.tolist()
    assert (kind == SILENT).tolist() == silent.tolist()
    assert (kind > SILENT).tolist() == whole.tolist()
    spans = zip(packets.payload.tolist(), packets.payload_cap.tolist(), strict=True)
    read = [plain_hello(packets.buffer[at : at + size].tobytes()) for at, size in spans]
    longer = np.array([hello.needs if hello else 0 for hello in read], np.int64)
    seen = packets.payload_cap >= first_bytes.SEEN
    assert needs.tolist() == np.where(seen, longer, 0).tolist()
    plain = np.array([hello is not None for hello in read], np.bool_) & whole
    assert (kind == PLAIN_HELLO).tolist() == plain.tolist()
    said = zip(hosts_of(found), found.outer.tolist(), strict=True)
    hellos = [hello for hello, is_plain in zip(read, plain.tolist(), strict=True) if is_plain]
    assert [*said] == [(hello.host, hello.outer) for hello in hellos if hello]
    assert found.flow.tolist() == (side[plain] >> 1).tolist()
    assert found.frame.tolist() == packets.frame[plain].tolist()
    assert found.ts_ns.tolist() == packets.ts_ns[plain].tolist()


def kinds(payloads: Sequence[bytes], lengths: Sequence[int] | None = None) -> list[int]:
    packets = beginning_with(payloads, lengths)
    kind, _, _ = told_apart(packets, sides_of(packets), np.arange(len(packets)))
    found: list[int] = kind.tolist()
    return found


@pytest.mark.parametrize("stream", PLAIN)
def test_a_plain_hello_is_read(stream: bytes) -> None:
    assert kinds([stream]) == [PLAIN_HELLO]
    assert_told_as_in_python(beginning_with([stream]))


@pytest.mark.parametrize("stream", NOT_PLAIN)
def test_every_other_whole_hello_is_left(stream: bytes) -> None:
    assert kinds([stream]) == [OTHER_HELLO]
    assert_told_as_in_python(beginning_with([stream]))


@pytest.mark.parametrize("stream", NOT_ALONE)
def test_with_more_behind_a_hello_readers_must_be_asked(stream: bytes) -> None:
    assert kinds([stream]) == [OPEN]
    assert_told_as_in_python(beginning_with([stream]))


@pytest.mark.parametrize("stream", [*PLAIN, *NOT_PLAIN, *NOT_ALONE])
def test_it_is_told_as_in_python_wherever_it_is_cut(stream: bytes) -> None:
    cuts = [stream[:size] for size in range(len(stream) + 1)]
    assert_told_as_in_python(beginning_with(cuts))
    assert_told_as_in_python(beginning_with(cuts, [len(stream)] * len(cuts)))
    for cut in cuts[:80]:
        assert_told_as_in_python(beginning_with([cut]))


@pytest.mark.parametrize("stream", [*PLAIN[:6], *NOT_PLAIN[:6]])
def test_it_is_told_as_in_python_whichever_byte_is_another(stream: bytes) -> None:
    bent = []
    for at, byte in enumerate(stream[:900]):
        values = range(256) if at < 16 else (0, 1, byte ^ 1, byte ^ 0x80, 255)
        bent += [stream[:at] + bytes((value,)) + stream[at + 1 :] for value in values]
    assert_told_as_in_python(beginning_with(bent))


def test_other_beginnings_are_told_apart_as_in_numpy() -> None:
    sizes = (0, 1, 15, 16, 17, 60)
    assert_told_as_in_python(
        beginning_with([stream[:size].ljust(size, b"y") for stream in BEGINNINGS for size in sizes])
    )


@settings(max_examples=200)
@given(st.lists(streams() | st.binary(max_size=40), max_size=20))
def test_any_beginnings_are_told_apart_as_in_numpy(payloads: list[bytes]) -> None:
    assert_told_as_in_python(beginning_with(payloads))


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from(EXTENSIONS), max_size=5).map(
                lambda parts: records(handshake(*parts))
            )
            | st.sampled_from((*PLAIN, *NOT_PLAIN)),
            st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=3),
            st.integers(0, 1),
        ),
        max_size=8,
    )
)
def test_damaged_hellos_are_told_as_in_python(
    hellos: list[tuple[bytes, list[tuple[int, int]], int]],
) -> None:
    damaged, lengths = [], []
    for hello, changes, missing in hellos:
        changed = bytearray(hello)
        for at, value in changes:
            changed[at % len(changed)] = value
        damaged.append(bytes(changed))
        lengths.append(len(changed) + missing)
    assert_told_as_in_python(beginning_with(damaged, lengths))


def test_a_hello_of_very_many_extensions_is_read() -> None:
    stream = records(handshake(*[extension(77, b"")] * 4000, sni(b"a.example")), 1 << 15)
    assert plain_hello(stream) == PlainHello(host="a.example")
    assert_told_as_in_python(beginning_with([stream]))


@pytest.mark.parametrize(
    ("payload", "captured"),
    [(-1, 60), (0, -1), (1 << 40, 60), (0, 1 << 40), (-(1 << 63), 60), ((1 << 63) - 1, 60)],
)
def test_payloads_that_leave_the_buffer_are_left(payload: int, captured: int) -> None:
    packets = beginning_with([REAL, REAL])
    where = np.array([payload, len(REAL)]), np.array([captured, len(REAL)])
    beyond = replace(packets, payload=where[0], payload_cap=where[1], payload_len=where[1])
    kind, _, found = told_apart(beyond, sides_of(packets), np.arange(2))
    assert (kind.tolist(), found.frame.tolist()) == ([OPEN, PLAIN_HELLO], [2])


def test_a_hello_whose_host_finds_no_room_is_left() -> None:
    """Never so in a capture, where no two payloads share their bytes."""
    stream = records(handshake(sni(LONGEST)))
    packets = beginning_with([stream, *[b""] * 3])
    same = np.zeros(4, np.int64), np.full(4, len(stream))
    shared = replace(packets, payload=same[0], payload_cap=same[1], payload_len=same[1])
    kind, _, found = told_apart(shared, sides_of(packets), np.arange(4))
    assert kind.tolist() == [PLAIN_HELLO, OTHER_HELLO, OTHER_HELLO, OTHER_HELLO]
    assert found.hosts == LONGEST


@pytest.mark.parametrize("row", [-1, 2, 1 << 40])
def test_rows_that_no_packet_has_are_refused(row: int) -> None:
    packets = beginning_with([REAL, REAL])
    with pytest.raises(ValueError, match="indexes"):
        told_apart(packets, sides_of(packets), np.array([0, row]))


def test_only_the_rows_that_are_asked_for_are_told() -> None:
    packets = beginning_with([REAL, b"?", b"x" * 20, REAL])
    kind, _, found = told_apart(packets, np.array([9, 8, 7, 6]), np.array([1, 3]))
    assert kind.tolist() == [OPEN, PLAIN_HELLO]
    assert (found.flow.tolist(), found.frame.tolist()) == ([3], [4])


def test_where_no_stream_begins_nothing_is_told() -> None:
    packets = beginning_with([REAL])
    kind, _, found = told_apart(packets, sides_of(packets), np.arange(0))
    assert (len(kind), len(found.flow), found.hosts) == (0, 0, b"")
