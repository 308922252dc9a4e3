"""SHA-256 of files when a run is over, for as long as anybody wants to wait.

A program can open a file of a petabyte that holds nothing, and models are large; so hashing has an
end of its own, and Ctrl-C ends it at once. What is not hashed by then has no hash, and says so.
"""

import hashlib
import os
import time
from collections.abc import Callable

from egress_audit.record.inside import Inside

MOST_S = 120.0
"""Of hashing in all. Measured: 1.7 GB a second, so 200 GB that are in memory already."""
CHUNK = 1 << 20


class Hashing:
    """Hashes files of one sandbox."""

    def __init__(
        self, inside: Inside, working: Callable[[str], None], had_enough: Callable[[], bool]
    ) -> None:
        """working: told the path, again and again; had_enough: True ends all hashing."""
        self._inside = inside
        self._working = working
        self._had_enough = had_enough
        self._ends = time.monotonic() + MOST_S

    def sha256_of(self, path: str) -> str | None:
        """SHA-256 of a regular file in hex; None if it cannot be read, is none, or time is up."""
        digest = hashlib.sha256()
        try:
            with os.fdopen(self._inside.open(path), "rb", buffering=0) as stream:
                while not self._is_over():
                    self._working(path)
                    part = stream.read(CHUNK)
                    if not part:
                        return digest.hexdigest()
                    digest.update(part)
        except OSError:
            return None
        return None

    def _is_over(self) -> bool:
        return self._had_enough() or time.monotonic() >= self._ends
