"""What a path that a person gave leads to, where pathlib would crash behind a closed folder.

Path.exists and its like raise PermissionError there in Python 3.11 to 3.13. Whoever then opens the
path says what is wrong with it.
"""

import os
import stat
from pathlib import Path


def is_there(path: str | Path) -> bool:
    """True if the path leads to something that can be seen."""
    return _status(path) is not None


def is_folder(path: str | Path) -> bool:
    """True if the path leads to a folder that can be seen."""
    found = _status(path)
    return found is not None and stat.S_ISDIR(found.st_mode)


def is_ordinary_file(path: str | Path) -> bool:
    """True if the path leads to a regular file that can be seen."""
    found = _status(path)
    return found is not None and stat.S_ISREG(found.st_mode)


def led_to(path: str | Path) -> Path:
    """Where a path leads once every link is followed; a link that leads to itself leads nowhere
    else. Path.resolve makes a crash of one before Python 3.13."""
    return Path(os.path.realpath(path))


def _status(path: str | Path) -> os.stat_result | None:
    try:
        return Path(path).stat()
    except (OSError, ValueError):  # A path may hold a NUL.
        return None
