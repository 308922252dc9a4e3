"""File systems in sight whose answers come from elsewhere: a server, or a program of the host.

Whoever looks for a file there asks the other side for it by name. The kernel does so outside of the
sandbox's network, or a process of the host does, and no packet of it is recorded.

Source: proc_pid_mountinfo(5).
"""

from pathlib import Path, PurePosixPath
from typing import NamedTuple

from egress_audit.record.mounts import is_within, unescaped

SERVED = frozenset(
    (
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "coda", "9p", "autofs", "fuse"),
        *("ceph", "lustre", "gpfs", "beegfs", "orangefs", "pvfs2", "gfs2", "ocfs2"),
        *("virtiofs", "vboxsf", "vmhgfs", "prl_fs", "drvfs"),
    )
)
"""Types of Linux and of its modules; `fuse.sshfs` and the like are fuse, `fuseblk` is a disk."""
LAYERED = "overlay"
"""Covers what lies below it, and asks it all the same."""
POINT, OPTIONAL = 4, 6
"""Fields of a line: the mount point, and the first of those that end with a hyphen."""
SHOWN = 10


class Mount(NamedTuple):
    """A line of mountinfo."""

    point: str
    kind: str


def note_of_served(mountinfo: Path = Path("/proc/self/mountinfo")) -> str:
    """A sentence about those that this process sees, for people; empty if there are none.

    None of them is looked at: a server that is gone would hold us up for as long as it likes.
    """
    found = [f"{mount.point} ({mount.kind})" for mount in served(mountinfo.read_bytes())]
    if not found:
        return ""
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return (
        "what is asked of file servers, or of programs of the host, by the names of files below "
        f"{', '.join(found[:SHOWN])}{more}"
    )


def served(mountinfo: bytes) -> list[Mount]:
    """Mounts of such file systems that no later mount covers; /proc is the sandbox's own."""
    found, covered = [], set[str]()
    for mount in reversed([_mount(line) for line in mountinfo.splitlines()]):
        is_served = mount.kind.partition(".")[0] in SERVED and not is_within(mount.point, "/proc")
        folders = (mount.point, *map(str, PurePosixPath(mount.point).parents))
        if is_served and covered.isdisjoint(folders):
            found.append(mount)
        if mount.kind != LAYERED:
            covered.add(mount.point)
    return found[::-1]


def _mount(line: bytes) -> Mount:
    fields = [unescaped(field).decode("utf-8", "replace") for field in line.split(b" ")]
    return Mount(fields[POINT], fields[fields.index("-", OPTIONAL) + 1])
