"""HOME with another owner: root shows its own files to the ordinary user who runs the program.

Source: mount_setattr(2), MOUNT_ATTR_IDMAP; Linux 5.12 and a file system that allows it (ext4, xfs,
btrfs, tmpfs since 6.3, overlay since 5.19; not NFS).
"""

import os
from pathlib import Path

from egress_audit.errors import EgressAuditError
from egress_audit.record import mounts, syscalls


def idmapped_home(home: str, uid: int, gid: int) -> list[str]:
    """Notes on what could not be shown; afterwards the owner of `home` appears to be uid and gid.

    Called as root, in a private mount namespace. Nothing changes if the owner is that user
    already, or if there is no such folder. Files of other owners belong to nobody. A mount below
    HOME that cannot be mapped is left out and noted; for HOME itself: EgressAuditError.
    """
    real = os.path.realpath(home)
    if real == "/" or not mounts.is_folder(real):
        return []  # nothing that could be a HOME of its own
    facts = Path(real).stat()
    if facts.st_uid == uid:
        return []
    notes, trees = [], []
    namespace = _user_namespace((facts.st_uid, uid), (facts.st_gid, gid))
    try:
        for path in (real, *mounts.mounts_below(real)):
            try:
                tree = mounts.clone(path, recursive=False)
                mounts.map_owners(tree, namespace)
            except OSError as error:
                if path == real:
                    raise EgressAuditError(
                        f"its files cannot be shown to uid {uid}: {error.strerror}",
                        where=home,
                        hint="name its owner by --user, or give --home fresh",
                    ) from error
                notes.append(f"{path} is left out of HOME: {error.strerror}")
                continue
            trees.append((tree, path))
    finally:
        os.close(namespace)
    for tree, path in trees:
        mounts.attach(tree, path)
    return notes


def _user_namespace(uids: tuple[int, int], gids: tuple[int, int]) -> int:
    """Descriptor of a user namespace that maps (uid on disk, uid shown), and gids alike.

    A child makes it and lives until its maps are written.
    """
    made_reading, made_writing = os.pipe()
    done_reading, done_writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            syscalls.unshare(syscalls.CLONE_NEWUSER)
            os.write(made_writing, b"1")
            os.close(done_writing)
            os.read(done_reading, 1)
        finally:
            os._exit(0)
    os.close(made_writing)
    os.close(done_reading)
    try:
        if not os.read(made_reading, 1):
            raise EgressAuditError(
                "no user namespace could be made", hint="this kernel or container forbids them"
            )
        for name, (on_disk, shown) in (("uid_map", uids), ("gid_map", gids)):
            Path(f"/proc/{pid}/{name}").write_text(f"{on_disk} {shown} 1", encoding="utf-8")
        return os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(made_reading)
        os.close(done_writing)
        os.waitpid(pid, 0)
