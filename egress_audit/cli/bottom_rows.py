"""Rows at the foot of a terminal that other people's output does not reach.

The audited program writes to the same terminal at any moment, and nothing of it may be lost. So
the terminal is told to scroll only the rows above ours (DECSTBM): the program writes there as if
the terminal were a little lower, and the cursor is put back where it was after we have drawn.
Source: ECMA-48; DEC STD 070 (DECSTBM, DECSC, DECRC, IND).
"""

import mmap
import os
import select
from collections.abc import Sequence

LEAST_HEIGHT = 8
"""In a lower terminal there is no room for rows of ours."""
SHARE = 3
"""Our rows take at most one row of so many."""

SAVE, RESTORE = "\x1b7", "\x1b8"
PLAIN, CLEAR_ROW, SCROLL_ALL, ONE_DOWN = "\x1b[0m", "\x1b[2K", "\x1b[r", "\x1bD"


class BottomRows:
    """The lowest rows of one terminal.

    Two processes have them: the recorder draws, and whoever forked it puts the terminal in order
    afterwards, even if the recorder was killed. How many rows are taken is in memory they share.
    """

    def __init__(self, descriptor: int) -> None:
        """descriptor: of the terminal, open for writing; stays open."""
        self._descriptor = descriptor
        self._shared = mmap.mmap(-1, 1)
        self._size: tuple[int, int] | None = None

    def size(self) -> tuple[int, int] | None:
        """Columns and how many rows we may take; None if that is none."""
        try:
            columns, height = os.get_terminal_size(self._descriptor)
        except OSError:
            return None
        return (columns, height // SHARE) if height >= LEAST_HEIGHT else None

    def show(self, lines: Sequence[str]) -> None:
        """Draws the lines, each within the width; skipped while the terminal cannot take them.

        A terminal that was stopped with Ctrl-S, or that belongs to another job, must not make the
        recorder wait: packets would be lost.
        """
        room = self.size()
        if room is None or not lines or not self._may_write():
            return
        shown = list(lines[: room[1]])
        columns, height = os.get_terminal_size(self._descriptor)
        before = "" if self._size in (None, (columns, height)) else self._released()
        self._size = (columns, height)
        rows = max(self._taken, len(shown))
        before += self._reserved(rows, height)
        shown += [""] * (rows - len(shown))
        first = height - rows + 1
        drawn = [f"\x1b[{first + place};1H{CLEAR_ROW}{line}" for place, line in enumerate(shown)]
        self._write(f"{before}{SAVE}{PLAIN}{''.join(drawn)}{RESTORE}")

    def close(self) -> None:
        """Gives the rows back to the terminal, empty."""
        if not self._taken:
            return
        try:
            height = os.get_terminal_size(self._descriptor).lines
        except OSError:
            return
        first = max(height - self._taken + 1, 1)
        cleared = "".join(f"\x1b[{row};1H{CLEAR_ROW}" for row in range(first, height + 1))
        self._write(f"{SAVE}{PLAIN}{SCROLL_ALL}{cleared}{RESTORE}")
        self._shared[0] = 0

    @property
    def _taken(self) -> int:
        return self._shared[0]

    def _reserved(self, rows: int, height: int) -> str:
        """What makes room for rows more than we have: what stands there is scrolled up."""
        more = rows - self._taken
        if more <= 0:
            return ""
        self._shared[0] = rows
        return f"{ONE_DOWN * more}\x1b[{more}A{SAVE}\x1b[1;{height - rows}r{RESTORE}"

    def _released(self) -> str:
        """What undoes the reservation when the terminal has another size now."""
        self._shared[0] = 0
        return f"{SAVE}{SCROLL_ALL}{RESTORE}"

    def _may_write(self) -> bool:
        try:
            if os.tcgetpgrp(self._descriptor) != os.getpgrp():
                return False
        except OSError:
            return False
        return bool(select.select([], [self._descriptor], [], 0)[1])

    def _write(self, text: str) -> None:
        data = text.encode("utf-8")
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except OSError:
                return
