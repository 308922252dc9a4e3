"""What explains a refusal is read where kernels and container tools write it."""

import os
import platform
import sys
from pathlib import Path

import pytest

from egress_audit.record.host_facts import FIRST_PIDS, SETTINGS, host_facts


def write(root: Path, path: str, text: str = "") -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_this_host_can_be_described() -> None:
    facts = host_facts()
    assert (facts.release, facts.machine) == (platform.release(), platform.machine())
    assert facts.interpreter == os.path.realpath(sys.executable)
    assert set(facts.settings) <= set(SETTINGS)


def test_what_a_kernel_does_not_have_is_missing(tmp_path: Path) -> None:
    facts = host_facts(tmp_path)
    assert (facts.settings, facts.modules, facts.container) == ({}, (), "")
    assert (facts.may_mount, facts.tun_mode) == (False, "")


def test_settings_are_as_the_kernel_shows_them(tmp_path: Path) -> None:
    write(tmp_path, "proc/sys/kernel/yama/ptrace_scope", "2\n")
    write(tmp_path, "sys/kernel/security/lsm", "capability,yama,apparmor\n")
    facts = host_facts(tmp_path)
    assert facts.settings == {"kernel/yama/ptrace_scope": "2"}
    assert facts.modules == ("capability", "yama", "apparmor")


@pytest.mark.parametrize(
    ("path", "text", "tool"),
    [
        (".dockerenv", "", "docker"),
        ("run/.containerenv", "", "podman"),
        ("proc/1/cgroup", "0::/docker/0123abc\n", "docker"),
        ("proc/1/cgroup", "0::/kubepods/burstable/pod1\n", "kubernetes"),
        ("proc/1/environ", "A=1\0container=lxc\0", "lxc"),
        ("proc/1/environ", "container=\0", "some container tool"),
        ("proc/self/mountinfo", "9 8 0:5 / /proc/kcore rw - tmpfs t rw", "some container tool"),
        ("proc/1/cgroup", "0::/init.scope\n", ""),
    ],
)
def test_a_container_leaves_signs(path: str, text: str, tool: str, tmp_path: Path) -> None:
    write(tmp_path, path, text)
    assert host_facts(tmp_path).container == tool


def test_a_machine_made_of_a_containers_image_is_no_container(tmp_path: Path) -> None:
    write(tmp_path, ".dockerenv")
    (tmp_path / "proc/self/ns").mkdir(parents=True)
    (tmp_path / "proc/self/ns/pid").symlink_to(FIRST_PIDS)
    assert host_facts(tmp_path).container == ""


def test_unless_our_system_calls_are_filtered(tmp_path: Path) -> None:
    write(tmp_path, ".dockerenv")
    write(tmp_path, "proc/self/status", "Name:\tx\nCapEff:\t0000000000200000\nSeccomp:\t2\n")
    (tmp_path / "proc/self/ns").mkdir()
    (tmp_path / "proc/self/ns/pid").symlink_to(FIRST_PIDS)
    facts = host_facts(tmp_path)
    assert (facts.container, facts.may_mount) == ("docker", True)


def test_the_mode_of_the_device_is_told(tmp_path: Path) -> None:
    write(tmp_path, "dev/net/tun")
    (tmp_path / "dev/net/tun").chmod(0o600)
    assert host_facts(tmp_path).tun_mode == "0600"


def test_what_every_machine_mounts_below_proc_is_no_sign_of_a_container(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    line = "9 8 0:5 / /proc/sys/fs/binfmt_misc rw - autofs a rw\n"
    (tmp_path / "proc/self/mountinfo").write_text(line)
    assert host_facts(tmp_path).container == ""
