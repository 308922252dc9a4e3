"""A side whose head is done is read on: where it is followed to, or where a sign stands."""

import numpy as np

from egress_audit.columns import PacketBatch
from egress_audit.decode.ledger import Ledger
from egress_audit.flows.head import Head
from egress_audit.flows.origins import Origins
from egress_audit.flows.segments import Segment, segments_of
from egress_audit.flows.sequels import Sequels
from tests.builders.captures import TCP, Frame, client_hello, ethernet, ipv4, pcap, tcp
from tests.builders.engine import opened, packets_of

HELLO = client_hello("example.com")
SIDE = 7


def packets(*segments: tuple[int, bytes]) -> PacketBatch:
    """Segments with these sequence numbers and payloads."""
    frames = [
        Frame(0, ethernet(ipv4("10.0.0.2", "192.0.2.1", tcp(40000, 80, "PA", seq, 1, data), TCP)))
        for seq, data in segments
    ]
    return packets_of(next(iter(opened(pcap(frames)))), Ledger())


class Stream:
    """Segments of a side whose head, of its first segment, is done."""

    def __init__(self, *segments: tuple[int, bytes]) -> None:
        self.packets, origins = packets(*segments), Origins()
        origins.begin(SIDE, segments[0][0])
        self.side = np.full(len(segments), SIDE)
        self.rows = np.arange(len(segments))
        self.sequels = Sequels(origins)

    def signs(self, *wanted: int) -> list[int]:
        """Rows with a sign, but for those that are wanted anyway."""
        at = np.array(wanted, np.int64)
        return sorted(self.sequels.by_sign(self.packets, self.side, self.rows, at).tolist())

    def segment(self, row: int) -> Segment:
        return [*segments_of(self.packets, self.side, self.rows, lambda _: True)][row]

    def head(self, row: int) -> Head | None:
        return self.sequels.head(self.packets, self.segment(row))


def test_a_segment_with_a_sign_opens_a_head_once_its_side_is_done() -> None:
    stream = Stream((100, b"data"), (104, HELLO), (104 + len(HELLO), b"more"))
    assert stream.signs() == [1]
    assert [stream.sequels.passes_over(stream.segment(1), done) for done in (True, False)] == [
        False,
        True,
    ]
    head = stream.head(1)
    assert head is not None
    assert (head.side, head.assembly.origin, head.reader) == (SIDE, 104, None)
    assert stream.head(2) is None


def test_the_first_segment_sent_again_opens_none() -> None:
    stream = Stream((100, HELLO), (100, HELLO))
    assert stream.signs() == []
    assert stream.head(1) is None


def test_a_row_that_is_wanted_anyway_is_not_passed_over() -> None:
    stream = Stream((100, b"data"), (104, HELLO))
    assert stream.signs(1) == []
    assert not stream.sequels.passes_over(stream.segment(1), done=False)


def test_a_side_that_is_followed_is_read_at_its_place_only() -> None:
    stream = Stream((100, b"data"), (104, HELLO), (1_000, b"next"))
    assert stream.signs() == [1]
    assert stream.sequels.follow(SIDE, 1_000, len)
    assert stream.head(1) is None
    head = stream.head(2)
    assert head is not None
    assert (head.assembly.origin, head.reader) == (1_000, len)
    assert stream.sequels.may_have(SIDE)


def test_what_stands_in_front_of_a_sign_is_over_when_rows_are_gone_through_again() -> None:
    stream = Stream((100, b"data"), (104, HELLO), (104 + len(HELLO), b"more"))
    stream.signs()
    stream.head(1)
    again = stream.sequels.rows_of_moved(stream.side, stream.rows)
    over = [stream.sequels.passes_over(stream.segment(row), True) for row in again.tolist()]
    assert over == [True, True, False]


def test_with_the_next_batch_nothing_has_moved() -> None:
    stream = Stream((100, b"data"), (104, HELLO))
    stream.signs()
    stream.head(1)
    assert stream.sequels.candidates(stream.packets, stream.side, stream.rows).tolist() == []
    assert not stream.sequels.moved
    stream.sequels.release()
