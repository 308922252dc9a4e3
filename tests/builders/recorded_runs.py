"""Programs run for real, in real sandboxes, and what the record then says of them.

    seen = recorded(python(ONE_DATAGRAM))
    assert [frame.ends.target_port for frame in seen.sent] == [5000]

A run is made once a process for all the tests that look at it. Each can be had in several ways: by
root or by an ordinary user, over a TUN device or a veth pair. Nothing leaves the machine.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest

from egress_audit.evidence.bundle import Bundle, open_bundle
from egress_audit.model.run import Attempt, Process, Role, Run, Rung
from egress_audit.record.plan import RunPlan
from egress_audit.record.run import Recorded, record
from egress_audit.record.syscalls import CLONE_NEWNS
from egress_audit.record.tun import TUN_NODE, make_node
from tests.builders.bundle_capture import Frame, Losses, frames_of, losses_of
from tests.builders.namespaces import NOBODY, become_nobody, in_child

NO_NAMESPACES = "EGRESS_AUDIT_NO_NAMESPACES"
"""Set where the host forbids namespaces: only then may these tests skip."""
needs_namespaces = pytest.mark.skipif(
    bool(os.environ.get(NO_NAMESPACES)), reason=f"{NO_NAMESPACES} is set"
)
TOLD = "told.json"
"""In the working folder: what the program itself says."""
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

Result = TypeVar("Result")

_room = tempfile.TemporaryDirectory(prefix="egress-audit-tests-")
_places = count(1)
_made: dict[str, "Seen"] = {}


@dataclass(frozen=True, slots=True)
class Way:
    """Who makes the sandbox, and what its way out is."""

    by_root: bool
    rung: Rung

    def __str__(self) -> str:
        return f"{'root' if self.by_root else 'user'}-{self.rung}"

    def must_be_possible(self) -> None:
        """Skips the test where this way cannot be asked for; any other trouble is a failure."""
        if os.environ.get(NO_NAMESPACES):
            pytest.skip(f"{NO_NAMESPACES} is set")
        if os.geteuid() == 0:
            return
        if self.by_root:
            pytest.skip("root's way, and an ordinary user runs the tests")
        if self.rung is Rung.TUN and not os.access(TUN_NODE, os.R_OK | os.W_OK):
            pytest.skip(f"{TUN_NODE} may not be opened by this user")


EVERY_WAY = tuple(Way(by_root, rung) for by_root in (True, False) for rung in (Rung.TUN, Rung.VETH))
every_way = pytest.mark.parametrize("way", EVERY_WAY, ids=str)
both_users = pytest.mark.parametrize(
    "way", [Way(True, Rung.TUN), Way(False, Rung.TUN), Way(False, Rung.VETH)], ids=str
)
both_rungs = pytest.mark.parametrize(
    "way", [Way(os.geteuid() == 0, rung) for rung in (Rung.TUN, Rung.VETH)], ids=str
)


def usual_way() -> Way:
    """The way of tests for which it makes no difference."""
    if os.geteuid() == 0 or os.access(TUN_NODE, os.R_OK | os.W_OK):
        return Way(os.geteuid() == 0, Rung.TUN)
    return Way(False, Rung.VETH)


def done_by(way: Way, function: Callable[[], Result]) -> Result:
    """What `function` returns; called by root, or by an ordinary user who may open a TUN device."""
    way.must_be_possible()
    if way.by_root or os.geteuid() != 0:
        return function()
    node_folder = Path(_room.name, "node")
    node_folder.mkdir(exist_ok=True)

    def by_nobody() -> Result:
        make_node(str(node_folder))
        become_nobody()
        return function()

    return in_child(by_nobody, namespaces=CLONE_NEWNS)


@dataclass(frozen=True, slots=True)
class Place:
    """Folders for one run; those of the user belong to who makes the sandbox."""

    folder: Path
    way: Way

    @property
    def work(self) -> Path:
        """Working folder of the program; everybody may write there."""
        return self.folder / "work"

    @property
    def home(self) -> Path:
        """HOME."""
        return self.folder / "home"

    @property
    def bundle(self) -> Path:
        """Where the bundle is to be; its parent is there."""
        return self.folder / "evidence" / "bundle"

    def plan(self, command: tuple[str, ...], **changes: Any) -> RunPlan:
        """A plan in these folders. `environment`: added to PATH and HOME."""
        more: Mapping[str, str] = dict(changes.pop("environment", {}))
        plain: dict[str, Any] = {
            "observe_s": 30.0,
            "folder": str(self.work),
            "rungs": (self.way.rung,),
            "environment": {"PATH": PATH, "HOME": str(self.home), **more},
        }
        return RunPlan(command, **(plain | changes))


def place(way: Way | None = None) -> Place:
    """Empty folders for a run."""
    way = usual_way() if way is None else way
    Path(_room.name).chmod(0o755)
    made = Place(Path(_room.name, f"run{next(_places)}"), way)
    for folder in (made.folder, made.work, made.home, made.bundle.parent):
        folder.mkdir()
    made.work.chmod(0o777)
    if os.geteuid() == 0 and not way.by_root:
        for folder in (made.home, made.bundle.parent):
            os.chown(folder, NOBODY, NOBODY)
    made.home.chmod(0o700)
    return made


@dataclass(frozen=True)
class Seen:
    """A run that is over: its bundle, and what the program itself has told."""

    place: Place
    recorded: Recorded
    bundle: Bundle

    @property
    def run(self) -> Run:
        """What the recorder noted."""
        return self.bundle.account.run

    @cached_property
    def told(self) -> dict[str, Any]:
        """What the program wrote into TOLD."""
        return dict(json.loads((self.place.work / TOLD).read_text(encoding="utf-8")))

    @cached_property
    def frames(self) -> list[Frame]:
        """Every frame of the capture."""
        return frames_of(self.bundle.capture.read_bytes())

    @cached_property
    def losses(self) -> dict[str, Losses]:
        """What the capture's own statistics say, by interface."""
        return losses_of(self.bundle.capture.read_bytes())

    @property
    def out(self) -> list[Frame]:
        """Frames that left by eg0, but for the probes'."""
        probes = {probe.frame for probe in self.run.probes}
        return [
            frame
            for frame in self.frames
            if frame.interface == "eg0" and frame.outbound and frame.number not in probes
        ]

    def owner(self, frame: Frame) -> Process | None:
        """Whose process the comment beside the frame names."""
        known = [process for process in self.run.processes if frame.pid == process.pid]
        return known[-1] if known else None

    @property
    def program(self) -> Process:
        """The command, after its exec."""
        return [process for process in self.run.processes if process.role is Role.TARGET][-1]

    def attempts(self, call: str = "", family: str = "") -> list[Attempt]:
        """What the program and its children tried."""
        targets = {process.id for process in self.run.processes if process.role is Role.TARGET}
        return [
            attempt
            for attempt in self.run.attempts
            if attempt.process in targets
            and call in ("", attempt.call)
            and family in ("", attempt.family)
        ]


