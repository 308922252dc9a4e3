"""Standard input as bytes come: a capture still being made, which its user may end."""

import io
import os
import select
from dataclasses import replace

from egress_audit.model.evidence import CaptureFacts

GRACE_S = 0.5
"""How long an input may be silent once its user has ended it: a recorder that was ended by the same
key still writes what it holds."""
MAX_AFTER_END = 16 << 20
"""Bytes read after that at most; no recorder's buffer and pipe hold more."""


class Ending:
    """How a user says that enough was read. Holds two file descriptors until it is closed."""

    def __init__(self) -> None:
        self._receiver, self._sender = os.pipe()
        self.told = False

    def tell(self) -> None:
        """Ends the reading; a signal handler may call this."""
        self.told = True
        os.write(self._sender, b"!")

    def fileno(self) -> int:
        """Readable once it was told."""
        return self._receiver

    def close(self) -> None:
        """Frees the descriptors."""
        os.close(self._receiver)
        os.close(self._sender)


class LiveStream(io.RawIOBase):
    """A pipe, read no further than it has been written."""

    def __init__(self, descriptor: int, ending: Ending | None = None) -> None:
        super().__init__()
        self._input = io.FileIO(descriptor, closefd=False)
        self._ending = ending
        self._left = MAX_AFTER_END
        self.ended_by_user = False

    def readable(self) -> bool:
        """True."""
        return True

    def stalled(self) -> bool:
        """Nothing can be read now, and the input has not ended."""
        return not select.select([self._input], [], [], 0)[0]

    def readinto(self, room: "io.WriteableBuffer") -> int:  # type: ignore[name-defined]
        """What can be read at once, waiting for the first byte; 0 at the end, or after the user's
        own."""
        if self._ending is not None:
            select.select([self._input.fileno(), self._ending.fileno()], [], [])
            if self._ending.told:
                self.ended_by_user = True
                return self._last_words(room)
        return self._input.readinto(room)

    def amended(self, facts: CaptureFacts) -> CaptureFacts:
        """The facts of a source over it, and whether its user ended it."""
        return replace(facts, ended_by_user=self.ended_by_user)

    def _last_words(self, room: "io.WriteableBuffer") -> int:  # type: ignore[name-defined]
        if self._left <= 0 or not select.select([self._input], [], [], GRACE_S)[0]:
            return 0
        got = self._input.readinto(room)
        self._left -= got
        return got
