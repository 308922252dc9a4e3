"""Tests of egress_audit/evidence/bundle.py."""

import hashlib
import os
import signal
import stat
from pathlib import Path
from typing import NoReturn

import pytest

from egress_audit.capture.source import open_capture
from egress_audit.errors import EgressAuditError, InputUnreadable
from egress_audit.evidence.bundle import BundleWriter, close_bundle, open_bundle
from egress_audit.evidence.events import EventsWriter
from egress_audit.evidence.pcapng_writer import PcapngWriter
from egress_audit.model.destination import Absent
from tests.builders.bundles import (
    INTERFACES,
    START_NS,
    Packet,
    begin,
    owner,
    whole_run,
    write_bundle,
)
from tests.builders.captures import UDP, ipv4, udp

PACKET = Packet(ipv4("10.87.0.2", "203.0.113.7", udp(1, 2, b"x"), UDP))


def test_a_whole_bundle_is_complete(tmp_path: Path) -> None:
    bundle = open_bundle(write_bundle(tmp_path / "b", [PACKET], whole_run(owner(1))))
    assert bundle.complete
    assert (bundle.mismatches, bundle.account.problems) == ((), ())
    assert bundle.account.owners.frame.tolist() == [1]
    assert bundle.capture == tmp_path / "b" / "capture.pcapng"


def test_a_bundle_is_known_by_its_manifest(tmp_path: Path) -> None:
    path = write_bundle(tmp_path / "b", [PACKET])
    expected = hashlib.sha256((path / "manifest.json").read_bytes()).hexdigest()
    assert open_bundle(path).sha256 == expected


def test_a_bundle_that_was_not_closed_is_known_by_its_capture(tmp_path: Path) -> None:
    path = write_bundle(tmp_path / "b", [PACKET], closed=False)
    bundle = open_bundle(path)
    assert not bundle.complete
    assert (bundle.manifest, bundle.mismatches) == (Absent.NOT_FOUND, ())
    assert bundle.sha256 == hashlib.sha256((path / "capture.pcapng").read_bytes()).hexdigest()


def test_a_closed_bundle_whose_record_stops_is_not_complete(tmp_path: Path) -> None:
    bundle = open_bundle(write_bundle(tmp_path / "b", [], whole_run()[:-1]))
    assert not bundle.complete


def test_a_bundle_that_was_changed_is_not_complete(tmp_path: Path) -> None:
    path = write_bundle(tmp_path / "b", [PACKET])
    (path / "note").write_text("")
    bundle = open_bundle(path)
    assert not bundle.complete
    assert bundle.mismatches == ("note is not in the manifest",)


def test_a_manifest_of_another_run_does_not_match(tmp_path: Path) -> None:
    path = write_bundle(tmp_path / "b", closed=False)
    close_bundle(path, rung="veth", network="simulated")
    assert open_bundle(path).mismatches == ("the manifest and the record are of different runs",)


def test_the_files_are_open_at_once_and_closed_to_others(tmp_path: Path) -> None:
    files = BundleWriter.create(tmp_path / "b")
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "b").iterdir()}
    assert modes == {"capture.pcapng": 0o600, "events.jsonl": 0o600}
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o700
    files.close()


def test_a_folder_with_a_bundle_is_not_written_over(tmp_path: Path) -> None:
    write_bundle(tmp_path / "b")
    with pytest.raises(EgressAuditError, match="is not empty"):
        BundleWriter.create(tmp_path / "b")


@pytest.mark.parametrize("name", ["capture.pcapng", "events.jsonl"])
def test_a_bundle_without_one_of_its_files_is_none(tmp_path: Path, name: str) -> None:
    path = write_bundle(tmp_path / "b", closed=False)
    (path / name).unlink()
    with pytest.raises(InputUnreadable, match=f"{name}: cannot be opened"):
        open_bundle(path)


@pytest.mark.parametrize("name", ["capture.pcapng", "events.jsonl", "manifest.json"])
def test_a_link_in_a_bundle_is_refused(tmp_path: Path, name: str) -> None:
    path = write_bundle(tmp_path / "b")
    (path / name).rename(tmp_path / name)
    (path / name).symlink_to(tmp_path / name)
    with pytest.raises(InputUnreadable, match=f"{name}: cannot be opened: is a link"):
        open_bundle(path)


def test_a_folder_of_captures_is_not_called_a_broken_bundle(tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(b"")
    with pytest.raises(InputUnreadable, match="is a folder, and no bundle"):
        open_bundle(tmp_path)


def test_a_capture_is_not_a_bundle(tmp_path: Path) -> None:
    path = write_bundle(tmp_path / "b")
    with pytest.raises(InputUnreadable, match="is no folder that can be read"):
        open_bundle(path / "capture.pcapng")


def test_a_disk_without_room_for_the_manifest_leaves_the_bundle_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_bundle(tmp_path / "b", [PACKET], closed=False)
    full = OSError(28, "No space left on device")
    with monkeypatch.context() as disk:
        disk.setattr("egress_audit.evidence.folder.write_all", lambda *_: (0, full))
        with pytest.raises(EgressAuditError, match="but the bundle is not closed"):
            close_bundle(path, rung="tun", network="simulated")
    assert open_bundle(path).manifest is Absent.NOT_FOUND
    close_bundle(path, rung="tun", network="simulated")
    assert open_bundle(path).complete


def test_a_disk_without_room_for_the_hashes_leaves_the_bundle_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_bundle(tmp_path / "b", [PACKET], closed=False)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("egress_audit.evidence.bundle.write_payload_hashes", full)
    with pytest.raises(EgressAuditError, match=r"payloads.sha256: cannot be written: No space"):
        close_bundle(path, rung="tun", network="simulated")
    assert sorted(p.name for p in path.iterdir()) == ["capture.pcapng", "events.jsonl"]


def test_a_killed_recorder_leaves_a_bundle_that_can_be_read(tmp_path: Path) -> None:
    files = BundleWriter.create(tmp_path / "b")
    ready, tell = os.pipe()
    child = os.fork()
    if not child:
        _record_for_ever(files, tell)
    os.close(tell)
    told = os.read(ready, 1)
    os.close(ready)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert told
    files.close()
    bundle = open_bundle(tmp_path / "b")
    source = open_capture(str(bundle.capture))
    frames = sum(len(batch) for batch in source)
    assert 0 < frames < 10_000
    assert not source.facts().damage
    assert bundle.account.run.ended_by == "lost"


def _record_for_ever(files: BundleWriter, tell: int) -> NoReturn:
    """A recorder that says when it has written much, and never ends by itself."""
    try:
        capture, events = PcapngWriter(files.capture, INTERFACES), EventsWriter(files.events)
        events.write("begin", START_NS, **begin().fields)
        for _ in range(10_000):
            capture.write(0, START_NS, PACKET.data, outbound=True)
        os.write(tell, b"!")
        signal.pause()
    finally:
        os._exit(1)
