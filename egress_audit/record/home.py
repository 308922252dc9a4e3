"""What the program gets as its HOME: a copy-on-write overlay, an empty one, or the real one.

Runs in the program's own user and mount namespace, before its first instruction.
"""

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from egress_audit.model.run import Stamp
from egress_audit.record import mounts
from egress_audit.record.mounts import is_within, without_nested
from egress_audit.record.overlay import Overlays, OverlayUnavailable, opened, overlays
from egress_audit.record.stamps import FoundStamp
from egress_audit.record.written import Layer


@dataclass(frozen=True, slots=True)
class HomeView:
    """How HOME and the caches outside of it look to the program."""

    layers: tuple[Layer, ...]
    stamps: tuple[Stamp, ...]
    notes: tuple[str, ...]
    """What could not be done, for people."""


def overlay_home(
    home: str,
    caches: Sequence[str],
    found: Sequence[FoundStamp],
    scratch_folder: str,
    bound: Sequence[str] = (),
) -> HomeView:
    """Overlays over HOME, but for what is `bound` in it, and over the caches outside that matter.

    Raises OverlayUnavailable when HOME itself cannot be had so.
    """
    place = Path(scratch_folder, "home")
    place.mkdir()
    inside = [stamp for stamp in found if is_within(stamp.path, home)]
    trees = {path: mounts.clone(path) for path in bound}
    try:
        made = overlays(home, inside, str(place))
    except OverlayUnavailable:
        for tree in trees.values():
            os.close(tree)
        raise
    for path, tree in trees.items():
        mounts.put_back(tree, path)
    return _with_caches(home, made, caches, found, scratch_folder)


def fresh_home(
    home: str,
    caches: Sequence[str],
    kept: Mapping[str, bool],
    found: Sequence[FoundStamp],
    scratch_folder: str,
) -> HomeView:
    """An empty HOME, with the caches bound read-only and the paths `kept` (path → writable).

    Caches outside of HOME get overlays, as in `overlay_home`.
    """
    shown = dict.fromkeys(without_nested(caches), False) | dict(kept)
    inside = [path for path in sorted(shown) if is_within(path, home) and path != home]
    trees = {path: mounts.clone(path) for path in inside}
    mode = stat.S_IMODE(Path(home).stat().st_mode)
    notes: list[str] = []
    mounts.tmpfs(home, mode)
    for path, tree in trees.items():
        try:
            if not shown[path]:
                mounts.make_read_only(tree)
            mounts.put_back(tree, path)
        except OSError as error:
            os.close(tree)
            notes.append(f"{path} is not there: {error.strerror}")
    made = Overlays([Layer(opened(home), home, frozenset(inside))], notes)
    return _with_caches(home, made, caches, found, scratch_folder)


def _with_caches(
    home: str,
    made: Overlays,
    caches: Sequence[str],
    found: Sequence[FoundStamp],
    scratch_folder: str,
) -> HomeView:
    """Adds overlays over the caches outside of HOME that could be written or hold stamps."""
    outside = [path for path in caches if not is_within(path, home)]
    for number, folder in enumerate(without_nested(outside)):
        inside = [stamp for stamp in found if is_within(stamp.path, folder)]
        if not inside and not os.access(folder, os.W_OK):
            continue
        place = Path(scratch_folder, str(number))
        place.mkdir()
        try:
            over = overlays(folder, inside, str(place))
        except OverlayUnavailable as unavailable:
            made.notes.append(f"no overlay over a cache: {unavailable}")
            continue
        made.layers += over.layers
        made.notes += over.notes
    hidden = {stamp.path for stamp in found if not mounts.is_there(stamp.path)}
    hidden |= masked([stamp for stamp in found if stamp.path not in hidden], scratch_folder)
    return HomeView(tuple(made.layers), told(found, hidden), tuple(made.notes))


def real_home(found: Sequence[FoundStamp]) -> HomeView:
    """HOME as it is, with the stamps that may silence the program."""
    return HomeView((), told(found, set()), ())


def masked(found: Sequence[FoundStamp], scratch_folder: str) -> set[str]:
    """Paths of the stamps over which an empty file of 1970 could be bound instead.

    A second choice: the file is there, but too old to silence anything.
    """
    hidden: set[str] = set()
    for stamp in found:
        empty = Path(scratch_folder, f"stamp{len(hidden)}")
        try:
            empty.touch()
            os.utime(empty, (0, 0))
            mounts.attach(mounts.clone(str(empty)), stamp.path)
        except OSError:
            continue  # it stays and is told as not hidden
        hidden.add(stamp.path)
    return hidden


def told(found: Sequence[FoundStamp], hidden: set[str]) -> tuple[Stamp, ...]:
    """What the report says of the stamps; an old one that stays is of no effect."""
    return tuple(
        Stamp(stamp.path, stamp.product, stamp.path in hidden)
        for stamp in found
        if stamp.silences or stamp.path in hidden
    )
