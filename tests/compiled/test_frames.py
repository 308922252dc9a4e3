"""Frames that C decodes are read as numpy reads them; all else is left to it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.columns import PADDING, FrameBatch
from egress_audit.compiled.frames import DECODED, decoded, repeated
from egress_audit.decode import duplicates
from egress_audit.decode.ledger import Ledger
from egress_audit.decode.outermost import outermost
from tests.builders.both_engines import in_numpy, needs_library
from tests.builders.captures import TCP, UDP, ethernet, ip, tcp, udp

pytestmark = needs_library

NEAR, FAR, NEAR6, FAR6 = "10.0.0.1", "192.0.2.1", "2001:db8::1", "2001:db8::2"


def batch_of(frames: list[bytes], wirelens: list[int] | None = None) -> FrameBatch:
    """Ethernet frames as a batch."""
    sizes = np.array([len(frame) for frame in frames], np.int64)
    wire = sizes if wirelens is None else np.array(wirelens, np.int64)
    count = len(frames)
    return FrameBatch(
        buffer=np.frombuffer(b"".join(frames) + bytes(PADDING), np.uint8),
        offset=np.cumsum(sizes) - sizes,
        caplen=sizes,
        wirelen=np.maximum(wire, sizes),
        ts_ns=np.arange(count),
        interface=np.zeros(count, np.int32),
        linktype=np.ones(count, np.int32),
        first_frame=1,
    )


def tagged(packet: bytes, *tags: int) -> bytes:
    """An Ethernet frame with tags of these kinds."""
    frame = ethernet(packet)
    return frame[:12] + b"".join(kind.to_bytes(2, "big") + b"\0\1" for kind in tags) + frame[12:]


def segment(payload: bytes = b"xy") -> bytes:
    return tcp(40000, 443, "PA", 7, 9, payload)


def datagram(payload: bytes = b"xy") -> bytes:
    return udp(40000, 53, payload)


COMMON = {
    "TCP over IPv4": ethernet(ip(NEAR, FAR, segment(), TCP)),
    "UDP over IPv4": ethernet(ip(NEAR, FAR, datagram(), UDP)),
    "TCP over IPv6": ethernet(ip(NEAR6, FAR6, segment(), TCP)),
    "UDP over IPv6": ethernet(ip(NEAR6, FAR6, datagram(), UDP)),
    "a tag": tagged(ip(NEAR, FAR, segment(), TCP), 0x8100),
    "two tags": tagged(ip(NEAR6, FAR6, segment(), TCP), 0x88A8, 0x8100),
    "an old tag": tagged(ip(NEAR, FAR, segment(), TCP), 0x9100),
    "padding of the link": ethernet(ip(NEAR, FAR, datagram(b""), UDP)) + bytes(18),
}


def whole(packet: bytes, **fields: bytes) -> bytes:
    """An Ethernet frame of a packet in which some bytes are replaced: at_N=bytes."""
    changed = bytearray(packet)
    for name, value in fields.items():
        at = int(name.removeprefix("at_"))
        changed[at : at + len(value)] = value
    return ethernet(bytes(changed))


OTHER = {
    "nothing": b"",
    "half an Ethernet header": ethernet(b"")[:13],
    "another EtherType": ethernet(bytes(40))[:12] + b"\x12\x34" + bytes(40),
    "three tags": tagged(ip(NEAR, FAR, segment(), TCP), 0x8100, 0x8100, 0x8100),
    "a tag and no more": tagged(b"", 0x8100)[:16],
    "options of IPv4": whole(ip(NEAR, FAR, segment(), TCP), at_0=b"\x46"),
    "a header that is too short": whole(ip(NEAR, FAR, segment(), TCP), at_0=b"\x44"),
    "another version": whole(ip(NEAR, FAR, segment(), TCP), at_0=b"\x65"),
    "no length": whole(ip(NEAR, FAR, segment(), TCP), at_2=b"\0\0"),
    "a length below the header's": whole(ip(NEAR, FAR, segment(), TCP), at_2=b"\0\x13"),
    "a fragment": whole(ip(NEAR, FAR, segment(), TCP), at_6=b"\x20\0"),
    "a later fragment": whole(ip(NEAR, FAR, segment(), TCP), at_6=b"\0\x01"),
    "another protocol": whole(ip(NEAR, FAR, segment(), TCP), at_9=b"\x01"),
    "a short TCP header": whole(ip(NEAR, FAR, segment(), TCP), at_32=b"\x40"),
    "a cut TCP header": ethernet(ip(NEAR, FAR, segment(b""), TCP))[:-1],
    "a TCP header beyond the packet": whole(ip(NEAR, FAR, segment(), TCP), at_2=b"\0\x27"),
    "a cut UDP header": ethernet(ip(NEAR, FAR, datagram(b""), UDP))[:-1],
    "a cut IPv4 header": ethernet(ip(NEAR, FAR, segment(), TCP))[: 14 + 19],
    "a cut IPv6 header": ethernet(ip(NEAR6, FAR6, segment(), TCP))[: 14 + 39],
    "an extension header": whole(ip(NEAR6, FAR6, segment(), TCP), at_6=b"\0"),
    "IPv6 without a length": whole(ip(NEAR6, FAR6, segment(), TCP), at_4=b"\0\0"),
}


@pytest.mark.parametrize("frame", COMMON.values(), ids=COMMON.keys())
def test_the_common_form_is_decoded(frame: bytes) -> None:
    assert not len(decoded(batch_of([frame]))[1])


@pytest.mark.parametrize("frame", OTHER.values(), ids=OTHER.keys())
def test_everything_else_is_left(frame: bytes) -> None:
    assert decoded(batch_of([frame]))[1].tolist() == [0]


@pytest.mark.parametrize(
    ("ends", "stays"),
    [
        *((("127.0.0.1", "192.0.2.1"), True), (("192.0.2.1", "127.9.9.9"), True)),
        *((("192.0.2.1", "192.0.2.1"), True), (("2001:db8::5", "::1"), True)),
        *((("2001:db8::5", "::ffff:127.0.0.1"), True), (("2001:db8::5", "2001:db8::5"), True)),
        *((("128.0.0.1", "192.0.2.1"), False), (("2001:db8::1", "2001:db8::7f00:1"), False)),
    ],
)
def test_packets_that_may_be_for_their_own_machine_are_noticed(
    ends: tuple[str, str], stays: bool
) -> None:
    assert decoded(batch_of([whole(ip(*ends, segment(), TCP))])).stays == stays


def test_frames_that_are_cut_or_hold_less_than_they_say_are_counted() -> None:
    batch = batch_of([COMMON["a tag"]] * 3)
    longer = batch.wirelen + np.array([0, 1, 0])
    shorter = batch.caplen - np.array([0, 0, 1])
    assert decoded(batch).cut == 0
    assert decoded(replace(batch, wirelen=longer)).cut == 1
    assert decoded(replace(batch, wirelen=shorter, caplen=shorter)).cut == 1


def test_frames_of_another_link_type_are_left() -> None:
    batch = batch_of([COMMON["a tag"]] * 3)
    linktype = np.array([1, 101, 1], np.int32)
    assert decoded(replace(batch, linktype=linktype))[1].tolist() == [1]


@pytest.mark.parametrize(("offset", "caplen"), [(-1, 60), (0, -1), (1 << 40, 60), (0, 1 << 40)])
def test_frames_that_leave_the_buffer_are_left(offset: int, caplen: int) -> None:
    batch = batch_of([COMMON["a tag"]])
    where = np.array([offset], np.int64), np.array([caplen], np.int64)
    beyond = replace(batch, offset=where[0], caplen=where[1])
    assert decoded(beyond)[1].tolist() == [0]
    assert repeated(beyond).tolist() == [False]


def assert_read_as_in_numpy(batch: FrameBatch) -> None:
    """What C took is what numpy makes of it, field by field.

    C has a buffer that ends where the last frame does: a sanitizer notices if it reads behind it.
    """
    columns, left, *_ = decoded(replace(batch, buffer=batch.buffer[:-PADDING].copy()))
    packets = in_numpy(lambda: outermost(batch, Ledger())).packets
    taken = np.setdiff1d(np.arange(len(batch)), left)
    at = np.searchsorted(packets.frame, taken + 1)
    assert packets.frame[at].tolist() == (taken + 1).tolist()
    for name in DECODED:
        assert columns[name][taken].tolist() == getattr(packets, name)[at].tolist(), name
    for name in ("fragment", "one_way", "depth"):
        assert not getattr(packets, name)[at].any()


def test_each_of_these_is_read_as_in_numpy() -> None:
    assert_read_as_in_numpy(batch_of([*COMMON.values(), *OTHER.values()]))


@pytest.mark.parametrize("frame", COMMON.values(), ids=COMMON.keys())
def test_it_is_read_as_in_numpy_wherever_it_is_cut(frame: bytes) -> None:
    cuts = [frame[:size] for size in range(len(frame) + 1)]
    assert_read_as_in_numpy(batch_of(cuts, [len(frame)] * len(cuts)))
    for cut in cuts:
        assert_read_as_in_numpy(batch_of([cut], [len(frame)]))


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([*COMMON.values()]),
            st.lists(st.tuples(st.integers(0, 70), st.integers(0, 255)), max_size=3),
            st.integers(0, 80),
        ),
        max_size=12,
    )
)
def test_damaged_frames_are_read_as_in_numpy(
    frames: list[tuple[bytes, list[tuple[int, int]], int]],
) -> None:
    damaged = []
    for frame, changes, size in frames:
        changed = bytearray(frame)
        for at, value in changes:
            changed[at % len(changed)] = value
        damaged.append(bytes(changed[: max(size, 20)]))
    assert_read_as_in_numpy(batch_of(damaged))


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from((b"", b"a" * 20, b"b" * 24, b"a" * 63, b"a" * 64, b"a" * 100)),
            st.sampled_from((b"", b"x")),
            st.integers(0, 2),
        ),
        max_size=20,
    )
)
def test_repeated_frames_are_those_of_numpy(frames: list[tuple[bytes, bytes, int]]) -> None:
    bodies = [start + end for start, end, _ in frames]
    batch = batch_of(bodies, [len(start + end) + more for start, end, more in frames])
    found = repeated(replace(batch, buffer=batch.buffer[:-PADDING].copy()))
    assert found.tolist() == duplicates._inside(batch).tolist()
