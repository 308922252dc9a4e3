"""Lists that the user keeps: imported ones, and newer versions of those that come with the program.

    $XDG_DATA_HOME/egress-audit/lists/      ~/.local/share/… where that is not set
        SOURCES.yaml, NAME.mmdb             imported; the entry at the top is asked first
        current                             name of the folder with the newer versions
        update-…/                           one such folder, with its own SOURCES.yaml

Only a file that stands in the SOURCES.yaml beside it is used: what was copied half is not.

Source: XDG Base Directory Specification 0.8, §3.
"""

import os
import stat
from pathlib import Path

from egress_audit.classify.list_sources import LISTS, SOURCES, entries_of
from egress_audit.errors import ListUnreadable
from egress_audit.paths import is_folder, is_there

CURRENT = "current"
"""The file that names the folder with the newer versions; replaced in one step."""
UPDATE_PREFIX = "update-"
REPLACEABLE = (
    "addresses.mmdb",
    "operators.csv",
    "ipv6_overrides.csv",
    "anycast.csv",
    "catalogue.json",
)
"""Lists of the program that a newer version may stand in for. Not that of resolvers: without a row
of it, flows that hide names would pass for others."""
GO_BACK = "remove it: egress-audit lists import --remove NAME"
UNDO = "egress-audit lists update --undo goes back to the lists that came with the program"


def user_folder() -> Path | None:
    """The folder of the user's lists, there or not; None for a user without a home."""
    data = os.environ.get("XDG_DATA_HOME", "")
    if not Path(data).is_absolute():  # §2: a relative path is to be ignored
        home = os.environ.get("HOME", "")
        if not Path(home).is_absolute():
            return None
        data = str(Path(home, ".local", "share"))
    return Path(data, "egress-audit", "lists")


def imported_lists() -> list[Path]:
    """The lists that the user imported, in the order in which they are asked.

    Raises ListUnreadable if one that stands in SOURCES.yaml is not there, or if others than its
    owner may write here: a verdict may rest on these files.
    """
    folder = user_folder()
    if folder is None or not is_there(folder / SOURCES):
        return []
    must_be_private(folder)
    paths = [folder / str(entry.get("file", "")) for entry in entries_of(folder)]
    for path in paths:
        if path.parent != folder or not is_there(path):
            raise ListUnreadable("was imported and is not there", where=str(path), hint=GO_BACK)
        must_be_private(path)
    return paths


def updated_folder() -> Path | None:
    """The folder with newer versions of the program's lists; None if there is none.

    Raises ListUnreadable if `current` names a folder that is not there.
    """
    folder = user_folder()
    if folder is None or not is_there(folder / CURRENT):
        return None
    must_be_private(folder)
    try:
        name = (folder / CURRENT).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        name = ""
    found = folder / name
    if not name.startswith(UPDATE_PREFIX) or found.parent != folder or not is_folder(found):
        raise ListUnreadable("names no folder", where=str(folder / CURRENT), hint=UNDO)
    must_be_private(found, UNDO)
    return found


def current_list(name: str) -> Path:
    """The newest version of a list that comes with the program: the user's, else its own."""
    updated = updated_folder()
    if updated is not None and any(entry.get("file") == name for entry in entries_of(updated)):
        must_be_private(updated / name, UNDO)
        return updated / name
    return LISTS / name


def way_back_from(path: Path) -> str:
    """The remedy for a list of the user's that cannot be read; '' for what lies elsewhere."""
    folder = user_folder()
    if folder is None or folder not in path.parents:
        return ""
    return GO_BACK if path.parent == folder else UNDO


def must_be_private(path: Path, way_back: str = GO_BACK) -> None:
    """Raises ListUnreadable if everybody may write here, or it cannot be seen.

    way_back: the remedy for what is not there.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise ListUnreadable(
            error.strerror or "cannot be seen", where=str(path), hint=way_back
        ) from error
    if mode & stat.S_IWOTH:
        raise ListUnreadable(
            "may be written by everybody", where=str(path), hint=f"chmod o-w {path}"
        )
