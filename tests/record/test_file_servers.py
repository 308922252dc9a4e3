"""Which mounts lead to somebody who is asked for files by their names."""

from pathlib import Path

import pytest

from egress_audit.record.file_servers import SHOWN, note_of_served, served


def line(point: str, kind: str, optional: str = "") -> bytes:
    """A line as proc_pid_mountinfo(5) shows it."""
    return f"36 35 98:0 /mnt1 {point} rw,noatime {optional}- {kind} source rw".encode()


def told(*lines: bytes) -> list[str]:
    return [mount.point for mount in served(b"\n".join(lines))]


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "autofs", "9p", "fuse", "fuse.sshfs"])
def test_a_file_server_is_told(kind: str) -> None:
    assert told(line("/", "ext4"), line("/home", kind, "shared:1 master:2 ")) == ["/home"]


@pytest.mark.parametrize(
    "kind", ["ext4", "btrfs", "tmpfs", "fuseblk", "overlay", "proc", "fusectl"]
)
def test_a_disk_is_not(kind: str) -> None:
    assert told(line("/home", kind)) == []


def test_what_a_private_folder_covers_cannot_be_asked() -> None:
    covers = line("/run", "tmpfs")
    assert told(line("/run/user/7/gvfs", "fuse.gvfsd-fuse"), covers) == []
    assert told(covers, line("/run/user/7/gvfs", "fuse.gvfsd-fuse")) == ["/run/user/7/gvfs"]
    assert told(line("/running", "nfs"), covers) == ["/running"]


def test_a_layer_asks_what_lies_below_it() -> None:
    assert told(line("/home/me", "nfs4"), line("/home/me", "overlay")) == ["/home/me"]


def test_the_one_that_waits_below_proc_is_covered_with_it() -> None:
    assert told(line("/proc/sys/fs/binfmt_misc", "autofs")) == []


def test_the_note_names_points_and_types(tmp_path: Path) -> None:
    (tmp_path / "mountinfo").write_bytes(line("/a\\040b", "nfs4") + b"\n" + line("/net", "autofs"))
    assert note_of_served(tmp_path / "mountinfo").endswith("below /a b (nfs4), /net (autofs)")


def test_many_are_counted(tmp_path: Path) -> None:
    lines = [line(f"/net/{number}", "nfs") for number in range(SHOWN + 3)]
    (tmp_path / "mountinfo").write_bytes(b"\n".join(lines))
    assert note_of_served(tmp_path / "mountinfo").endswith("(nfs) and 3 more")


def test_without_any_there_is_no_note(tmp_path: Path) -> None:
    (tmp_path / "mountinfo").write_bytes(line("/", "ext4"))
    assert note_of_served(tmp_path / "mountinfo") == ""
