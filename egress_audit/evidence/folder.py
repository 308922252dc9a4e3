"""A bundle's folder, entered once: its files are opened beside its descriptor, never through links.

Whoever reads a bundle may be root, and whoever made it anybody: a link in it would have us read, or
overwrite, a file of somebody else; a pipe would have us wait for ever.
"""

import os
import stat
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Self

from egress_audit.errors import EgressAuditError, InputUnreadable
from egress_audit.evidence.lines import one_line
from egress_audit.evidence.writing import write_all

FOLDER_MODE, FILE_MODE = 0o700, 0o600
OTHER_PLACE = "name a folder that does not exist yet"
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_ENTER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_MAKE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Folder:
    """An open folder; leaves its descriptor when the `with` block ends."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """The folder at `path`. Raises InputUnreadable if there is none that may be read."""
        try:
            return cls(Path(path), os.open(path, _ENTER))
        except OSError as error:
            raise InputUnreadable(
                f"is no folder that can be read: {error.strerror}",
                where=str(path),
                hint="name the folder that `egress-audit run --bundle` made",
            ) from error

    @classmethod
    def create(cls, path: str | Path) -> Self:
        """A new folder at `path`, 0700, or an empty one that is there and ours.

        Raises EgressAuditError for one that holds files, is a link or belongs to somebody else.
        """
        try:
            Path(path).mkdir(mode=FOLDER_MODE)
        except FileExistsError:
            pass
        except OSError as error:
            what = f"cannot be made a folder: {error.strerror}"
            raise EgressAuditError(what, where=str(path), hint=OTHER_PLACE) from error
        try:
            folder = cls(Path(path), os.open(path, _ENTER | os.O_NOFOLLOW))
        except OSError as error:
            what = "is there already, and is no folder of its own"
            raise EgressAuditError(what, where=str(path), hint=OTHER_PLACE) from error
        folder._take_over()
        return folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the descriptor back; open files of the folder stay open."""
        os.close(self._descriptor)

    def names(self) -> set[str]:
        """Names of all that is in the folder."""
        return set(os.listdir(self._descriptor))  # noqa: PTH208 - a Path has no descriptor

    def shown(self, name: str) -> str:
        """A file of the folder, for people."""
        return one_line(str(self.path / name))

    def opened(self, name: str) -> BinaryIO:
        """A file, to be read. Raises InputUnreadable for what is missing or no ordinary file."""
        try:
            descriptor = os.open(name, _READ, dir_fd=self._descriptor)
        except OSError as error:
            what = "is a link, which no bundle holds" if self._is_link(name) else error.strerror
            hint = "copy the bundle again, with all of its files"
            raise InputUnreadable(
                f"cannot be opened: {what}", where=self.shown(name), hint=hint
            ) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise InputUnreadable("is no ordinary file", where=self.shown(name))
        return os.fdopen(descriptor, "rb", buffering=1 << 16)

    def size(self, name: str) -> int:
        """Bytes of a file of the folder; a link counts as itself."""
        return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False).st_size

    def made(self, name: str) -> FileIO:
        """A new file, 0600, unbuffered, to be written. Raises EgressAuditError if it is there."""
        try:
            descriptor = os.open(name, _MAKE, FILE_MODE, dir_fd=self._descriptor)
        except OSError as error:
            what = f"cannot be made: {error.strerror}"
            raise EgressAuditError(what, where=self.shown(name), hint=OTHER_PLACE) from error
        return FileIO(descriptor, "r+")

    def put(self, name: str, data: bytes) -> OSError | None:
        """Makes a file with this content, all of it or nothing; why not, if it cannot."""
        part = f"{name}.part"
        with self.made(part) as stream:
            _, error = write_all(stream, data)
            if error is None:
                os.fsync(stream.fileno())
        if error is None:
            os.rename(part, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
        else:
            self.discard(part)
        return error

    def discard(self, name: str) -> None:
        """Removes a file, if it is there."""
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._descriptor)

    def _take_over(self) -> None:
        """Makes sure that the folder is empty, ours, and closed to others."""
        what = ""
        if os.fstat(self._descriptor).st_uid != os.geteuid():
            what = "belongs to another user"
        elif self.names():
            what = "is there already, and is not empty"
        if what:
            self.close()
            raise EgressAuditError(what, where=str(self.path), hint=OTHER_PLACE)
        os.fchmod(self._descriptor, FOLDER_MODE)

    def _is_link(self, name: str) -> bool:
        try:
            found = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except OSError:
            return False
        return stat.S_ISLNK(found.st_mode)
