"""A refusal that is known has its reason and remedy; of others the kernel's words are told."""

import errno
import os
from dataclasses import replace

import pytest

from egress_audit.record.host_facts import HostFacts
from egress_audit.record.remedies import remedy_for
from egress_audit.record.trials import NO_SANDBOX, Trial

PLAIN = HostFacts("6.12.1", "x86_64", {}, (), "", "0666", False, False, "/usr/bin/python3")


def refused(code: int) -> Trial:
    return Trial(os.strerror(code), code)


def with_setting(name: str, value: str) -> HostFacts:
    return replace(PLAIN, settings={name: value})


@pytest.mark.parametrize("check", ["user", "network", "tun", "veth", "mounts", "proc", "packets"])
def test_a_limit_of_no_user_namespaces_explains_everything(check: str) -> None:
    facts = with_setting("user/max_user_namespaces", "0")
    remedy = remedy_for(check, refused(errno.ENOSPC), facts)
    assert remedy.why == "user.max_user_namespaces is 0"
    assert remedy.commands == ("sudo sysctl -w user.max_user_namespaces=15000",)


def test_a_limit_of_another_kind_explains_its_own_kind() -> None:
    facts = with_setting("user/max_net_namespaces", "0")
    assert "max_net" in remedy_for("network", refused(errno.ENOSPC), facts).why
    assert "max_net" not in remedy_for("user", refused(errno.EPERM), facts).why


def test_a_kernel_that_keeps_user_namespaces_to_root_can_be_told_otherwise() -> None:
    facts = with_setting("kernel/unprivileged_userns_clone", "0")
    remedy = remedy_for("user", refused(errno.EPERM), facts)
    assert "unprivileged_userns_clone=1" in remedy.commands[0]


@pytest.mark.parametrize("check", ["user", "network", "mounts"])
def test_apparmors_limit_is_lifted_by_a_profile_for_this_interpreter(check: str) -> None:
    facts = with_setting("kernel/apparmor_restrict_unprivileged_userns", "1")
    remedy = remedy_for(check, refused(errno.EACCES), facts)
    assert "  userns," in remedy.commands
    assert any("/usr/bin/python3" in line for line in remedy.commands)
    assert not remedy.tried


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ("docker", ["docker run", "seccomp=unconfined", "systempaths=unconfined", "/dev/net/tun"]),
        ("podman", ["podman run", "seccomp=unconfined", "unmask=ALL", "/dev/net/tun"]),
        ("kubernetes", ["procMount: Unmasked"]),
        ("lxc", ["security.nesting"]),
        ("some container tool", ["docker run"]),
    ],
)
def test_a_container_must_be_started_otherwise(tool: str, words: list[str]) -> None:
    facts = replace(PLAIN, container=tool)
    remedy = remedy_for("proc", refused(errno.EPERM), facts)
    assert tool in remedy.why
    assert all(word in "\n".join(remedy.commands) for word in words)
    assert remedy.tried == (tool not in ("kubernetes", "lxc"))


def test_root_of_a_container_is_told_to_be_somebody_else() -> None:
    facts = replace(PLAIN, container="docker", as_root=True)
    assert "--user 1000:1000" in remedy_for("user", refused(errno.EPERM), facts).commands[0]
    weak = remedy_for("sandbox-tun", refused(errno.EPERM), facts)
    assert "without CAP_SYS_ADMIN" in weak.why


def test_root_that_may_mount_is_not_told_to_be_somebody_else() -> None:
    facts = replace(PLAIN, as_root=True, may_mount=True)
    assert "CAP_SYS_ADMIN" not in remedy_for("listener", refused(errno.EPERM), facts).why


@pytest.mark.parametrize(
    ("trial", "facts", "command"),
    [
        (refused(errno.EACCES), replace(PLAIN, tun_mode="0600"), "sudo chmod 0666 /dev/net/tun"),
        (refused(errno.ENOENT), replace(PLAIN, tun_mode=""), "sudo modprobe tun"),
        (refused(errno.ENODEV), PLAIN, "sudo modprobe tun"),
    ],
)
def test_a_device_that_cannot_be_opened_is_made_usable(
    trial: Trial, facts: HostFacts, command: str
) -> None:
    assert remedy_for("tun", trial, facts).commands == (command,)


def test_a_container_is_given_the_device_when_it_starts() -> None:
    facts = replace(PLAIN, container="docker", tun_mode="")
    commands = remedy_for("tun", refused(errno.ENOENT), facts).commands
    assert "--device /dev/net/tun" in "\n".join(commands)


def test_a_kernel_without_veth_may_have_it_as_a_module() -> None:
    remedy = remedy_for("veth", refused(errno.EOPNOTSUPP), PLAIN)
    assert remedy.commands == ("sudo modprobe veth",)


@pytest.mark.parametrize(
    ("check", "version"), [("notification", "5.19"), ("listener", "5.6"), ("memory", "3.2")]
)
def test_an_old_kernel_is_told_which_would_do(check: str, version: str) -> None:
    facts = replace(PLAIN, release="4.18.0")
    why = remedy_for(check, refused(errno.ENOSYS), facts).why
    assert version in why
    assert "4.18.0" in why


def test_another_listener_is_in_the_way() -> None:
    assert "already" in remedy_for("notification", refused(errno.EBUSY), PLAIN).why


@pytest.mark.parametrize(("scope", "named"), [("1", False), ("2", True), ("3", True)])
def test_yama_is_blamed_only_where_it_forbids(scope: str, named: bool) -> None:
    facts = with_setting("kernel/yama/ptrace_scope", scope)
    assert ("ptrace_scope" in remedy_for("memory", refused(errno.EPERM), facts).why) is named
    assert "ptrace_scope" not in remedy_for("notification", refused(errno.EPERM), facts).why


def test_a_machine_whose_calls_are_not_known_is_named() -> None:
    facts = replace(PLAIN, machine="riscv64")
    assert "riscv64" in remedy_for("notification", refused(errno.ENOSYS), facts).why


def test_a_home_without_overlay_needs_nothing() -> None:
    remedy = remedy_for("overlay", Trial("a mount of its own"), PLAIN)
    assert remedy.why == "a mount of its own"
    assert "nothing is needed" in remedy.advice
    assert not remedy_for("overlay", NO_SANDBOX, PLAIN).advice


def test_what_nobody_can_explain_is_told_in_the_kernels_words() -> None:
    facts = replace(PLAIN, modules=("selinux",))
    remedy = remedy_for("mounts", refused(errno.EPERM), facts)
    assert remedy.why == "the kernel says: Operation not permitted; security modules here: selinux"
    assert not remedy.advice
