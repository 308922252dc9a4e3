"""What this host can do for a run, rung by rung, and what would take it to the next one."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from egress_audit.model.run import Rung
from egress_audit.record.host_facts import HostFacts, host_facts
from egress_audit.record.privileges import target_user
from egress_audit.record.remedies import Remedy, remedy_for
from egress_audit.record.trials import NO_SANDBOX, Position, Trial, tried

RUNGS = tuple(Rung)
"""From the best to the least."""
YES, NO = "yes", "no"
VERSION = re.compile(r"[0-9][\w.+~-]*")
PASTA_S = 5.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried."""

    id: str
    title: str
    worked: bool
    result: str
    """`yes`, `no`, or what was found."""
    meaning: str
    remedy: Remedy | None = None
    """None where nothing failed."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that was tried, and where a run here would stand."""

    facts: HostFacts
    user: str
    """As whom a program would run."""
    checks: tuple[Check, ...]
    rung: Rung

    @property
    def number(self) -> int:
        """The rung's number, from 1, the best."""
        return RUNGS.index(self.rung) + 1

    @property
    def can_hold(self) -> bool:
        """True if a run here can end in HOLDS."""
        return self.rung.sees_all


@dataclass(frozen=True, slots=True)
class _Question:
    """A trial, and what its two outcomes mean."""

    id: str
    title: str
    trial: Callable[[Position], object]
    good: str
    bad: str


QUESTIONS = (
    _Question(
        "user",
        "user namespaces",
        Position.user_namespace,
        "a sandbox can be made by an ordinary user",
        "there can be no sandbox",
    ),
    _Question(
        "network",
        "network namespaces",
        Position.network_namespace,
        "a program can be cut off from the network",
        "a program cannot be cut off from the network",
    ),
    _Question(
        "tun",
        "TUN device",
        Position.tun,
        "every packet can be read as it leaves: rung 1",
        "not rung 1; a veth pair will do as well",
    ),
    _Question(
        "veth",
        "veth pair",
        Position.veth,
        "the same without a TUN device: rung 2",
        "not rung 2; of use only where there is no TUN device",
    ),
    _Question(
        "packets",
        "packets on loopback",
        Position.packets,
        "what a program sends to itself is recorded",
        "what a program sends to itself would not be seen",
    ),
    _Question(
        "mounts",
        "private folders",
        Position.mounts,
        "/tmp, /run and sockets of the host can be hidden",
        "sockets of the host could not be hidden",
    ),
    _Question(
        "proc",
        "/proc of its own",
        Position.own_proc,
        "other processes can be hidden",
        "other processes could not be hidden",
    ),
    _Question(
        "notification",
        "system calls that wait",
        Position.notification,
        "attempts are seen even if no packet follows",
        "attempts without a packet would not be seen",
    ),
    _Question(
        "listener",
        "waiting calls taken over",
        Position.listener,
        "the recorder can answer them from outside",
        "the recorder cannot answer them",
    ),
    _Question(
        "memory",
        "arguments of calls",
        Position.memory,
        "the address of a connection is known",
        "the address of a connection would not be known",
    ),
    _Question(
        "overlay",
        "HOME copied on write",
        Position.overlay,
        "a program can use HOME and change nothing",
        "HOME will be an empty one with the caches to read",
    ),
)
AS_ROOT = _Question(
    "idmapped",
    "HOME for another user",
    Position.idmapped,
    "root's files can be read by the ordinary user of a run",
    "a run as root does not find its HOME",
)
SANDBOXES = {
    Rung.TUN: _Question(
        "sandbox-tun",
        "whole sandbox, TUN",
        lambda position: position.sandbox(Rung.TUN),
        "rung 1: every packet and every attempt is seen",
        "not rung 1",
    ),
    Rung.VETH: _Question(
        "sandbox-veth",
        "whole sandbox, veth",
        lambda position: position.sandbox(Rung.VETH),
        "rung 2: every packet and every attempt is seen",
        "not rung 2",
    ),
}


def diagnosis() -> Diagnosis:
    """Tries everything, in children that leave nothing behind. Raises EgressAuditError where not
    even a user can be found as whom a program may run."""
    facts, user = host_facts(), target_user(None, os.environ)
    questions = [*QUESTIONS, *([AS_ROOT] if facts.as_root else []), *SANDBOXES.values()]
    position = Position(user, tempfile.gettempdir())
    trials = {asked.id: _tried(asked, position) for asked in questions}
    if not rung_of(trials).sees_all:
        trials["overlay"] = NO_SANDBOX
    checks = [_check(asked, trials[asked.id], facts) for asked in questions]
    return Diagnosis(facts, user.name, (*checks, pasta_check()), rung_of(trials))


def rung_of(trials: Mapping[str, Trial]) -> Rung:
    """The best rung that the trials allow."""
    for rung, asked in SANDBOXES.items():
        if trials[asked.id].worked:
            return rung
    calls = all(trials[name].worked for name in ("notification", "listener", "memory"))
    return Rung.CALLS if calls else Rung.POLLING


def pasta_check() -> Check:
    """Whether the real network can be had in a sandbox, which pasta(1) does for ordinary users."""
    path = shutil.which("pasta")
    if path is None:
        remedy = Remedy(
            "there is no program `pasta`",
            "install it; Debian and Ubuntu have it so:",
            ("sudo apt install passt",),
        )
        return Check("pasta", "pasta", False, NO, "--network open needs it", remedy)
    try:
        done = subprocess.run(
            [path, "--version"], capture_output=True, timeout=PASTA_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check("pasta", "pasta", False, NO, "--network open needs it", Remedy(str(error)))
    first = done.stdout.decode("utf-8", "replace").partition("\n")[0]
    version = VERSION.search(first)
    return Check(
        "pasta",
        "pasta",
        True,
        version[0] if version else YES,
        "--network open can use the real network",
    )


def _tried(asked: _Question, position: Position) -> Trial:
    return tried(lambda: asked.trial(position))


def _check(asked: _Question, trial: Trial, facts: HostFacts) -> Check:
    if trial.worked:
        return Check(asked.id, asked.title, True, YES, asked.good)
    remedy = remedy_for(asked.id, trial, facts)
    return Check(asked.id, asked.title, False, NO, asked.bad, remedy)
