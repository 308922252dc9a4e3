"""Lengths of time in nanoseconds, and as words."""

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
"""Word and seconds of each, the longest first."""


def whole_units(length_ns: int) -> str:
    """`4 h`, `90 s`: whole seconds in the largest unit that leaves nothing over; `0 s`."""
    seconds = length_ns // SECOND_NS
    unit, size = next((unit, size) for unit, size in UNITS if seconds % size == 0)
    return f"{seconds // size} {unit}" if seconds else "0 s"
