"""Which folders of the sandbox no process of the host can look into.

The folders in memory, and the layer over HOME, are file systems of the sandbox's own; everything
else that the program sees, the working folder first of all, is the host's too.
"""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from egress_audit.record.inside import Inside
from egress_audit.record.magic_links import what_is_at


class Private:
    """The file systems that are the sandbox's own."""

    def __init__(self, devices: frozenset[int] | None) -> None:
        """devices: their numbers, as st_dev of a folder; None where there are no others."""
        self._devices = devices

    @classmethod
    def of(cls, inside: Inside, folders: Iterable[str]) -> "Private":
        """Those that begin at these folders, as the program sees them."""
        devices = set()
        for folder in folders:
            with suppress(OSError):
                devices.add(inside.stat(folder).st_dev)
        return cls(frozenset(devices))

    def holds(self, inside: Inside, tid: int, path: str) -> bool:
        """True if what a thread that waits makes at an absolute path is out of the host's sight.

        Raises OSError, FileNotFoundError if there is no such folder.
        """
        if self._devices is None:
            return True
        # Asked of the folder: layers give files that were copied another number than folders.
        folder = what_is_at(inside, tid, str(Path(path).parent))
        return folder is not None and folder.st_dev in self._devices


ALL_PRIVATE = Private(None)
"""Where nobody else is on the host to look."""
