"""What the paths that a person gave lead to: a capture, a bundle, or several captures as one."""

from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TYPE_CHECKING

from egress_audit.capture.live_stream import Ending
from egress_audit.capture.source import open_capture
from egress_audit.columns import FrameBatch, FrameSource, OpenedSource
from egress_audit.errors import InputUnreadable, WrongUsage
from egress_audit.model.audit import EvidenceItem
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import CaptureFacts
from egress_audit.paths import is_folder, is_ordinary_file, is_there
from egress_audit.recorded import CLOSED, Seal, refuse_unusable
from egress_audit.values import dataclass

if TYPE_CHECKING:
    from egress_audit.capture.merged import Opener
    from egress_audit.evidence.account import Account

Prefixes = Sequence[IPv4Network | IPv6Network]

OnBytes = Callable[[int], None]
Watch = Callable[[int, int], None]
"""Told, batch by batch, how many bytes and how many frames have been read."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A capture, and what its recorder noted if it is a bundle."""

    name: str
    source: FrameSource
    account: "Account | None" = None
    seal: Seal = CLOSED


class Watched:
    """A source that tells how far it has been read."""

    def __init__(
        self, watch: Watch, opened: Callable[[OnBytes], FrameSource], *, merged: bool
    ) -> None:
        """opened: the source, which tells its argument how many bytes each reading gave; merged:
        it looks at each of its files first."""
        self._watch = watch
        self._bytes = 0
        self._source = opened(self._count)
        if merged:
            # That first look is no progress.
            self._bytes = 0

    def _count(self, size: int) -> None:
        self._bytes += size

    def __iter__(self) -> Iterator[FrameBatch]:
        """Every batch of the source, unchanged."""
        for batch in self._source:
            self._watch(self._bytes, batch.first_frame + len(batch) - 1)
            yield batch

    def facts(self) -> CaptureFacts:
        """The facts of the source."""
        return self._source.facts()


def evidence_at(
    paths: Sequence[str],
    local: Prefixes = (),
    *,
    ending: Ending | None = None,
    watch: Watch | None = None,
    hashed: bool = True,
) -> Evidence:
    """The evidence at one path: a bundle if it is a folder, else a capture (`-`: standard input);
    or the captures at several paths, as one in time order.

    ending: ends standard input; hashed: whether the facts have the sha256 of each capture. Raises
    InputUnreadable, and WrongUsage for what cannot be merged, or if `local` is given for a bundle,
    or no hash is wanted of one.
    """

    def source_at(*captures: str) -> FrameSource:
        def opened(count: OnBytes | None) -> FrameSource:
            if len(captures) == 1:
                return open_capture(captures[0], ending, count, hashed=hashed)
            from egress_audit.capture.merged import MergedSource  # not above: most have one capture

            return MergedSource([_opener(path, count, hashed) for path in captures])

        return opened(None) if watch is None else Watched(watch, opened, merged=len(captures) > 1)

    if len(paths) != 1:
        _refuse_unmergeable(paths)
        return Evidence(f"{len(paths)} captures", source_at(*paths))
    (path,) = paths
    if path == "-" or not is_folder(path):
        return Evidence("-" if path == "-" else Path(path).name, source_at(path))
    if not hashed:
        raise WrongUsage("is a bundle, which is always hashed", where=path)
    return _bundle_at(path, local, source_at)


def _bundle_at(path: str, local: Prefixes, source_at: Callable[[str], FrameSource]) -> Evidence:
    from egress_audit.evidence.bundle import open_bundle  # much that no capture needs

    bundle = open_bundle(path)
    refuse_unusable(bundle.account, local)
    name = _program_of(bundle.account.run.command)
    source = source_at(str(bundle.capture))
    if isinstance(bundle.manifest, Absent):
        return Evidence(name, source, bundle.account, Seal(closed=False))
    size = sum(entry.size for entry in bundle.manifest.files.values())
    item = EvidenceItem(bundle.sha256, size, "bundle", "sha256 of its manifest")
    return Evidence(name, source, bundle.account, Seal(True, bundle.mismatches, (item,)))


def _opener(path: str, count: OnBytes | None, hashed: bool) -> "Opener":
    def opened() -> OpenedSource:
        return open_capture(path, None, count, hashed=hashed)

    return opened


def _refuse_unmergeable(paths: Sequence[str]) -> None:
    """Raises WrongUsage for standard input, which cannot be opened twice, and InputUnreadable for
    a bundle, whose record speaks of its own frames alone."""
    if not paths:
        raise WrongUsage("there is no capture to read")
    if "-" in paths:
        raise WrongUsage("cannot be merged", where="-", hint="save it to a file first")
    for path in paths:
        if is_folder(path):
            raise InputUnreadable(
                "is a folder, and only captures can be merged",
                where=path,
                hint="a bundle is judged alone: its record speaks of its own frames",
            )
        if is_there(path) and not is_ordinary_file(path):
            hint = "save it to a file first"
            raise WrongUsage("is no ordinary file, and is read twice", where=path, hint=hint)


def _program_of(command: str) -> str:
    """The program's file name: wherever a bundle lies, and however its folder is called, its report
    has the same bytes. `run` for a command that has none."""
    import shlex  # which no other evidence needs

    try:
        words = shlex.split(command)
    except ValueError:  # The record is not one of ours.
        words = []
    name = Path(words[0]).name if words else ""
    return name if name not in ("", "..") else "run"
