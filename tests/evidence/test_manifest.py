"""Tests of egress_audit/evidence/manifest.py."""

import getpass
import hashlib
import json
import platform
from pathlib import Path

import pytest

from egress_audit.errors import InputUnreadable
from egress_audit.evidence.bundle import open_bundle
from egress_audit.evidence.folder import Folder
from egress_audit.evidence.manifest import (
    MAX_MANIFEST,
    FileEntry,
    Manifest,
    canonical,
    entry_of,
    host_facts,
    manifest_bytes,
    mismatches,
    read_manifest,
)
from egress_audit.model.destination import Absent
from tests.builders.bundles import Packet, mismatches_in, write_bundle
from tests.builders.captures import UDP, ipv4, udp

PACKET = Packet(ipv4("10.87.0.2", "203.0.113.7", udp(1, 2, b"x"), UDP))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "b", [PACKET, PACKET])


def altered(bundle: Path, **changes: object) -> Path:
    """The bundle with another manifest."""
    path = bundle / "manifest.json"
    path.write_bytes(canonical(json.loads(path.read_bytes()) | changes))
    return bundle


def refusal(bundle: Path) -> str:
    with pytest.raises(InputUnreadable) as refused:
        mismatches_in(bundle)
    return str(refused.value)


def test_a_closed_bundle_is_as_its_manifest_says(bundle: Path) -> None:
    assert mismatches_in(bundle) == ()


def test_the_manifest_is_canonical(bundle: Path) -> None:
    data = (bundle / "manifest.json").read_bytes()
    assert data == canonical(json.loads(data))
    assert data.isascii()
    assert data.endswith(b"}\n")
    assert b" :" not in data
    assert canonical({"b": 1, "a": ["ü"]}) == b'{"a":["\\u00fc"],"b":1}\n'


def test_what_was_written_is_read_back(bundle: Path) -> None:
    with Folder.open(bundle) as folder:
        manifest = read_manifest(folder)
        assert manifest is not None
        assert manifest_bytes(manifest) == (bundle / "manifest.json").read_bytes()
        assert (manifest.frames, manifest.rung, manifest.network) == (2, "tun", "simulated")
        assert sorted(manifest.files) == ["capture.pcapng", "events.jsonl", "payloads.sha256"]


def test_the_manifest_says_nothing_of_host_or_user_names(bundle: Path) -> None:
    shown = (bundle / "manifest.json").read_text()
    assert sorted(host_facts()) == ["kernel", "machine", "python"]
    assert json.loads(shown)["host"] == host_facts()
    for name in (platform.node(), getpass.getuser(), str(bundle)):
        assert f'"{name}"' not in shown


def test_an_entry_is_size_and_sha256(bundle: Path) -> None:
    data = (bundle / "events.jsonl").read_bytes()
    with Folder.open(bundle) as folder:
        entry = entry_of(folder, "events.jsonl")
    assert entry == FileEntry(hashlib.sha256(data).hexdigest(), len(data))


def test_a_changed_byte_is_found(bundle: Path) -> None:
    path = bundle / "capture.pcapng"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert mismatches_in(bundle) == ("capture.pcapng has another sha256 than the manifest",)


def test_another_size_is_found(bundle: Path) -> None:
    path = bundle / "events.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    (wrong,) = mismatches_in(bundle)
    assert wrong.startswith("events.jsonl has ")


def test_a_file_too_much_and_one_too_few_are_found(bundle: Path) -> None:
    (bundle / "no\nte").write_text("")
    (bundle / "payloads.sha256").unlink()
    assert mismatches_in(bundle) == ("payloads.sha256 is missing", "no\\nte is not in the manifest")


def test_salts_may_go_but_not_change_their_number(bundle: Path) -> None:
    (bundle / "payloads.salt").write_bytes(bytes(33))
    assert mismatches_in(bundle) == ("payloads.salt has 33 bytes, not 32",)
    (bundle / "payloads.salt").unlink()
    assert mismatches_in(bundle) == ()


def test_hashes_are_as_many_as_frames(bundle: Path) -> None:
    assert "payloads.sha256 does not have a hash for each of 3 frames" in (
        mismatches_in(altered(bundle, frames=3))
    )


def test_a_bundle_without_manifest_was_not_closed(bundle: Path) -> None:
    (bundle / "manifest.json").unlink()
    opened = open_bundle(bundle)
    assert (opened.manifest, opened.mismatches) == (Absent.NOT_FOUND, ())


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "another"},
        {"version": 2},
        {"frames": -1},
        {"frames": True},
        {"files": []},
        {"files": {"a": {"sha256": 1, "size": 1}}},
        {"files": {f"{n}": {"sha256": "", "size": 1} for n in range(65)}},
        {"host": {"kernel": "6"}},
        {"rung": None},
    ],
    ids=range(9),
)
def test_a_manifest_of_another_shape_is_refused(bundle: Path, changes: dict[str, object]) -> None:
    assert "manifest.json: is no manifest of a bundle" in refusal(altered(bundle, **changes))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}\n",
        b"[]\n",
        b"[" * 100_000,
        b"\xff",
        b"9" * 5000 + b"\n",
        b"x" * (MAX_MANIFEST + 9),
    ],
    ids=range(7),
)
def test_what_is_no_manifest_is_refused(bundle: Path, data: bytes) -> None:
    (bundle / "manifest.json").write_bytes(data)
    assert "manifest.json: is no manifest of a bundle" in refusal(bundle)


def test_a_manifest_that_is_not_canonical_is_refused(bundle: Path) -> None:
    path = bundle / "manifest.json"
    path.write_bytes(path.read_bytes() + b"\n")
    assert "is no manifest of a bundle" in refusal(bundle)


def test_a_file_that_became_a_link_is_refused(bundle: Path, tmp_path: Path) -> None:
    (bundle / "events.jsonl").rename(tmp_path / "events.jsonl")
    (bundle / "events.jsonl").symlink_to(tmp_path / "events.jsonl")
    assert "events.jsonl: cannot be opened: is a link" in refusal(bundle)


def test_a_manifest_that_names_files_outside_reads_none_of_them(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    files = {"../secret": FileEntry("", 1)}
    manifest = Manifest(files, host_facts(), "tun", "sealed", 0)
    with Folder.create(tmp_path / "b") as folder:
        assert "../secret is missing" in mismatches(folder, manifest)
