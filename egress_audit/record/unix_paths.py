"""Paths of unix sockets: which of them the program's own tree has bound, and where others lead.

Abstract names are none of its business: they end at the network namespace (unix(7)).
"""

import errno
import os
import stat
from collections.abc import Callable
from contextlib import closing, suppress

from egress_audit.record.file_calls import exists
from egress_audit.record.inside import Inside
from egress_audit.record.magic_links import what_is_at
from egress_audit.record.private_place import ALL_PRIVATE, Private
from egress_audit.record.syscalls import EXHAUSTED

MOST_BOUND_PATHS = 1000
CLOCK_TICK_NS = 20_000_000
"""How far the times of files may lag behind the clock."""


class UnixPaths:
    """Paths at which processes of one sandbox have bound sockets."""

    def __init__(
        self, inside: Inside, now: Callable[[], int], private: Private = ALL_PRIVATE
    ) -> None:
        """inside: the file system of the first process of the tree."""
        self._inside = inside
        self._now = now
        self._private = private
        self._bound: dict[str, int] = {}
        """Path → when it was bound."""

    def bind(self, tid: int, path: str) -> bool:
        """Remembers a bind that is about to be let go.

        Returns True if processes of the host can connect there. Raises OSError where we have no
        room to look.
        """
        # Where something is already, the kernel will refuse it: that stays somebody else's.
        if exists(tid, path):
            return False
        if len(self._bound) < MOST_BOUND_PATHS:
            self._bound[path] = self._now()
        try:
            with closing(Inside.of(tid)) as inside:
                return not self._private.holds(inside, tid, path)
        except OSError as error:
            if error.errno in EXHAUSTED:
                raise
            # Where there is no such folder, the kernel will say so.
            return error.errno not in (errno.ENOENT, errno.ENOTDIR)

    def outcome(self, tid: int, path: str) -> str:
        """What a call of a thread to a path comes to: `reached` somebody else's socket, `absent`,
        or '' for one of the tree. Raises OSError where we have no room to look."""
        try:
            with closing(Inside.of(tid)) as inside:
                return self._outcome_in(inside, tid, path)
        except OSError as error:
            if error.errno in EXHAUSTED:
                raise
            return "absent"

    def leads_out(self, tid: int, path: str) -> bool:
        """Looks at a path again; its thread may be gone by now."""
        try:
            return self._outcome_in(self._inside, tid, path) == "reached"
        except OSError as error:
            return error.errno in EXHAUSTED

    def is_ours(self, inside: Inside, here: os.stat_result) -> bool:
        """True if a process of the tree bound this socket: no link at a bound path is followed."""
        for bound, since_ns in self._bound.items():
            if here.st_mtime_ns + CLOCK_TICK_NS < since_ns:
                continue  # Older than the bind: somebody else's, linked or moved to its place.
            with suppress(OSError):
                there = inside.stat(bound, follow=False)
                if (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino):
                    return True
        return False

    def _outcome_in(self, inside: Inside, tid: int, path: str) -> str:
        here = what_is_at(inside, tid, path)
        if here is None:
            return "reached"
        if not stat.S_ISSOCK(here.st_mode):
            return "absent"
        return "" if self.is_ours(inside, here) else "reached"
