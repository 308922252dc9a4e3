"""System calls that wanted out, counted by what they wanted: one line each in the record."""

from collections.abc import Callable
from typing import NamedTuple

from egress_audit.record.notifications import SocketAddress, error_name, family_name

MOST_ATTEMPTS = 20_000
"""Distinct attempts that are kept; the rest is a number."""

UNKNOWN_CALLER = 0
"""Instead of a process."""

WriteEvent = Callable[..., None]


class Wanted(NamedTuple):
    """What makes two attempts the same."""

    process: int
    call: str
    family: str
    type: str
    address: str | None
    port: int | None
    denied: str | None


class Attempts:
    """Every distinct attempt, written when it is first made."""

    def __init__(self, write: WriteEvent) -> None:
        self._write = write
        self._numbers: dict[Wanted, int] = {}
        self._counts: list[int] = []
        self.outcomes: dict[int, str] = {}
        """Attempt → what became of it."""
        self.dropped = 0

    def add(
        self,
        process: int,
        call: str,
        *,
        kind: str = "",
        target: SocketAddress | None = None,
        family: str = "",
        address: str | None = None,
        denied: int = 0,
    ) -> int | None:
        """Counts an attempt and returns its number, from 0; None when it is not kept.

        kind: stream, dgram …; target: where to, or else `family` and `address`; denied: the errno
        with which it was answered, 0 if the kernel was let to carry it out.
        """
        wanted = Wanted(
            process,
            call,
            family_name(target.family) if target else family,
            kind,
            target.address if target else address,
            target.port if target else None,
            error_name(denied) if denied else None,
        )
        number = self._numbers.get(wanted)
        if number is not None:
            self._counts[number] += 1
            return number
        if len(self._counts) >= MOST_ATTEMPTS:
            self.dropped += 1
            return None
        number = self._numbers[wanted] = len(self._counts)
        self._counts.append(1)
        self._write("attempt", **wanted._asdict())
        return number

    def came_to(self, number: int | None, outcome: str) -> None:
        """Says what became of an attempt: `reached`, `absent`, `fell-back`, `time-of-check`,
        `setuid`, `elsewhere`.

        `reached` is not taken back by a later `absent`.
        """
        if number is not None and self.outcomes.get(number) != "reached":
            self.outcomes[number] = outcome

    def reached(self, fifo: str) -> None:
        """Takes in that somebody made a FIFO that the host has too, or wrote to it, unless a call
        is known that reached it."""
        known = {
            wanted.address
            for wanted, number in self._numbers.items()
            if self.outcomes.get(number) == "reached"
        }
        if fifo not in known:
            number = self.add(UNKNOWN_CALLER, "open", kind="fifo", family="AF_UNIX", address=fifo)
            self.came_to(number, "reached")

    def finish(self) -> None:
        """Writes what became of each, and how often it was made."""
        for number, outcome in self.outcomes.items():
            self._write("outcome", attempt=number, outcome=outcome)
        for number, count in enumerate(self._counts):
            if count > 1:
                self._write("attempt-more", attempt=number, count=count)
        if self.dropped:
            self._write("attempts-dropped", count=self.dropped)
