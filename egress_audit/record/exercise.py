"""What the exerciser prints, and whether that is what was expected."""

import os
import re
from collections.abc import Callable

MOST_OUTPUT = 1 << 20
"""Bytes that are searched; what comes after is passed on and counted."""
CHUNK = 65_536


class Exercise:
    """The output of one exerciser."""

    def __init__(
        self, output: int, expect: re.Pattern[str], on_output: Callable[[bytes], None]
    ) -> None:
        """output: reading end of a pipe, owned by the caller."""
        self.output = output
        self._expect = expect
        self._on_output = on_output
        self._said = bytearray()
        self.beyond = 0
        """Bytes that were not searched."""

    def hear(self) -> bool:
        """Takes what was printed since; False when there will be no more."""
        part = os.read(self.output, CHUNK)
        searched = part[: MOST_OUTPUT - len(self._said)]
        self._said += searched
        self.beyond += len(part) - len(searched)
        if part:
            self._on_output(part)
        return bool(part)

    def succeeded(self, status: int | None) -> bool:
        """True if it ended with 0 and printed what was expected."""
        said = self._said.decode("utf-8", "replace")
        return status == 0 and self._expect.search(said) is not None
