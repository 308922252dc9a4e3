"""Why something was refused, and what would help: words and commands for a person.

Source: user_namespaces(7), sysctl/user.rst and Yama.rst of the kernel; apparmor.d(5) and Ubuntu's
specification of its limit on user namespaces; Docker's pages on seccomp and `docker run
--security-opt` (`systempaths=unconfined` came with docker/cli pull request 1808, for nested mounts
of /proc: moby issue 36597); podman-run(1); Kubernetes' `procMount`. What we have not tried says so;
what Docker's and Podman's options do was tried with crun and the bundle that they amount to.
"""

import errno
from dataclasses import dataclass

from egress_audit.record.host_facts import HostFacts
from egress_audit.record.syscalls import AUDIT_ARCH
from egress_audit.record.trials import NO_SANDBOX, Trial

ENOTSUP = errno.EOPNOTSUPP
LIMITS = {"user": "user", "network": "net", "mounts": "mnt", "proc": "pid"}
"""Check of a namespace → its word in user/max_…_namespaces."""
DOCKER = (
    "  --security-opt seccomp=unconfined --security-opt apparmor=unconfined \\",
    "  --security-opt systempaths=unconfined --device /dev/net/tun …",
)
PODMAN = (
    "  --security-opt seccomp=unconfined --security-opt label=disable \\",
    "  --security-opt unmask=ALL --device /dev/net/tun …",
)
KUBERNETES = (
    "securityContext: {seccompProfile: {type: Unconfined}, procMount: Unmasked, runAsUser: 1000}"
)
ORDINARY = "--user 1000:1000 "
"""Root of a container may not mount; an ordinary user may, in a namespace of its own."""
ROOTS_OWN = ("tun", "idmapped", "listener", "sandbox-tun", "sandbox-veth")
"""Checks in which root does something before it becomes an ordinary user."""
CALLS = ("listener", "memory", "notification")


@dataclass(frozen=True, slots=True)
class Remedy:
    """Why it failed, and what to do."""

    why: str
    advice: str = ""
    commands: tuple[str, ...] = ()
    """Lines to copy."""
    tried: bool = True
    """False where we know it from manuals alone."""


ORDINARY_USER = Remedy(
    "we are root without CAP_SYS_ADMIN, as in a container",
    "start egress-audit as an ordinary user, who gets that right in a namespace of its own",
    ("setpriv --reuid 1000 --regid 1000 --clear-groups egress-audit run …",),
)


def remedy_for(check: str, trial: Trial, facts: HostFacts) -> Remedy:
    """What explains that a check failed; at worst, what the kernel said.

    check: id of a check of `doctor.py`.
    """
    weak_root = facts.as_root and not facts.may_mount
    if weak_root and check in ROOTS_OWN and trial.errno == errno.EPERM:
        return ORDINARY_USER
    by_check = {"tun": _tun, "veth": _veth, "idmapped": _idmapped, "overlay": _overlay}
    if check in by_check:
        found = by_check[check](trial, facts)
    elif check in CALLS:
        found = _calls(check, trial, facts)
    elif check.startswith("sandbox"):
        found = Remedy(trial.words)
    else:
        found = _namespaces(check, facts)
    if found is not None:
        return found
    if facts.container:
        return _container(facts)
    modules = f"; security modules here: {', '.join(facts.modules)}" if facts.modules else ""
    return Remedy(f"the kernel says: {trial.words}{modules}")


