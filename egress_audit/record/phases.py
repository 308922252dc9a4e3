"""Phases that a program reports of itself, through a file whose name it finds in its environment.

One JSON object a line: `{"t": seconds since the epoch, "phase": "load", "pid": 42}`. They are
labels: a program that reports a phase has not thereby gone through it.
"""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress

from egress_audit.record.inside import Inside

VARIABLE = "EGRESS_AUDIT_PHASES"
PLACE = "/run/egress-audit-phases.jsonl"
"""Where the program finds the file."""
MOST_PHASES = 1000
LONGEST_WORD = 80
CHUNK = 65_536
SINCE_LAST_LOOK_NS = 900_000_000
"""A line may be this old: we look ten times a second, and more seldom when we are busy."""
LATEST_S = 4e9


class ReportedPhases:
    """Follows the file of phases as it grows."""

    def __init__(self, inside: Inside, write: Callable[..., None]) -> None:
        self._inside = inside
        self._write = write
        self._offset = 0
        self._rest = b""
        self._count = self._passed_over = 0
        self._at_ns = 0
        self.current = ""

    def read(self) -> None:
        """Takes in the lines that are new."""
        try:
            descriptor = self._inside.open(PLACE)
        except OSError:
            return
        try:
            part = os.pread(descriptor, CHUNK, self._offset)
        except OSError:
            part = b""
        finally:
            os.close(descriptor)
        self._offset += len(part)
        *lines, self._rest = (self._rest + part).split(b"\n")
        self._rest = self._rest[:CHUNK]
        for line in lines:
            self._take(line)

    def _take(self, line: bytes) -> None:
        word, told = "", 0.0
        with suppress(ValueError, RecursionError, OverflowError):
            said = json.loads(line)
            if isinstance(said, dict) and isinstance(said.get("phase"), str):
                word = said["phase"].strip()[:LONGEST_WORD]
                told = float(said["t"]) if isinstance(said.get("t"), int | float) else 0.0
        if not word:
            self._passed_over += bool(line.strip())
            return
        self._at_ns = self._believed(told)
        self.close()
        if self._count >= MOST_PHASES:
            self._passed_over += 1
            return
        self._count += 1
        self.current = word
        self._write("phase", phase=word, proof="self", edge="begin", at_ns=self._at_ns)

    def _believed(self, told_s: float) -> int:
        """The time that a line tells, if it can be true: it was written since the last look."""
        now = time.time_ns()
        told = int(told_s * 1e9) if 0 < told_s < LATEST_S else now
        return min(max(told, self._at_ns, now - SINCE_LAST_LOOK_NS), now)

    def finish(self) -> None:
        """Ends the phase that is under way, now, and says how many lines were no phase of ours."""
        self._at_ns = time.time_ns()
        self.close()
        if self._passed_over:
            where = f"lines of {VARIABLE} that say no phase, or one past the first {MOST_PHASES}"
            self._write("cannot-see", text=f"{where}: {self._passed_over}")

    def close(self) -> None:
        """Ends the phase that is under way, when the last line was written."""
        if self.current:
            self._write("phase", phase=self.current, proof="self", edge="end", at_ns=self._at_ns)
            self.current = ""
