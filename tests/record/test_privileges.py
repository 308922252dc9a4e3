"""The program never runs as uid 0 of the host, and what root gives up does not come back."""

import os
import pwd
from pathlib import Path

import pytest

from egress_audit.errors import WrongUsage
from egress_audit.record.privileges import NOBODY, TargetUser, become, map_self, target_user
from egress_audit.record.syscalls import CLONE_NEWUSER, unshare
from tests.builders.namespaces import in_child

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="changes the user")
HOME = {"HOME": "/somewhere"}


def status(field: str) -> str:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(line.split(":")[1].strip() for line in lines if line.startswith(field + ":"))


@needs_root
def test_root_runs_the_program_as_nobody_with_the_home_it_has() -> None:
    user = target_user(None, HOME)
    assert (user.uid, user.gid, user.groups, user.home) == (NOBODY, NOBODY, (), "/somewhere")


@needs_root
def test_who_called_sudo_is_the_user() -> None:
    user = target_user(None, {"SUDO_UID": "1", "SUDO_GID": "2", "HOME": "/root"})
    assert (user.uid, user.gid, user.home) == (1, 2, pwd.getpwuid(1).pw_dir)


@needs_root
def test_sudo_called_by_root_is_no_reason_to_stay_root() -> None:
    assert target_user(None, {"SUDO_UID": "0", "SUDO_GID": "0", **HOME}).uid == NOBODY


@needs_root
def test_a_user_without_an_account_is_a_number() -> None:
    user = target_user("54321", HOME)
    assert (user.uid, user.gid, user.name) == (54321, 54321, "54321")


@needs_root
@pytest.mark.parametrize("name", ["root", "0", "00"])
def test_root_is_refused(name: str) -> None:
    with pytest.raises(WrongUsage, match="never runs as root"):
        target_user(name, HOME)


@pytest.mark.parametrize("name", ["no-such-user", "", "99999999999"])
def test_a_user_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(WrongUsage, match="no user"):
        target_user(name, HOME)


def test_an_ordinary_user_is_itself() -> None:
    user = in_child(lambda: target_user(None, HOME), as_nobody=True)
    uid = os.geteuid() or NOBODY
    assert (user.uid, user.home) == (uid, "/somewhere")


def test_an_ordinary_user_cannot_choose_another() -> None:
    with pytest.raises(WrongUsage, match="only root can run the program as root"):
        in_child(lambda: target_user("root", HOME), as_nobody=True)


def test_an_ordinary_user_may_name_itself() -> None:
    def named() -> int:
        return target_user(str(os.geteuid()), HOME).uid

    assert in_child(named, as_nobody=True) == (os.geteuid() or NOBODY)


@needs_root
def test_root_in_a_user_namespace_without_nobody_is_refused_when_it_is_root_outside() -> None:
    def chosen() -> TargetUser:
        unshare(CLONE_NEWUSER)
        map_self(0, 0)
        return target_user(None, HOME)

    with pytest.raises(Exception, match="no user but root"):
        in_child(chosen)


def test_root_of_a_container_without_root_is_an_ordinary_user() -> None:
    def chosen() -> int:
        outside = os.geteuid()
        group = os.getegid()
        unshare(CLONE_NEWUSER)
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"0 {outside} 1"),
            ("gid_map", f"0 {group} 1"),
        ):
            Path("/proc/self", name).write_text(text, encoding="ascii")
        return target_user(None, HOME).uid

    assert in_child(chosen, as_nobody=True) == 0


@needs_root
def test_nothing_of_root_is_left_after_the_change() -> None:
    def left() -> tuple[str, str, str, str, str]:
        become(TargetUser(NOBODY, NOBODY, (), "/", "nobody"))
        return tuple(status(field) for field in ("Uid", "Gid", "Groups", "CapPrm", "CapBnd"))  # type: ignore[return-value]

    uid, gid, groups, permitted, bounding = in_child(left)
    assert uid.split() == gid.split() == [str(NOBODY)] * 4
    assert groups == ""
    assert int(permitted, 16) == int(bounding, 16) == 0


@needs_root
def test_the_change_cannot_be_taken_back() -> None:
    def back() -> None:
        become(TargetUser(NOBODY, NOBODY, (), "/", "nobody"))
        os.setresuid(0, 0, 0)

    with pytest.raises(PermissionError):
        in_child(back)


def test_a_user_becomes_itself_without_rights() -> None:
    def itself() -> int:
        become(target_user(None, HOME))
        return os.geteuid()

    assert in_child(itself, as_nobody=True) == (os.geteuid() or NOBODY)


def test_another_user_cannot_be_had_without_rights() -> None:
    with pytest.raises(PermissionError):
        in_child(lambda: become(TargetUser(1, 1, (), "/", "daemon")), as_nobody=True)


def test_in_the_user_namespace_the_user_is_the_same_and_has_capabilities() -> None:
    def inside() -> tuple[int, bool]:
        user = target_user(None, HOME)
        become(user)
        unshare(CLONE_NEWUSER)
        map_self(user.uid, user.gid)
        return os.geteuid(), int(status("CapEff"), 16) != 0

    assert in_child(inside) == (os.geteuid() or NOBODY, True)
