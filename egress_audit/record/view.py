"""The file system as the program sees it: what is private, hidden, replaced, copied on write."""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from egress_audit.model.run import Stamp
from egress_audit.record import private_folders, syscalls
from egress_audit.record.file_servers import note_of_served
from egress_audit.record.home import HomeView, fresh_home, overlay_home, real_home
from egress_audit.record.kept_paths import Kept, kept_paths
from egress_audit.record.mounts import is_folder, is_there, is_within, without_nested
from egress_audit.record.overlay import OverlayUnavailable, scratch
from egress_audit.record.stamps import FoundStamp, cache_folders, stamps
from egress_audit.record.written import Layer

_SCRATCH = "/run/.egress-audit"
_READ_ONLY = ("/sys",)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the program is to see."""

    home_kind: str
    """`overlay`, `fresh` or `real`."""
    home: str
    argv: Sequence[str]
    cwd: str
    environ: Mapping[str, str]
    """The program's own."""
    resolvers: Sequence[str]
    binds: Sequence[str] = ()
    own_names: Mapping[str, str] = field(default_factory=dict)
    """Address → name, of the sandbox itself."""
    bundle: str = ""
    """Folder of the evidence, which the program can neither read nor write; '' if none."""


@dataclass(frozen=True, slots=True)
class View:
    """What was made of it."""

    home_kind: str
    """`fresh` where an overlay was wanted and could not be had; `notes` says why."""
    layers: tuple[Layer, ...]
    """For `written_files`."""
    open_folders: tuple[str, ...]
    """Folders outside of the layers to which the program may write: for `changed_files`."""
    stamps: tuple[Stamp, ...]
    gpus: tuple[str, ...]
    notes: tuple[str, ...]
    """What could not be done, for people: something the program may have seen or reached."""


def make_view(wanted: Wanted) -> View:
    """Makes the view in the mount namespace we are in, which must be the program's own.

    Afterwards the working folder is `wanted.cwd`, in the new view. Raises OSError where even the
    private folders cannot be made.
    """
    syscalls.mount("none", "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
    home, environ = os.path.realpath(wanted.home), wanted.environ
    caches = cache_folders(home, environ)
    found = stamps(home, environ, time.time())
    covered = [*private_folders.PRIVATE, *([home] if wanted.home_kind != "real" else [])]
    kept = kept_paths(wanted.argv, wanted.cwd, wanted.binds, environ, covered)
    notes: list[str] = []
    bound = [os.path.realpath(Path(wanted.cwd, path)) for path in wanted.binds]
    has_home = is_folder(home) and home != "/"
    homes = [home] if has_home else []
    layers = private_folders.cover([*kept, *caches, *homes], notes)
    private_folders.make_runtime_folder(environ.get("XDG_RUNTIME_DIR", ""))
    Path(_SCRATCH).mkdir()
    with scratch(_SCRATCH):
        kind = wanted.home_kind
        if has_home:
            kind, view = _home(kind, home, caches, kept, found, _below(home, bound))
        else:
            kind, view = "real", real_home(found)
            notes.append(f"HOME, {wanted.home}, is no folder that could be made private")
        private_folders.hide_devices(_SCRATCH, notes)
        private_folders.write_name_service(wanted.resolvers, _SCRATCH, notes, wanted.own_names)
    Path(_SCRATCH).rmdir()
    private_folders.protect_kernel(_READ_ONLY, notes)
    shown = [layer.shown for layer in (*layers, *view.layers)]
    needed = [home, wanted.cwd, *(str(Path(wanted.cwd, path)) for path in wanted.binds)]
    _protect_ourselves([*needed, *shown], notes)
    if wanted.bundle:
        private_folders.mask_folder(os.path.realpath(wanted.bundle))
    notes += filter(None, [note_of_served()])
    os.chdir(wanted.cwd)
    overlays = [layer.shown for layer in view.layers] if kind == "overlay" else []
    shown_through = _below(home, bound) if overlays else []
    return View(
        kind,
        (*layers, *view.layers),
        tuple(_open_folders(wanted, kept, [*covered, "/"], overlays, shown_through)),
        view.stamps,
        tuple(private_folders.gpu_devices()),
        (*notes, *view.notes),
    )


def _home(
    kind: str,
    home: str,
    caches: Sequence[str],
    kept: Kept,
    found: Sequence[FoundStamp],
    bound: Sequence[str],
) -> tuple[str, HomeView]:
    """The kind that could be had, and the view; overlay falls back to fresh."""
    if kind == "real":
        return kind, real_home(found)
    why: tuple[str, ...] = ()
    if kind == "overlay":
        try:
            return kind, overlay_home(home, caches, found, _SCRATCH, bound)
        except OverlayUnavailable as unavailable:
            why = (f"HOME is fresh, as no overlay could be had: {unavailable}",)
    view = fresh_home(home, caches, kept, found, _SCRATCH)
    return "fresh", replace(view, notes=(*why, *view.notes))


def _protect_ourselves(writable: Sequence[str], notes: list[str]) -> None:
    """Makes the auditor's own code read-only: who can change it can change what is reported.

    A folder that holds one of the `writable` ones stays as it is, the other folders in it do not.
    """
    package = os.path.realpath(Path(__file__).parents[1])
    ours = [package, sys.prefix, sys.base_prefix, *(path for path in sys.path if path)]
    real = {os.path.realpath(path) for path in ours if Path(path).is_absolute() and is_there(path)}
    needed = [os.path.realpath(path) for path in writable]
    kept = {path for path in real if any(is_within(other, path) for other in (*needed, "/"))}
    if package in kept:
        notes.append(f"{package}, the auditor's own code, can be written by the program")
    private_folders.protect_kernel(without_nested([*(real - kept)]), notes)


def _below(home: str, bound: Sequence[str]) -> list[str]:
    """Paths of `--bind` that lie in HOME: where that is copied on write, they are not."""
    inside = [path for path in bound if path != home and is_within(path, home) and is_there(path)]
    return without_nested(inside)


def _open_folders(
    wanted: Wanted,
    kept: Kept,
    private: Sequence[str],
    overlays: Sequence[str],
    shown_through: Sequence[str],
) -> list[str]:
    """What is writable and not copied on write: the working folder, binds, a real HOME.

    A folder that is `private` itself is none, though the working folder; those below it that are
    shown as they are may be. shown_through: those below a layer that are not of it.
    """
    home = [wanted.home] if wanted.home_kind == "real" else []
    paths = [*home, *(path for path, writable in kept.items() if writable)]
    open_ones = [path for path in map(os.path.realpath, paths) if path not in private]
    layered = [path for path in open_ones if any(is_within(path, over) for over in overlays)]
    real = [path for path in open_ones if path not in layered]
    return [path for path in without_nested([*real, *shown_through]) if os.access(path, os.W_OK)]