def _namespaces(check: str, facts: HostFacts) -> Remedy | None:
    kinds = dict.fromkeys(["user", LIMITS.get(check, "user")])
    for name in (f"user/max_{kind}_namespaces" for kind in kinds):
        if facts.settings.get(name) == "0":
            dotted = name.replace("/", ".")
            commands = (f"sudo sysctl -w {dotted}=15000",)
            return Remedy(f"{dotted} is 0", "allow some, until the next boot", commands)
    if facts.settings.get("kernel/unprivileged_userns_clone") == "0":
        return Remedy(
            "this kernel lets root alone make user namespaces",
            "allow it, until the next boot",
            ("sudo sysctl -w kernel.unprivileged_userns_clone=1",),
            tried=False,
        )
    if facts.container:
        return _container(facts)
    if facts.settings.get("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return _apparmor(facts)
    return None


def _apparmor(facts: HostFacts) -> Remedy:
    return Remedy(
        "AppArmor lets only named programs use user namespaces (Ubuntu 23.10 and newer)",
        "as root, name this interpreter, and so every program that it runs; sudo alone does not "
        "help, as the program itself is never run as root",
        (
            "cat > /etc/apparmor.d/egress-audit <<'END'",
            "abi <abi/4.0>,",
            "include <tunables/global>",
            f"profile egress-audit {facts.interpreter} flags=(unconfined) {{",
            "  userns,",
            "}",
            "END",
            "apparmor_parser -r /etc/apparmor.d/egress-audit",
        ),
        tried=False,
    )


def _container(facts: HostFacts) -> Remedy:
    """Its filter, its masks and its devices stand in the way; only its maker can lift them."""
    user = ORDINARY if facts.as_root else ""
    commands = {
        "podman": (f"podman run {user}\\", *PODMAN),
        "kubernetes": (KUBERNETES,),
        "lxc": ("lxc config set CONTAINER security.nesting=true",),
    }.get(facts.container, (f"docker run {user}\\", *DOCKER))
    return Remedy(
        f"we are in a container ({facts.container}), which forbids it",
        "start the container so; what is inside can then do more to the host's kernel",
        commands,
        tried=facts.container not in ("kubernetes", "lxc"),
    )


def _tun(trial: Trial, facts: HostFacts) -> Remedy | None:
    if trial.errno == errno.EACCES and facts.tun_mode:
        return Remedy(
            f"/dev/net/tun has mode {facts.tun_mode}",
            "give it the mode that most distributions give it, or start egress-audit with sudo "
            "(the program itself then runs as an ordinary user)",
            ("sudo chmod 0666 /dev/net/tun",),
        )
    if facts.container:
        return _container(facts)
    if trial.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return Remedy("there is no /dev/net/tun", "load its driver", ("sudo modprobe tun",))
    return _namespaces("network", facts)


def _veth(trial: Trial, facts: HostFacts) -> Remedy | None:
    if trial.errno == ENOTSUP:
        return Remedy("the kernel has no veth", "load it", ("sudo modprobe veth",))
    return _namespaces("network", facts)


def _calls(check: str, trial: Trial, facts: HostFacts) -> Remedy | None:
    if facts.machine not in AUDIT_ARCH:
        known = " and ".join(AUDIT_ARCH)
        return Remedy(f"system calls are known of {known}, not of {facts.machine}")
    old = {"notification": "5.19", "listener": "5.6", "memory": "3.2"}[check]
    if trial.errno in (errno.ENOSYS, errno.EINVAL) and not facts.container:
        return Remedy(f"Linux {old} or newer is needed, this is {facts.release}", "a newer kernel")
    if trial.errno == errno.EBUSY:
        why = "another program waits for our system calls already (a container tool, a tracer)"
        return Remedy(why, "start egress-audit outside of it", tried=False)
    scope = facts.settings.get("kernel/yama/ptrace_scope", "0")
    if check != "notification" and scope in ("2", "3"):
        until = "; a 3 stays until the next boot" if scope == "3" else ""
        return Remedy(
            f"kernel.yama.ptrace_scope is {scope}: no process may look into another{until}",
            "set it to 1, which still protects programs from others",
            ("echo kernel.yama.ptrace_scope=1 | sudo tee /etc/sysctl.d/99-ptrace.conf",),
            tried=False,
        )
    return None


def _idmapped(trial: Trial, facts: HostFacts) -> Remedy | None:
    return Remedy(
        trial.words,
        "Linux 5.12 and a file system that can do it are needed; else name the owner of HOME with "
        "--user, or start egress-audit as that user",
    )


def _overlay(trial: Trial, facts: HostFacts) -> Remedy | None:
    if trial == NO_SANDBOX:
        return Remedy(trial.words)
    return Remedy(
        trial.words,
        "nothing is needed: HOME is then empty, with the caches to read; --home real shows it all",
    )
