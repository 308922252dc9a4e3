"""Programs of known behaviour, and what an audit of each must say: cases.yaml, read and run.

seen = audited(cases(RUNTIMES)["plant-ping"], usual_way())
assert concluded(seen.audit) == seen.case.expected
"""

import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from egress_audit.addresses import Scope
from egress_audit.api import Audit, audit_capture
from egress_audit.model.audit import Direction, Kind, Observation
from egress_audit.model.flow import NameSource
from egress_audit.model.run import Network, Run

from .golden import CAPTURES
from .programs import interpreter
from .recorded_runs import Place, Seen, Way, place, run_at

RUNTIMES = Path(__file__).parent.parent / "runtimes"
LIVE = RUNTIMES / "live"
TCP, UDP = 6, 17
PROTOCOLS = {1: "icmp", TCP: "tcp", UDP: "udp", 58: "icmp6"}
PROXIES = {NameSource.HTTP_CONNECT, NameSource.SOCKS}


@dataclass(frozen=True, slots=True)
class Concluded:
    """What counts of an audit; all of it is sets, since retries are nobody's promise."""

    verdict: str
    rules: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    """Asked for, whatever carried the question."""
    destinations: frozenset[str] = frozenset()
    """Contacted beyond the machine: `tcp example.org 443`."""
    spots: frozenset[str] = frozenset()
    """Blind spots that stand in the way."""


@dataclass(frozen=True, slots=True)
class Case:
    """A program, how it is run, and what must be concluded."""

    name: str
    shows: str
    folder: Path
    expected: Concluded
    command: tuple[str, ...] = ()
    program: str = ""
    """A file of the folder; it is copied to where it is run."""
    arguments: tuple[str, ...] = ()
    profile: str = "offline"
    """A name, or a path below captures/."""
    plan: Mapping[str, Any] = field(default_factory=dict)
    """Fields of RunPlan. `{work}` and the words of `audited` stand for places."""
    files: tuple[str, ...] = ()
    """To be there, and empty, in the working folder."""
    host_socket: bool = False
    """A daemon of the host listens; the path of its socket is the last argument."""


@dataclass(frozen=True, slots=True)
class AuditedCase:
    """A case that was run and judged."""

    case: Case
    seen: Seen
    audit: Audit


def cases(folder: Path) -> dict[str, Case]:
    """The cases of a folder, by name."""
    said = yaml.safe_load((folder / "cases.yaml").read_text(encoding="utf-8"))
    return {name: _case(name, folder, dict(words)) for name, words in said.items()}


def _case(name: str, folder: Path, words: dict[str, Any]) -> Case:
    sets = [part.name for part in fields(Concluded)][1:]
    expected = Concluded(words.pop("verdict"), *(frozenset(words.pop(key, ())) for key in sets))
    for key in ("command", "arguments", "files"):
        words[key] = tuple(words.get(key, ()))
    return Case(name=name, folder=folder, expected=expected, **words)


def audited(case: Case, way: Way, *, python: str = "", **places: str) -> AuditedCase:
    """Runs a case in empty folders and judges it.

    python: the interpreter of its program, if not the system's; places: what the words in braces of
    its arguments and plan stand for.
    """
    here = place(way)
    places["work"] = str(here.work)
    python = python or interpreter()
    for source in case.folder.glob("*.py"):
        shutil.copy(source, here.work)
    for name in case.files:
        (here.work / name).parent.mkdir(parents=True, exist_ok=True)
        (here.work / name).touch()
    arguments = [text.format_map(places) for text in case.arguments]
    with _daemon(case, here) as (bound, path):
        command = case.command or (python, case.program, *arguments, *path)
        seen = run_at(here, command, bind=bound, **_plan(case, python, places))
    profile = str(CAPTURES / case.profile) if "/" in case.profile else case.profile
    return AuditedCase(case, seen, audit_capture(str(here.bundle), profile).audit)


def _plan(case: Case, python: str, places: Mapping[str, str]) -> dict[str, Any]:
    plan = dict(case.plan)
    environment = plan.get("environment", {})
    plan["environment"] = {name: text.format_map(places) for name, text in environment.items()}
    plan["environment"]["PYTHON"] = python
    if "network" in plan:
        plan["network"] = Network(plan["network"])
    return plan


@contextmanager
def _daemon(case: Case, here: Place) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """A listening socket of the host: the folder to bind, and the path; nothing if none is asked
    for."""
    if not case.host_socket:
        yield (), ()
        return
    folder = here.folder / "shared"
    folder.mkdir()
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(folder / "daemon.sock"))
        server.listen()
        (folder / "daemon.sock").chmod(0o777)
        yield (str(folder),), (str(folder / "daemon.sock"),)


def concluded(audit: Audit) -> Concluded:
    """What counts of an audit of a run."""
    assert isinstance(audit.run, Run)
    resolvers = audit.run.resolvers
    rows = [row for row in audit.observations if not row.by_helper]
    return Concluded(
        audit.verdict.value,
        frozenset(finding.rule for finding in audit.findings),
        frozenset(name for row in rows for name in _asked_for(row)),
        frozenset(_end(row) for row in rows if _is_beyond(row, resolvers)),
        frozenset(spot.id for spot in audit.blind_spots if spot.material),
    )


def _asked_for(row: Observation) -> tuple[str, ...]:
    """The name of a question, or the one that a proxy was told."""
    if row.kind is Kind.QUESTION:
        return (row.names[0].host,)
    return tuple(use.host for use in row.names if PROXIES.intersection(use.sources))


def _is_beyond(row: Observation, resolvers: tuple[str, ...]) -> bool:
    """True for a contact beyond the machine; the sandbox's own resolver is none."""
    return (
        row.kind is Kind.CONTACT
        and row.direction is Direction.OUTBOUND
        and row.destination.scope is not Scope.LOOPBACK
        and row.far_h not in resolvers
    )


def _end(row: Observation) -> str:
    whom = row.names[0].host if row.names else row.far_h
    port = f" {row.far_p}" if row.proto in (TCP, UDP) else ""
    return f"{PROTOCOLS.get(row.proto, row.proto)} {whom}{port}"
