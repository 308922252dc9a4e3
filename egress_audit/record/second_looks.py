"""Paths of unix sockets, looked at again when the call that named them is over.

A datagram has no peer that the kernel would remember (`unix_peers` asks for that of a connect). If
its path led to another's socket while the kernel followed it, and to one of the tree when we looked
before, it may still do so afterwards: then nobody can say that it reached nobody.
"""

from collections.abc import Callable
from typing import NamedTuple

MOST_WAITING = 4096


class Call(NamedTuple):
    """A call that was let go."""

    tid: int
    path: str
    attempt: int | None


class SecondLooks:
    """Calls whose paths are to be looked at again."""

    def __init__(
        self, leads_out: Callable[[int, str], bool], on_reached: Callable[[int | None], None]
    ) -> None:
        """leads_out: whether a path leads a thread out of the tree, as far as that can be told;
        on_reached: called with an attempt that may have come to another's socket."""
        self._leads_out = leads_out
        self._on_reached = on_reached
        self._waiting: list[Call] = []

    def watch(self, tid: int, path: str, attempt: int | None) -> None:
        """Takes in a call that is about to be let go. path: absolute."""
        if len(self._waiting) >= MOST_WAITING:
            self._look(self._waiting.pop(0))
        self._waiting.append(Call(tid, path, attempt))

    def done(self, tid: int) -> None:
        """A thread that calls again has finished its call before."""
        over = [call for call in self._waiting if call.tid == tid]
        if over:
            self._waiting = [call for call in self._waiting if call.tid != tid]
            for call in over:
                self._look(call)

    def sweep(self) -> None:
        """Looks at all."""
        over, self._waiting = self._waiting, []
        for call in over:
            self._look(call)

    def _look(self, call: Call) -> None:
        if self._leads_out(call.tid, call.path):
            self._on_reached(call.attempt)
