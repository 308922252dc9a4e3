"""Whole ClientHellos wait, and the same is heard of them whichever engine reads them."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.names.hearing import Hellos
from egress_audit.names.whole_hellos import Beginning, WholeHellos
from tests.builders.beginnings import beginning_with, sides_of
from tests.builders.both_engines import compiled, in_numpy, needs_library
from tests.builders.captures import client_hello
from tests.names.test_first_bytes import SERVER_HELLO
from tests.names.test_plain_hello import ECH
from tests.names.test_tls import handshake, records, sni

HELLO = client_hello("a.example")
OUTER = records(handshake(sni(b"B.example."), ECH))
NAMELESS = client_hello("")
ODD = records(handshake(sni(b"a", b"b")))
REQUEST = b"GET / HTTP/1.1\r\n\r\n"
STREAMS = (HELLO, OUTER, NAMELESS, ODD, REQUEST, SERVER_HELLO, HELLO[:-1], b"?")


def take(hellos: WholeHellos, payloads: Sequence[bytes]) -> tuple[list[bool], list[int]]:
    """Which of some streams are done with their first payloads, and what others need."""
    packets = beginning_with(payloads)
    done, needs = hellos.take(packets, sides_of(packets), np.arange(len(payloads)))
    return done.tolist(), needs.tolist()


def said(plain: Sequence[Hellos]) -> list[tuple[int, int, int, bool, str]]:
    """Flow, frame, time, whether it is outer, and host of each hello."""
    found: list[tuple[int, int, int, bool, str]] = []
    for flow, frame, ts_ns, outer, named, hosts in plain:
        texts = iter(hosts)
        names = [next(texts) if is_named else "" for is_named in named]
        columns = (column.tolist() for column in (flow, frame, ts_ns, outer))
        found += zip(*columns, names, strict=True)
        assert not [*texts]
    return found


def test_hellos_are_done_and_what_says_nothing_is_too() -> None:
    done = [True, True, True, True, False, True, False, False]
    needs = [0, 0, 0, 0, 0, 0, len(HELLO), 0]
    assert in_numpy(lambda: take(WholeHellos(), STREAMS)) == (done, needs)


def test_plain_hellos_are_handed_over_in_columns_and_others_as_they_are() -> None:
    hellos = WholeHellos()
    take(hellos, STREAMS)
    plain, others = hellos.taken()
    assert said(plain) == [
        (0, 1, 0, False, "a.example"),
        (1, 2, 1, True, "b.example"),
        (3, 3, 2, False, ""),
    ]
    assert others == [Beginning(4, True, 4, 3, ODD)]


def test_what_waits_is_counted_until_it_is_taken() -> None:
    hellos = WholeHellos()
    take(hellos, STREAMS)
    take(hellos, [HELLO])
    whole = [HELLO, OUTER, NAMELESS, ODD, HELLO]
    assert (hellos.count, hellos.octets) == (5, sum(map(len, whole)))
    hellos.taken()
    plain, others = hellos.taken()
    assert (hellos.count, hellos.octets, said(plain), others) == (0, 0, [], [])


def everything(batches: list[list[bytes]]) -> object:
    """All that comes of some batches, as values that compare."""
    hellos = WholeHellos()
    done = [take(hellos, payloads) for payloads in batches]
    waited = hellos.count, hellos.octets
    plain, others = hellos.taken()
    return done, waited, said(plain), others


@needs_library
@given(st.lists(st.lists(st.sampled_from(STREAMS), max_size=9), max_size=4))
def test_both_engines_hand_over_the_same(batches: list[list[bytes]]) -> None:
    expected = in_numpy(lambda: everything(batches))
    assert compiled(lambda: everything(batches)) == expected


@pytest.mark.parametrize("stream", [HELLO, ODD])
def test_what_waits_is_kept_although_the_buffer_is_used_again(stream: bytes) -> None:
    hellos, packets = WholeHellos(), beginning_with([stream])
    hellos.take(packets, sides_of(packets), np.arange(1))
    packets.buffer[:] = 0
    take(other := WholeHellos(), [stream])
    assert repr(hellos.taken()) == repr(other.taken())
