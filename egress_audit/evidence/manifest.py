"""The manifest closes a bundle: what files it has, their sha256, and what host made them.

It holds no name of host or user, and no path.
"""

import hashlib
import json
import os
import platform
from collections.abc import Mapping

from egress_audit.errors import InputUnreadable
from egress_audit.evidence.folder import Folder
from egress_audit.evidence.lines import one_line
from egress_audit.evidence.payload_hashes import HASH_BYTES, HASHES, SALT_BYTES, SALTS
from egress_audit.values import dataclass

MANIFEST = "manifest.json"
FORMAT = "egress-audit bundle"
VERSION = 1
MAX_MANIFEST = 1 << 20
MAX_FILES = 64
READ = 1 << 20

HOST_FACTS = ("kernel", "machine", "python")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file of the bundle as it was when the bundle was closed."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a closed bundle says of itself."""

    files: Mapping[str, FileEntry]
    """All but the manifest and the salts, of which a later redaction may take some away."""
    host: Mapping[str, str]
    """HOST_FACTS."""
    rung: str
    network: str
    frames: int


def host_facts() -> dict[str, str]:
    """Release of the kernel, machine, version of Python."""
    host = os.uname()
    return {
        "kernel": host.release,
        "machine": host.machine,
        "python": platform.python_version(),
    }


def canonical(value: object) -> bytes:
    """JSON with sorted keys, no spaces, ASCII only, and one newline behind it."""
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
    return text.encode("ascii") + b"\n"


def manifest_bytes(manifest: Manifest) -> bytes:
    """The manifest as it stands in its file."""
    files = {name: {"sha256": e.sha256, "size": e.size} for name, e in manifest.files.items()}
    return canonical(
        {
            "files": files,
            "format": FORMAT,
            "frames": manifest.frames,
            "host": dict(manifest.host),
            "network": manifest.network,
            "payload_hashes": {
                "covers": "captured bytes behind the transport header, or else all",
                "hash": "sha256",
                "hashes": HASHES,
                "salt_bytes": SALT_BYTES,
                "salts": SALTS,
            },
            "rung": manifest.rung,
            "version": VERSION,
        }
    )


def read_manifest(folder: Folder) -> Manifest | None:
    """The manifest of a bundle; None if it has none. Raises InputUnreadable if it is not one."""
    if MANIFEST not in folder.names():
        return None
    with folder.opened(MANIFEST) as stream:
        data = stream.read(MAX_MANIFEST + 1)
    try:
        value = json.loads(data.decode("ascii")) if len(data) <= MAX_MANIFEST else None
        if value is None or canonical(value) != data:
            raise ValueError("not in its canonical form")
        return _manifest_of(value)
    except (ValueError, RecursionError) as error:
        raise InputUnreadable(
            "is no manifest of a bundle",
            where=folder.shown(MANIFEST),
            hint="the bundle was changed, or made by another version of egress-audit",
        ) from error


def entry_of(folder: Folder, name: str) -> FileEntry:
    """Size and sha256 of a file of the bundle."""
    digest, size = hashlib.sha256(), 0
    with folder.opened(name) as stream:
        while chunk := stream.read(READ):
            digest.update(chunk)
            size += len(chunk)
    return FileEntry(digest.hexdigest(), size)


def mismatches(folder: Folder, manifest: Manifest) -> tuple[str, ...]:
    """What in a bundle is not as its manifest says; empty if all is."""
    found = folder.names()
    wrong = [f"{one_line(name)} is missing" for name in sorted(manifest.files) if name not in found]
    for name in sorted(found):
        if name in manifest.files:
            wrong += _differences(name, manifest.files[name], folder)
        elif name == SALTS:
            wrong += _wrong_salts(folder, manifest.frames)
        elif name != MANIFEST:
            wrong.append(f"{one_line(name)} is not in the manifest")
    hashes = manifest.files.get(HASHES)
    if hashes is None or hashes.size != manifest.frames * HASH_BYTES:
        wrong.append(f"{HASHES} does not have a hash for each of {manifest.frames} frames")
    return tuple(wrong)


def _differences(name: str, noted: FileEntry, folder: Folder) -> list[str]:
    entry = entry_of(folder, name)
    if entry.size != noted.size:
        return [f"{name} has {entry.size} bytes, the manifest says {noted.size}"]
    return [] if entry.sha256 == noted.sha256 else [f"{name} has another sha256 than the manifest"]


def _wrong_salts(folder: Folder, frames: int) -> list[str]:
    size = folder.size(SALTS)
    expected = frames * SALT_BYTES
    return [] if size == expected else [f"{SALTS} has {size} bytes, not {expected}"]


def _manifest_of(value: object) -> Manifest:
    """Raises ValueError where something is missing or not what it must be."""
    fields = _mapping(value)
    if fields.get("format") != FORMAT or fields.get("version") != VERSION:
        raise ValueError("another format")
    files = {name: _entry(entry) for name, entry in _mapping(fields.get("files")).items()}
    if len(files) > MAX_FILES:
        raise ValueError("too many files")
    host = _mapping(fields.get("host"))
    return Manifest(
        files=files,
        host={name: one_line(_text(host.get(name))) for name in HOST_FACTS},
        rung=one_line(_text(fields.get("rung"))),
        network=one_line(_text(fields.get("network"))),
        frames=_count(fields.get("frames")),
    )


def _entry(value: object) -> FileEntry:
    fields = _mapping(value)
    return FileEntry(_text(fields.get("sha256")), _count(fields.get("size")))


def _mapping(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


def _text(value: object) -> str:
    if type(value) is not str:
        raise ValueError("no text")
    return value


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value < 1 << 62:
        raise ValueError("no number")
    return value
