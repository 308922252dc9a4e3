"""A bundle: the folder in which a recorder leaves its evidence, and an audit finds it."""

from io import BufferedWriter
from pathlib import Path
from typing import BinaryIO, Self

from egress_audit.errors import InputUnreadable
from egress_audit.evidence.account import Account, read_account
from egress_audit.evidence.folder import Folder
from egress_audit.evidence.manifest import (
    MANIFEST,
    Manifest,
    entry_of,
    host_facts,
    manifest_bytes,
    mismatches,
    read_manifest,
)
from egress_audit.evidence.payload_hashes import HASHES, SALTS, write_payload_hashes
from egress_audit.evidence.writing import cannot_write
from egress_audit.model.destination import Absent
from egress_audit.values import dataclass

CAPTURE, EVENTS = "capture.pcapng", "events.jsonl"
HASHED = (CAPTURE, EVENTS, HASHES)
NOT_CLOSED = "the capture and the events are kept, but the bundle is not closed"


@dataclass(frozen=True, slots=True)
class BundleWriter:
    """The files of a new bundle, open for writing, so that a process that gives its rights away can
    go on by descriptor."""

    path: Path
    capture: BinaryIO
    """Unbuffered; for PcapngWriter."""
    events: BinaryIO
    """Unbuffered; for EventsWriter."""

    @classmethod
    def create(cls, path: str | Path) -> Self:
        """A new bundle at `path`: folder 0700, files 0600. Raises EgressAuditError if there is
        something already."""
        with Folder.create(path) as folder:
            return cls(Path(path), folder.made(CAPTURE), folder.made(EVENTS))

    def close(self) -> None:
        """Closes the files; `close_bundle` then closes the bundle."""
        self.capture.close()
        self.events.close()


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle as it was found."""

    path: Path
    capture: Path
    """An ordinary file when it was looked at."""
    account: Account
    manifest: Manifest | Absent
    """NOT_FOUND when the recorder did not live to close the bundle."""
    sha256: str
    """Of the manifest, and so of all; of the capture when there is no manifest."""
    mismatches: tuple[str, ...]
    """What is not as the manifest says."""

    @property
    def complete(self) -> bool:
        """True if the bundle was closed, is as it was then, and its record goes to its end."""
        closed = not isinstance(self.manifest, Absent)
        return closed and self.account.complete and not self.mismatches


def close_bundle(path: str | Path, *, rung: str, network: str) -> Manifest:
    """Makes the payload hashes and the manifest of a bundle that nobody writes any more.

    Raises EgressAuditError on a full disk: then the bundle stays open, and can be audited as such,
    or closed once there is room.
    """
    with Folder.open(path) as folder:
        try:
            frames = _hash_payloads(folder)
        except OSError as error:
            _discard_hashes(folder)
            raise cannot_write(folder.shown(HASHES), error, NOT_CLOSED) from error
        files = {name: entry_of(folder, name) for name in HASHED}
        manifest = Manifest(files, host_facts(), rung, network, frames)
        refusal = folder.put(MANIFEST, manifest_bytes(manifest))
        if refusal is not None:
            _discard_hashes(folder)
            raise cannot_write(folder.shown(MANIFEST), refusal, NOT_CLOSED) from refusal
        return manifest


def open_bundle(path: str | Path) -> Bundle:
    """The bundle at `path`, closed or not. Raises InputUnreadable if it is none: a file missing, a
    link in it, a record that cannot be read."""
    with Folder.open(path) as folder:
        if folder.names().isdisjoint((MANIFEST, *HASHED)):
            hint = "name a capture, or the folder that `run --bundle` left"
            raise InputUnreadable("is a folder, and no bundle", where=str(path), hint=hint)
        manifest = read_manifest(folder)
        with folder.opened(EVENTS) as stream:
            account = read_account(stream, folder.shown(EVENTS))
        wrong = _mismatches(folder, manifest, account)
        folder.opened(CAPTURE).close()
        return Bundle(
            path=Path(path),
            capture=Path(path) / CAPTURE,
            account=account,
            manifest=Absent.NOT_FOUND if manifest is None else manifest,
            sha256=entry_of(folder, CAPTURE if manifest is None else MANIFEST).sha256,
            mismatches=wrong,
        )


def _mismatches(folder: Folder, manifest: Manifest | None, account: Account) -> tuple[str, ...]:
    if manifest is None:
        return ()
    said, noted = (account.run.rung, account.run.network), (manifest.rung, manifest.network)
    other = () if said == noted else ("the manifest and the record are of different runs",)
    return mismatches(folder, manifest) + other


def _discard_hashes(folder: Folder) -> None:
    for name in (HASHES, SALTS):
        folder.discard(name)


def _hash_payloads(folder: Folder) -> int:
    with (
        folder.opened(CAPTURE) as capture,
        BufferedWriter(folder.made(HASHES)) as hashes,
        BufferedWriter(folder.made(SALTS)) as salts,
    ):
        return write_payload_hashes(capture, hashes, salts)
