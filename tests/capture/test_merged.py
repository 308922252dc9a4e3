"""Several captures read as one come in the order in which mergecap writes them."""

import io
import random
from collections.abc import Sequence

import pytest

from egress_audit.capture.merged import MAX_OPEN, MergedSource, Opener
from egress_audit.capture.source import source_of
from egress_audit.capture.window import Window
from egress_audit.columns import OpenedSource
from egress_audit.errors import InputUnreadable
from egress_audit.model.destination import Absent
from tests.builders.captures import START_NS, Frame, Interface, Section, pcap, pcapng

Told = list[tuple[int, bytes, int, int]]
"""Time, bytes, file and number in the file of each frame."""


def opener(name: str, raw: bytes, block: int = 400) -> Opener:
    def opened() -> OpenedSource:
        source = source_of(name, Window(io.BytesIO(raw), block=block))
        assert source is not None
        return source

    return opened


def merged(files: Sequence[list[Frame]], block: int = 400) -> MergedSource:
    return MergedSource([opener(f"{n}.pcap", pcap(f), block) for n, f in enumerate(files)])


def told(source: MergedSource) -> Told:
    frames: Told = []
    for batch in source:
        assert batch.first_frame == len(frames) + 1
        for row in range(len(batch)):
            start, size = int(batch.offset[row]), int(batch.caplen[row])
            frames.append(
                (
                    int(batch.ts_ns[row]),
                    batch.buffer[start : start + size].tobytes(),
                    int(source.origin.file[row]),
                    int(source.origin.frame[row]),
                )
            )
    return frames


def one_at_a_time(files: Sequence[list[Frame]]) -> Told:
    """What mergecap does: of the frames that come next, the earliest; the last file if equal."""
    at, frames = [0] * len(files), list[tuple[int, bytes, int, int]]()
    while any(at[n] < len(files[n]) for n in range(len(files))):
        candidates = [n for n in range(len(files)) if at[n] < len(files[n])]
        number = min(candidates, key=lambda n: (files[n][at[n]].ts_ns, -n))
        frame = files[number][at[number]]
        at[number] += 1
        frames.append((frame.ts_ns, frame.data, number, at[number]))
    return frames


def times(*seconds: int) -> list[Frame]:
    return [Frame(START_NS + s * 10**9, bytes([s % 256, n]) * 20) for n, s in enumerate(seconds)]


def test_rotated_files_follow_one_another_in_whatever_order_they_are_named() -> None:
    files = [times(20, 21), times(0, 1), times(10, 12)]
    assert [(file, frame) for _, _, file, frame in told(merged(files))] == [
        *[(1, 1), (1, 2), (2, 1), (2, 2), (0, 1), (0, 2)]
    ]


def test_files_that_overlap_are_interleaved() -> None:
    files = [times(0, 2, 4), times(1, 3, 5)]
    assert [time for time, *_ in told(merged(files))] == [START_NS + s * 10**9 for s in range(6)]


def test_at_the_same_time_the_file_named_last_comes_first() -> None:
    files = [times(7, 7, 7), times(7, 7), times(7, 7, 7, 7)]
    order = [file for _, _, file, _ in told(merged(files, block=90))]
    assert order == [2, 2, 2, 2, 1, 1, 0, 0, 0]
    assert told(merged(files, block=90)) == one_at_a_time(files)


def test_a_frame_out_of_order_stays_behind_its_predecessor() -> None:
    files = [times(10, 5, 20), times(7, 12)]
    assert told(merged(files)) == one_at_a_time(files)


@pytest.mark.parametrize("seed", range(40))
def test_the_order_is_that_of_a_merge_one_frame_at_a_time(seed: int) -> None:
    rng = random.Random(seed)
    files = []
    for _ in range(rng.randint(1, 5)):
        now, seconds = rng.randint(0, 40), []
        for _ in range(rng.randint(0, 40)):
            now += rng.choice((0, 0, 1, 1, 2, 9, -3))
            seconds.append(max(now, 0))
        files.append(times(*seconds))
    assert told(merged(files, block=rng.choice((80, 200, 1000)))) == one_at_a_time(files)


def test_the_facts_of_all_files_are_kept() -> None:
    damaged = pcap(times(0, 1))[:-5]
    named = pcapng([Section([Frame(START_NS, b"x" * 20)], (Interface(name="eth7"),))])
    source = MergedSource([opener("a.pcap", damaged), opener("b.pcapng", named)])
    told(source)
    facts = source.facts()
    assert [part.name for part in facts.parts] == ["a.pcap", "b.pcapng"]
    assert (facts.frames, [one.name for one in facts.interfaces]) == (
        2,
        ["a.pcap", "b.pcapng: eth7"],
    )
    assert [damage.what.split(":")[0] for damage in facts.damage] == ["a.pcap"]
    assert [one.index for one in facts.interfaces] == [0, 1]


def test_interfaces_of_different_files_are_not_taken_for_one() -> None:
    source = merged([times(0, 2), times(1, 3)])
    numbers = {int(number) for batch in source for number in batch.interface}
    assert len(numbers) == 2


def test_a_file_without_a_frame_is_still_among_the_facts() -> None:
    source = merged([times(), times(1)])
    assert len(told(source)) == 1
    assert [part.frames for part in source.facts().parts] == [0, 1]
    assert source.facts().sha256 is Absent.NOT_APPLICABLE
    assert len({part.sha256 for part in source.facts().parts}) == 2
    assert source.facts().interfaces[0].drops is Absent.NOT_FOUND


def test_too_many_files_at_the_same_time_are_refused_with_a_remedy() -> None:
    with pytest.raises(InputUnreadable, match="overlap in time") as refused:
        told(merged([times(0, 9)] * (MAX_OPEN + 1)))
    assert "mergecap" in str(refused.value.hint)


def test_any_number_of_files_one_after_the_other_is_read() -> None:
    files = [times(second) for second in range(MAX_OPEN + 10)]
    assert len(told(merged(files))) == MAX_OPEN + 10
