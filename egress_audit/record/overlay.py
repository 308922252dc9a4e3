"""Copy-on-write overlays over folders of the host, in the program's own user namespace.

Source: Documentation/filesystems/overlayfs.rst of Linux 6.12. An overlay in a user namespace needs
`userxattr` and Linux 5.11; a whiteout is a character device 0, 0, which anyone may make. A folder
with mounts below it that came from another user namespace cannot be a lower layer (EINVAL): such a
folder is rebuilt in memory, with an overlay over each folder in it that can have one.
"""

import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from egress_audit.record import mounts, syscalls
from egress_audit.record.mounts import is_within
from egress_audit.record.stamps import FoundStamp
from egress_audit.record.syscalls import MS_NODEV, MS_NOSUID
from egress_audit.record.written import Layer

_REFERENCE = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_LARGEST_COPY = 64 << 20
"""Files beside a mount are copied up to this size; larger ones are shown read-only."""


class OverlayUnavailable(Exception):
    """No overlay over a folder on this host; the text says why, for a person."""


@dataclass(slots=True)
class Overlays:
    """What lies over one folder."""

    layers: list[Layer] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@contextmanager
def scratch(folder: str) -> Iterator[str]:
    """An empty tmpfs on `folder` for as long as the block lasts.

    What was mounted or bound from it lives on, and nobody finds the rest any more.
    """
    mounts.tmpfs(folder, 0o700)
    try:
        yield folder
    finally:
        syscalls.unmount(folder)


def overlays(folder: str, found: Sequence[FoundStamp], scratch_folder: str) -> Overlays:
    """Covers a folder, and each mount below it, copy-on-write; the stamps are missing there.

    `scratch_folder`: empty, on a tmpfs that the overlays keep. Raises OverlayUnavailable, with
    nothing changed, if not even the folder itself can be had so.
    """
    original, upper, work = (Path(scratch_folder, name) for name in ("original", "upper", "work"))
    try:
        original.mkdir()
        mounts.attach(mounts.clone(folder), str(original))
        if mounts.mounts_below(folder):
            return _rebuilt(str(original), folder, found, scratch_folder)
        return Overlays([_overlaid(str(original), folder, found, upper, work)])
    except OSError as error:
        raise OverlayUnavailable(f"{folder}: {error.strerror}") from error


def _overlaid(
    lower: str, folder: str, found: Sequence[FoundStamp], upper: Path, work: Path
) -> Layer:
    upper.mkdir(parents=True)
    work.mkdir(parents=True)
    upper.chmod(stat.S_IMODE(Path(lower).stat().st_mode))
    hidden = frozenset(stamp.path for stamp in found if is_within(stamp.path, folder))
    for path in hidden:
        _white_out(str(upper), lower, str(Path(path).relative_to(folder)))
    # The layers by descriptors: a name may hold a colon or a comma.
    descriptors = [os.open(path, _REFERENCE) for path in (lower, upper, work)]
    try:
        names = "lowerdir=/proc/self/fd/{},upperdir=/proc/self/fd/{},workdir=/proc/self/fd/{}"
        data = names.format(*descriptors) + ",userxattr"
        syscalls.mount("overlay", folder, "overlay", MS_NOSUID | MS_NODEV, data)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    return Layer(opened(str(upper)), folder, hidden)


def _rebuilt(
    original: str, folder: str, found: Sequence[FoundStamp], scratch_folder: str
) -> Overlays:
    """An overlay over a skeleton of the folder, and in it one over each part without mounts.

    The skeleton has the folders that lead to a mount, and copies of what lies in them.
    """
    hidden = {stamp.path for stamp in found}
    places = {name: Path(scratch_folder, name) for name in ("skeleton", "upper", "work", "parts")}
    parts, large = _skeleton(Path(original), Path(folder), places["skeleton"], hidden)
    made = Overlays(
        [_overlaid(str(places["skeleton"]), folder, (), places["upper"], places["work"])]
    )
    try:
        for number, (source, place) in enumerate(parts.items()):
            upper = places["parts"] / place.relative_to(folder)
            work = Path(scratch_folder, f"work{number}")
            try:
                layer = _overlaid(str(source), str(place), found, upper, work)
                os.close(layer.descriptor)
            except OSError as error:
                _show_read_only(source, place)
                made.notes.append(f"{place} is read-only, without overlay: {error.strerror}")
        for source, place in large.items():
            _show_read_only(source, place)
            made.notes.append(f"{place} is read-only, as it is too large to be copied")
    except OSError:
        syscalls.unmount(folder)
        raise
    places["parts"].mkdir(exist_ok=True)
    made.layers.append(Layer(opened(str(places["parts"])), folder, frozenset(hidden)))
    return made


Shown = dict[Path, Path]
"""Where something lies → where the program sees it."""


def _skeleton(
    original: Path, folder: Path, skeleton: Path, hidden: set[str]
) -> tuple[Shown, Shown]:
    """Makes the skeleton; the folders that can have overlays, and the files too large to copy."""
    points = mounts.mounts_below(str(original))
    skeleton.mkdir()
    skeleton.chmod(stat.S_IMODE(original.stat().st_mode))
    parts: Shown = {}
    large: Shown = {}
    rest = [Path()]
    while rest:
        here = rest.pop()
        for entry in sorted((original / here).iterdir()):
            inside = here / entry.name
            made, facts = skeleton / inside, entry.lstat()
            if str(folder / inside) in hidden:
                continue
            if stat.S_ISDIR(facts.st_mode):
                made.mkdir()
                made.chmod(stat.S_IMODE(facts.st_mode))
                if any(point.startswith(f"{entry}/") for point in points):
                    rest.append(inside)
                else:
                    parts[entry] = folder / inside
            elif stat.S_ISLNK(facts.st_mode):
                made.symlink_to(entry.readlink())
            elif stat.S_ISREG(facts.st_mode):
                if facts.st_size <= _LARGEST_COPY and os.access(entry, os.R_OK):
                    shutil.copy2(entry, made)
                else:
                    made.touch()
                    large[entry] = folder / inside
    return parts, large


def _show_read_only(source: Path, place: Path) -> None:
    tree = mounts.clone(str(source))
    mounts.make_read_only(tree)
    mounts.attach(tree, str(place))


def _white_out(upper: str, lower: str, inside: str) -> None:
    """Makes the file `inside` the lower folder missing; its parents look as before."""
    parts = Path(inside).parts
    made, original = Path(upper), Path(lower)
    for name in parts[:-1]:
        made, original = made / name, original / name
        if not made.exists():
            made.mkdir()
            made.chmod(stat.S_IMODE(original.stat().st_mode))
    os.mknod(made / parts[-1], stat.S_IFCHR, os.makedev(0, 0))


def opened(folder: str) -> int:
    """A descriptor of a folder, to read it when its path leads elsewhere."""
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
