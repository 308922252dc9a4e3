"""Blind spots that the file itself records: loss, damage, the unread. Nothing lifts them."""

from collections.abc import Callable, Mapping

from egress_audit.judge.blind_spots import Spot, always, never
from egress_audit.judge.case import Case
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import Coverage

AGAIN = "record again without this loss"
NONE = Absent.NOT_APPLICABLE


def number_of(read: Callable[[Coverage], int]) -> Callable[[Case], int | None]:
    """Present if the number is not zero."""

    def present(case: Case) -> int | None:
        return read(case.coverage) or None

    return present


def sum_of(read: Callable[[Coverage], Mapping[str, int]]) -> Callable[[Case], int | None]:
    """Present if the counters add up to something."""
    return number_of(lambda coverage: sum(read(coverage).values()))


def _drops(coverage: Coverage) -> int:
    """The losses that are stated, even where another interface states none; by the interfaces, or
    by the recorder."""
    stated = [i.drops for i in coverage.interfaces if not isinstance(i.drops, Absent)]
    noted = 0 if isinstance(coverage.drops, Absent) else coverage.drops
    return max(sum(stated), noted)


def _filtered(coverage: Coverage) -> int:
    return sum(not isinstance(i.capture_filter, Absent) for i in coverage.interfaces)


def _headers_cut(coverage: Coverage) -> int:
    own = ("fragment", "source-routed")
    return sum(count for reason, count in coverage.partial.items() if reason not in own)


def _may_hold_frames(block: str) -> bool:
    """Whether a kind of block, by its name in the facts of the capture, could be one of frames, or
    of calls that lead out, as sysdig records them."""
    return block.startswith(("unknown block type", "custom block", "sysdig"))


def _blocks(*, unknown: bool) -> Callable[[Coverage], Mapping[str, int]]:
    """Blocks that were stepped over: those of unknown content, or the others."""

    def blocks(coverage: Coverage) -> Mapping[str, int]:
        skipped = coverage.skipped_blocks.items()
        return {kind: count for kind, count in skipped if _may_hold_frames(kind) is unknown}

    return blocks


SPOTS_OF_FILE: tuple[Spot, ...] = (
    Spot(
        "damage",
        "Damage",
        "the file is damaged or cut, and what lay behind that was not read; places: {count}",
        "a whole file",
        NONE,
        "every claim",
        "get the whole file",
        number_of(lambda coverage: len(coverage.damage)),
        always,
    ),
    Spot(
        "ended-by-user",
        "Ended by the user",
        "the reading of a live capture was ended by its user, and what came after was not seen",
        "a capture that ends by itself",
        NONE,
        "every claim",
        "end the program that records, not the audit",
        lambda case: 0 if case.coverage.ended_by_user else None,
        always,
    ),
    Spot(
        "drops-recorded",
        "Recorded loss",
        "frames that were lost between the network and the file: {count}",
        "a drop count of zero",
        NONE,
        "every claim",
        AGAIN,
        number_of(_drops),
        always,
    ),
    Spot(
        "filter-recorded",
        "A capture filter",
        "a capture filter was in force, and what it left out was not seen; interfaces: {count}",
        "no filter",
        NONE,
        "every claim",
        "record without a filter",
        number_of(_filtered),
        always,
    ),
    Spot(
        "snaplen-cut",
        "Cut frames",
        "frames that are shorter in the file than they were on the wire: {count}",
        "whole frames",
        NONE,
        "every claim",
        "record with a snaplen of 262144",
        number_of(lambda coverage: coverage.truncated),
        always,
    ),
    Spot(
        "frames-undecoded",
        "Frames that were not understood",
        "frames that could not be decoded, so that where they went is not known: {count}",
        "every frame decoded, or of a kind that cannot carry a destination",
        NONE,
        "every claim",
        "see the reasons beside Frames, and look into these frames with Wireshark",
        sum_of(lambda coverage: coverage.undecoded),
        always,
    ),
    Spot(
        "headers-partial",
        "Packets with unreadable headers",
        "packets with addresses, and a transport header that could not be read whole: {count}",
        "whole headers",
        NONE,
        "every claim",
        AGAIN,
        number_of(_headers_cut),
        always,
    ),
    Spot(
        "time-reversals",
        "Times that jump backwards",
        "frames more than a second earlier than the one before them (the clock was set, or the "
        "file was put together): {count}",
        "times that do not fall",
        NONE,
        "every claim",
        "give the captures that this one was made of",
        number_of(lambda coverage: coverage.time_reversals),
        always,
    ),
    Spot(
        "frames-duplicated",
        "Frames recorded twice",
        "frames that repeat one of the four before them (counted like the others): {count}",
        "frames recorded once",
        NONE,
        "no claim",
        "record on one interface",
        number_of(lambda coverage: coverage.duplicates),
        never,
    ),
    Spot(
        "frames-without-time",
        "Frames without a time",
        "frames that carry no time (simple packet blocks) and have that of the one before: {count}",
        "frames with times",
        NONE,
        "no claim",
        "record with enhanced packet blocks",
        number_of(lambda coverage: coverage.frames_without_time),
        never,
    ),
    Spot(
        "blocks-skipped",
        "Blocks that hold no frame",
        "blocks of the file that were not interpreted (none of them holds a frame): {count}",
        "none",
        NONE,
        "no claim",
        "none needed",
        sum_of(_blocks(unknown=False)),
        never,
    ),
    Spot(
        "blocks-unknown",
        "Blocks of an unknown kind",
        "blocks of the file whose kind is not known, so that they may hold frames: {count}",
        "blocks of known kinds only",
        NONE,
        "every claim",
        "write the file anew without them: `editcap FILE OUT`",
        sum_of(_blocks(unknown=True)),
        always,
    ),
)
