"""Numbers, times and lists as words of a report; without colour, width or escaping."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from egress_audit.model.audit import Frames, OwnAddresses
from egress_audit.model.destination import Absent
from egress_audit.periods import SECOND_NS, UNITS, whole_units
from egress_audit.report.safe_text import NO_BREAK

_ONE = {"d": "day", "h": "hour", "min": "minute", "s": "second"}
LONG_DAYS = 31
"""Past them nobody asks for the hours."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

PROTOCOLS = {
    **{1: "icmp", 2: "igmp", 4: "ip-in-ip", 6: "tcp", 17: "udp", 33: "dccp", 41: "ipv6-in-ip"},
    **{47: "gre", 50: "esp", 58: "icmpv6", 89: "ospf", 103: "pim", 112: "vrrp", 132: "sctp"},
    136: "udp-lite",
}
"""IANA protocol numbers that have a word here, the same as in findings; the others are shown as
numbers."""

SHOWN_FRAMES = 6
"""Frame numbers in a sentence; the display filter beside it has all that are kept."""

NOT_STATED = "not stated"


def number(value: int) -> str:
    """`12 408`, as the style of the house groups digits."""
    return f"{value:,}".replace(",", NO_BREAK)


def counted(value: int, noun: str, plural: str = "") -> str:
    """`1 frame`, `12 408 frames`."""
    return f"{number(value)}{NO_BREAK}{noun if value == 1 else plural or f'{noun}s'}"


def short_number(value: int) -> str:
    """A number in at most five columns: `9 999`, then `41.2k`, `3.18M`; rounded down."""
    if value < 10_000:
        return number(value)
    for unit in "kMGTPE":
        whole, rest = divmod(value, 1000)
        if whole < 1000:
            decimals = 3 - len(str(whole))
            fraction = f".{rest * 10**decimals // 1000:0{decimals}d}" if decimals else ""
            return f"{whole}{fraction}{unit}"
        value = whole
    return f"{number(value)}E"


def time_text(ts_ns: int | Absent) -> str:
    """`2026-11-21T10:12:03.512Z`, rounded down; nanoseconds where no calendar reaches."""
    if isinstance(ts_ns, Absent):
        return "unknown"
    try:
        moment = _EPOCH + timedelta(milliseconds=ts_ns // 1_000_000)
    except OverflowError:
        return f"{ts_ns} ns after 1970-01-01Z"
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def period(length_ns: int) -> str:
    """`4 h`, `90 s`: what `whole_units` says, never broken into two lines."""
    return whole_units(length_ns).replace(" ", NO_BREAK)


def every(length_ns: int) -> str:
    """`every 4 h`, `every day`."""
    whole = period(length_ns)
    number_of, _, unit = whole.partition(NO_BREAK)
    return f"every {_ONE[unit] if number_of == '1' else whole}"


def duration_text(length_ns: int) -> str:
    """`0.250 s`, `59.4 s`, `14 min 3 s`, `11 min`, `3 d 4 h`; past LONG_DAYS in days alone."""
    seconds, rest_ns = divmod(max(length_ns, 0), SECOND_NS)
    if seconds < 1:
        return f"0.{rest_ns // 1_000_000:03d}{NO_BREAK}s"
    if seconds < 60:
        return f"{seconds}.{rest_ns // 100_000_000}{NO_BREAK}s"
    place = next(place for place, (_, size) in enumerate(UNITS) if seconds >= size)
    (large, size), (small, small_size) = UNITS[place : place + 2]
    whole, rest = divmod(seconds, size)
    beside = 0 if large == "d" and whole > LONG_DAYS else rest // small_size
    words = (number(whole), large, *((str(beside), small) if beside else ()))
    return NO_BREAK.join(words)


def listed(items: Sequence[str], limit: int = 8) -> str:
    """`a, b, c`; past `limit` the number of what is left out."""
    shown = ", ".join(items[:limit])
    beyond = len(items) - limit
    return f"{shown} … and {number(beyond)} more" if beyond > 0 else shown


def captures_named(inputs: Iterable[str]) -> str:
    """`a.pcap, b.pcap`: the captures of a report, `-` in words."""
    return ", ".join("standard input" if name == "-" else name for name in inputs)


def own_sides(own: OwnAddresses, limit: int = 8) -> str:
    """`a, b, c`, our own addresses; `a … and 15 more at least` where not all were counted."""
    return listed(own.prefixes, limit) + (" at least" if own.may_be_more else "")


def first_of(lines: Sequence[str], most: int) -> tuple[str, ...]:
    """The first ones of lines that the JSON report has all of, and how many more there are."""
    beyond = len(lines) - most
    return (*lines[:most], *([f"… and {number(beyond)} more: --format json"] * (beyond > 0)))


def tally(counts: Mapping[str, int]) -> str:
    """`3 ARP, 1 LLDP`: the most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return listed([f"{number(count)}{NO_BREAK}{word}" for word, count in ordered])


def frames_text(frames: Frames) -> str:
    """`frames 1, 2, 5`; `frames 1, 2, 5, 6, 29 … (38 in all)`; `in no frame`."""
    if not frames.first:
        return "in no frame"
    shown = ", ".join(str(frame) for frame in frames.first[:SHOWN_FRAMES])
    if frames.total > SHOWN_FRAMES:
        shown += f" … ({number(frames.total)} in all)"
    return f"{'frame' if frames.total == 1 else 'frames'} {shown}"


def display_filter(frames: Frames) -> str:
    """Wireshark's display filter for these frames; '' if there are none.

    Commas between the members: Wireshark 4 takes nothing else, and 3 took both.
    """
    return f"frame.number in {{{', '.join(_ranges(frames.first))}}}" if frames.first else ""


def _ranges(numbers: Iterable[int]) -> list[str]:
    """Ascending numbers with runs of three and more as `5..9`."""
    runs: list[list[int]] = []
    for value in numbers:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    texts = []
    for run in runs:
        texts += [f"{run[0]}..{run[-1]}"] if len(run) > 2 else [str(value) for value in run]
    return texts


def protocol(proto: int) -> str:
    """`tcp` for 6; `protocol 89` for a number that has no word here."""
    return PROTOCOLS.get(proto, f"protocol {proto}")


def stated(value: str | Absent) -> str:
    """What a person stated, or that nothing was."""
    return NOT_STATED if isinstance(value, Absent) or not value else value
