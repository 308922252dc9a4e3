"""Where one flow of a 5-tuple ends and the next begins."""

import numpy as np
import pytest

from egress_audit.columns import END_REASONS
from egress_audit.flows.runs import closing_bits, closing_column, is_closed
from tests.builders.captures import Frame, pcap, scripted, udp_exchange
from tests.builders.engine import run

MINUTE = 60_000_000_000


def pieces(frames: list[Frame], block: int) -> list[tuple[int, str]]:
    """Packets and end reason of each flow."""
    flows = run(pcap(frames, nanoseconds=True), block, keep=False).flows
    counts = (flows.orig_pkts + flows.resp_pkts).tolist()
    return [
        (count, END_REASONS[reason]) for count, reason in zip(counts, flows.end_reason, strict=True)
    ]


@pytest.mark.parametrize("block", [80, 1 << 16])
class TestInOneBatchAndInMany:
    """Each fact holds whether the packets come together or one at a time."""

    @pytest.mark.parametrize(
        ("ending", "closed"),
        [
            (">FA <FA >A", True),
            (">R", True),
            ("<R", True),
            (">FA", False),
            (">FA >FA", False),
            ("", False),
        ],
    )
    def test_a_syn_begins_a_new_flow_only_after_both_fins_or_a_reset(
        self, block: int, ending: str, closed: bool
    ) -> None:
        before = f">S <SA >A {ending}"
        found = pieces(scripted(f"{before} >S <SA"), block)
        count = len(before.split())
        assert found == (
            [(count, "end-of-flow"), (2, "forced-end")] if closed else [(count + 2, "forced-end")]
        )

    @pytest.mark.parametrize("word", [">SA", ">A", ">PAd", ">SF"])
    def test_nothing_but_a_pure_syn_begins_a_new_flow(self, block: int, word: str) -> None:
        assert pieces(scripted(f">S <R {word}"), block) == [(3, "forced-end")]

    def test_a_5_tuple_may_be_used_many_times(self, block: int) -> None:
        found = pieces(scripted(">S <R " * 5), block)
        assert found == [(2, "end-of-flow")] * 4 + [(2, "forced-end")]

    @pytest.mark.parametrize(("step", "count"), [(5 * MINUTE, 1), (5 * MINUTE + 1, 2)])
    def test_tcp_falls_idle_after_five_minutes(self, block: int, step: int, count: int) -> None:
        assert len(pieces(scripted(">PAd <A", step_ns=step), block)) == count

    @pytest.mark.parametrize(("step", "count"), [(MINUTE, 1), (MINUTE + 1, 2)])
    def test_udp_falls_idle_after_one(self, block: int, step: int, count: int) -> None:
        frames = udp_exchange(("10.0.0.2", 40000), ("192.0.2.1", 53), b"?", b"!", step_ns=step)
        assert len(pieces(frames, block)) == count

    def test_silence_is_why_such_a_flow_ended(self, block: int) -> None:
        found = pieces(scripted(">PAd <A", step_ns=6 * MINUTE), block)
        assert found == [(1, "idle-timeout"), (1, "forced-end")]

    def test_a_clock_that_runs_back_ends_nothing(self, block: int) -> None:
        assert len(pieces(scripted(">PAd <A >A", step_ns=-10 * MINUTE), block)) == 1

    @pytest.mark.parametrize("ending", [">FA <FA >A", "<R", "<R >A"])
    def test_a_syn_from_before_the_end_that_is_recorded_behind_it_is_a_copy(
        self, block: int, ending: str
    ) -> None:
        frames = scripted(f">S <SA >A {ending}")
        assert pieces([*frames, *frames], block) == [(2 * len(frames), "forced-end")]

    def test_a_copy_from_just_before_the_first_is_one_too(self, block: int) -> None:
        frames = scripted(">S <R")
        earlier = Frame(frames[0].ts_ns - 1_000_000, frames[0].data)
        assert pieces([*frames, earlier], block) == [(3, "forced-end")]

    def test_a_syn_from_long_before_is_none(self, block: int) -> None:
        frames = scripted(">S <R")
        long_before = Frame(frames[0].ts_ns - 2_000_000_000, frames[0].data)
        assert pieces([*frames, long_before], block) == [(2, "end-of-flow"), (1, "forced-end")]

    def test_a_syn_with_another_number_is_no_copy(self, block: int) -> None:
        frames = scripted(">S <R")
        other = bytearray(frames[0].data)
        other[14 + 20 + 7] ^= 1
        found = pieces([*frames, Frame(frames[0].ts_ns, bytes(other))], block)
        assert found == [(2, "end-of-flow"), (1, "forced-end")]

    def test_behind_a_packet_from_the_future_a_syn_is_none(self, block: int) -> None:
        frames = scripted(">S <R >S <R", step_ns=1_000_000)
        frames[1] = Frame(frames[1].ts_ns + 2_000_000_000, frames[1].data)
        assert pieces(frames, block) == [(2, "end-of-flow"), (2, "forced-end")]

    def test_behind_a_copy_the_connection_is_as_closed_as_before(self, block: int) -> None:
        frames = scripted(">S <R")
        again = Frame(frames[1].ts_ns + 1, frames[0].data)
        found = pieces([*frames, frames[0], again], block)
        assert found == [(3, "end-of-flow"), (1, "forced-end")]


@pytest.mark.parametrize("block", [80, 170, 1 << 16], ids=["each alone", "two by two", "together"])
def test_a_reset_from_before_the_silence_closes_nothing_after_it(block: int) -> None:
    frames = scripted(">S <R >PAd >S")
    late = [Frame(frame.ts_ns + 6 * MINUTE, frame.data) for frame in frames[2:]]
    assert pieces([*frames[:2], *late], block) == [(2, "idle-timeout"), (2, "forced-end")]


@pytest.mark.parametrize(
    ("bits", "closed"), [(0, False), (1, True), (2, False), (4, False), (6, True)]
)
def test_both_fins_or_a_reset_close(bits: int, closed: bool) -> None:
    assert is_closed(bits) is closed


def test_the_column_of_closing_bits_is_the_rule_for_every_packet() -> None:
    flags = np.arange(256, dtype=np.uint8)
    for swapped in (False, True):
        column = closing_column(flags, np.full(256, swapped))
        assert column.tolist() == [closing_bits(value, swapped) for value in range(256)]


def test_what_is_not_tcp_closes_nothing() -> None:
    like_resets_and_syns = [bytes([flags] * 20) for flags in (4, 2)]
    frames = udp_exchange(("10.0.0.2", 40000), ("192.0.2.1", 53), *like_resets_and_syns)
    assert pieces(frames * 2, 1 << 16) == [(4, "forced-end")]
