"""The user as whom the program runs, and how root becomes it; never uid 0 of the host.

Source: capabilities(7), user_namespaces(7). uid 0 without any capability can still write
/proc/sys/kernel/core_pattern or a crontab, so emptying its capabilities would not do.
"""

import errno
import os
import pwd
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from egress_audit.errors import EgressAuditError, WrongUsage
from egress_audit.record import syscalls

NOBODY = 65534


@dataclass(frozen=True, slots=True)
class TargetUser:
    """As whom the program runs."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    """Supplementary groups; () for another user than ourselves if it has none."""
    home: str
    name: str
    """Login name, or the number if it has none."""

    @property
    def is_other(self) -> bool:
        """True if we must change user first."""
        return self.uid != os.geteuid()


def target_user(requested: str | None, environ: Mapping[str, str]) -> TargetUser:
    """The user that was asked for; else who called sudo; else nobody when root; else ourselves.

    `requested`: a login name or a number. Raises WrongUsage for root, for nobody's name, and for
    another user than ourselves when we are not root.
    """
    if os.geteuid() != 0:
        if requested is not None and _account(requested).uid != os.geteuid():
            raise WrongUsage(
                f"only root can run the program as {requested}", where="--user", hint="leave it out"
            )
        return _ourselves(environ)
    if requested is not None:
        return _not_root(_account(requested))
    sudo_uid, sudo_gid = environ.get("SUDO_UID", ""), environ.get("SUDO_GID", "")
    if sudo_uid.isdecimal() and sudo_gid.isdecimal() and int(sudo_uid):
        return _account(sudo_uid, int(sudo_gid))
    if not _is_mapped(NOBODY):
        return _root_of_a_user_namespace(environ)
    home = environ.get("HOME") or pwd.getpwuid(0).pw_dir
    nobody = _account(str(NOBODY), NOBODY)
    return TargetUser(nobody.uid, nobody.gid, (), home, nobody.name)


def become(user: TargetUser, *, keep: int = 0) -> None:
    """Makes this process that user for good; nothing if it is already. Raises OSError.

    A later user namespace gives capabilities in that namespace alone. keep: capabilities, as bits,
    that stay until then: some hosts let nobody make user namespaces who has none (AppArmor).
    """
    if user.is_other:
        _empty_bounding_set()
        syscalls.prctl(syscalls.PR_SET_KEEPCAPS, 1 if keep else 0)
        os.setgroups(user.groups)
        os.setresgid(user.gid, user.gid, user.gid)
        os.setresuid(user.uid, user.uid, user.uid)
        if keep:
            syscalls.set_capabilities(keep, keep)
        # A change of user makes /proc/self root's, and the maps could not be written.
        syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)
    if os.getresuid() != (user.uid,) * 3 or os.getresgid() != (user.gid,) * 3:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM), f"become user {user.name}")


def die_with(parent: int) -> None:
    """Has the kernel end this process when its parent does; every change of user forgets it.

    Ends it at once if the parent is gone already, that is, if it is not `parent` (a pid).
    """
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def map_self(uid: int, gid: int) -> None:
    """Gives the new user namespace we are in its only user, who keeps uid and gid. OSError.

    Source: user_namespaces(7): without `deny` an ordinary user may not write gid_map.
    """
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        Path("/proc/self", name).write_text(text, encoding="utf-8")


def _ourselves(environ: Mapping[str, str]) -> TargetUser:
    uid = os.geteuid()
    try:
        entry = pwd.getpwuid(uid)
        name, home = entry.pw_name, entry.pw_dir
    except KeyError:
        name, home = str(uid), "/"
    return TargetUser(uid, os.getegid(), tuple(os.getgroups()), environ.get("HOME") or home, name)


def _account(requested: str, gid: int | None = None) -> TargetUser:
    """A user by name or number; a number needs no account."""
    try:
        by_number = requested.isdecimal()
        entry = pwd.getpwuid(int(requested)) if by_number else pwd.getpwnam(requested)
    except (KeyError, OverflowError) as error:
        if not requested.isdecimal() or int(requested) >= 1 << 32:
            raise WrongUsage(f"no user {requested}", where="--user") from error
        number = int(requested)
        return TargetUser(number, number if gid is None else gid, (), "/", requested)
    primary = entry.pw_gid if gid is None else gid
    groups = tuple(os.getgrouplist(entry.pw_name, primary))
    return TargetUser(entry.pw_uid, primary, groups, entry.pw_dir, entry.pw_name)


def _not_root(user: TargetUser) -> TargetUser:
    if user.uid == 0:
        raise WrongUsage(
            "the program never runs as root of this host",
            where="--user",
            hint="name an ordinary user; root can change the host without any network",
        )
    return user


def _root_of_a_user_namespace(environ: Mapping[str, str]) -> TargetUser:
    """Ourselves, if uid 0 is an ordinary user outside, as in a container without root."""
    for line in Path("/proc/self/uid_map").read_text(encoding="utf-8").splitlines():
        inside, outside, _ = (int(word) for word in line.split())
        if inside == 0 and outside != 0:
            return _ourselves(environ)
    raise EgressAuditError(
        "there is no user but root in this user namespace",
        where="/proc/self/uid_map",
        hint="start egress-audit as an ordinary user",
    )


def _is_mapped(uid: int) -> bool:
    lines = Path("/proc/self/uid_map").read_text(encoding="utf-8").splitlines()
    spans = [[int(word) for word in line.split()] for line in lines]
    return any(inside <= uid < inside + count for inside, _, count in spans)


def _empty_bounding_set() -> None:
    """First of all: it takes a capability that the change of user takes away."""
    for capability in range(syscalls.LAST_POSSIBLE_CAPABILITY + 1):
        try:
            syscalls.prctl(syscalls.PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            return