def seen_at(made: Place, recorded: Recorded) -> Seen:
    """What there is to see when a run is over."""
    return Seen(made, recorded, open_bundle(made.bundle))


def run_at(made: Place, command: tuple[str, ...], **plan: Any) -> Seen:
    """Runs a command in folders that a test has prepared."""
    asked = made.plan(command, **plan)
    return seen_at(made, done_by(made.way, lambda: record(asked, made.bundle)))


def recorded(command: tuple[str, ...], way: Way | None = None, **plan: Any) -> Seen:
    """Runs a command, or hands back what was seen when it was run just so."""
    way = usual_way() if way is None else way
    way.must_be_possible()
    key = repr((command, way, sorted(plan.items())))
    if key not in _made:
        _made[key] = run_at(place(way), command, **plan)
    return _made[key]


def descendants(pid: int) -> Iterator[tuple[int, int]]:
    """(pid, start time) of every process below one, as the host sees them."""
    below: dict[int, list[int]] = {}
    starts: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            continue
        below.setdefault(int(fields[1]), []).append(int(entry.name))
        starts[int(entry.name)] = int(fields[19])
    waiting = list(below.get(pid, []))
    while waiting:
        child = waiting.pop()
        yield child, starts[child]
        waiting += below.get(child, [])


def is_alive(pid: int, start: int) -> bool:
    """True while this very process runs; a zombie does not."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return False
    return int(fields[19]) == start and fields[0] != b"Z"
