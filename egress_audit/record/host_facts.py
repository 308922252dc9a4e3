"""What a host says of itself: read to explain why something was refused, never to foretell it."""

import os
import platform
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from egress_audit.record.syscalls import CAP_SYS_ADMIN

SETTINGS = (
    "kernel/apparmor_restrict_unprivileged_userns",
    "kernel/unprivileged_userns_clone",
    "kernel/yama/ptrace_scope",
    "user/max_user_namespaces",
    "user/max_net_namespaces",
    "user/max_mnt_namespaces",
    "user/max_pid_namespaces",
)
"""Below /proc/sys; each is missing on kernels that have no such thing."""
CONTAINER_WORDS = {"docker": "docker", "kubepods": "kubernetes", "libpod": "podman", "lxc": "lxc"}
"""What stands in the path of a control group → who made the container."""
UNKNOWN_CONTAINER = "some container tool"
BINFMT = "/proc/sys/fs/binfmt_misc"
"""What machines that are no container mount below /proc themselves."""
FIRST_PIDS = "pid:[4026531836]"
"""The pid namespace in which a machine starts (PROC_PID_INIT_INO): who is in it, and not filtered,
is in no container, even if the machine's files came from the image of one."""
FILTERED = "2"
"""Field Seccomp of /proc/self/status: system calls are filtered."""


@dataclass(frozen=True, slots=True)
class HostFacts:
    """Everything that may explain a refusal."""

    release: str
    machine: str
    settings: Mapping[str, str]
    """By name, those of SETTINGS that there are."""
    modules: tuple[str, ...]
    """Security modules of the kernel, as far as it tells: apparmor, selinux, yama …"""
    container: str
    """Who made the container we are in; '' if there is no sign of one."""
    tun_mode: str
    """Mode of /dev/net/tun in octal digits; '' if it is not there."""
    as_root: bool
    may_mount: bool
    """True if we have CAP_SYS_ADMIN, which root of a container seldom has."""
    interpreter: str
    """The executable that a rule for this program would have to name."""


def host_facts(root: Path = Path("/")) -> HostFacts:
    """The facts of the host, or of what looks like one below `root`."""
    settings = {name: _line(root / "proc/sys" / name) for name in SETTINGS}
    return HostFacts(
        release=platform.release(),
        machine=platform.machine(),
        settings={name: value for name, value in settings.items() if value},
        modules=tuple(filter(None, _line(root / "sys/kernel/security/lsm").split(","))),
        container=_container(root) if _may_be_contained(root) else "",
        tun_mode=_mode(root / "dev/net/tun"),
        as_root=os.geteuid() == 0,
        may_mount=bool(int(_status(root).get("CapEff", "0"), 16) >> CAP_SYS_ADMIN & 1),
        interpreter=os.path.realpath(sys.executable),
    )


def _may_be_contained(root: Path) -> bool:
    try:
        return os.fspath((root / "proc/self/ns/pid").readlink()) != FIRST_PIDS or _is_filtered(root)
    except OSError:
        return True


def _container(root: Path) -> str:
    if (root / "run/.containerenv").exists():
        return "podman"
    if (root / ".dockerenv").exists():
        return "docker"
    groups = _text(root / "proc/1/cgroup")
    for word, tool in CONTAINER_WORDS.items():
        if f"/{word}" in groups:
            return tool
    # systemd and most tools tell the first process what it is in; only its own user may read it.
    said = _text(root / "proc/1/environ").split("\0")
    named = [entry.partition("=")[2] for entry in said if entry.startswith("container=")]
    if named or _proc_is_covered(root):
        return (named and named[0]) or UNKNOWN_CONTAINER
    return ""


def _proc_is_covered(root: Path) -> bool:
    """Parts of /proc are mounted over, as container tools do: then nobody may mount a new one.

    Source: proc_pid_mountinfo(5), field 5; mnt_already_visible of the kernel's fs/namespace.c.
    """
    lines = _text(root / "proc/self/mountinfo").splitlines()
    points = (line.split(" ")[4] for line in lines if line.count(" ") > 4)
    return any(point.startswith("/proc/") and point != BINFMT for point in points)


def _is_filtered(root: Path) -> bool:
    return _status(root).get("Seccomp") == FILTERED


def _status(root: Path) -> dict[str, str]:
    lines = _text(root / "proc/self/status").splitlines()
    fields = (line.partition(":") for line in lines)
    return {name: value.strip() for name, _, value in fields}


def _mode(path: Path) -> str:
    try:
        return f"{stat.S_IMODE(path.stat().st_mode):04o}"
    except OSError:
        return ""


def _line(path: Path) -> str:
    return _text(path).strip()


def _text(path: Path) -> str:
    """What a file holds; '' if it cannot be read, since all of this is only explanation."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
