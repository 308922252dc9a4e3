"""The few public functions: what the command line and other programs call."""

import shlex
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from egress_audit.audit import Asserted, Audited, audited
from egress_audit.capture.live_stream import Ending
from egress_audit.capture.source import open_capture
from egress_audit.capture.tap import Tap, TappedFrame
from egress_audit.classify.destination import Classifier, embedded_classifier
from egress_audit.columns import FrameSource, PacketBatch
from egress_audit.errors import EgressAuditError, WrongUsage
from egress_audit.evidence.account import Account
from egress_audit.evidence.bundle import open_bundle
from egress_audit.flows.table import Assigned
from egress_audit.judge.profile import load_profile
from egress_audit.listening import USUAL_BOUNDS, Bounds
from egress_audit.model.audit import Audit, EvidenceItem, Verdict
from egress_audit.model.destination import Absent, Destination
from egress_audit.model.flow import Flow, FlowOwner, Name
from egress_audit.model.run import Process
from egress_audit.paths import is_folder
from egress_audit.recorded import CLOSED, Seal, refuse_unusable

if TYPE_CHECKING:
    from egress_audit.record.plan import RunPlan
    from egress_audit.record.progress import Status

__all__ = [
    "Asserted",
    "Audit",
    "Audited",
    "Bounds",
    "EgressAuditError",
    "Ending",
    "ExplainedFrame",
    "Verdict",
    "audit_capture",
    "audit_run",
    "explain_frames",
]

NOTHING_ASSERTED = Asserted()

Prefixes = Sequence[IPv4Network | IPv6Network]


def audit_capture(
    path: str,
    profile: str = "offline",
    *,
    local: Prefixes = (),
    asserted: Asserted = NOTHING_ASSERTED,
    bounds: Bounds = USUAL_BOUNDS,
    classifier: Classifier | None = None,
    ending: Ending | None = None,
) -> Audited:
    """Judges one capture (`-` is standard input) or bundle against a profile, by name or path.

    local: addresses of the audited host; asserted: what a person states about the capture; bounds:
    how much is kept of it; classifier: None for the lists that come with the program; ending: ends
    the reading of standard input before that ends itself. Raises EgressAuditError if no audit can
    be made. Opens no socket and resolves no name.
    """
    asserted.bound_to(())
    claim = load_profile(profile)
    evidence = _evidence(path, local, ending)
    if classifier is None:
        classifier = embedded_classifier()
    result = audited(
        evidence.source,
        claim,
        classifier,
        account=evidence.account,
        seal=evidence.seal,
        local=local,
        asserted=asserted,
        bounds=bounds,
    )
    return replace(result, name=evidence.name)


@dataclass(frozen=True, slots=True)
class _Evidence:
    """A capture, and what its recorder noted if it is a bundle."""

    name: str
    source: FrameSource
    account: Account | None = None
    seal: Seal = CLOSED


def _evidence(path: str, local: Prefixes, ending: Ending | None = None) -> _Evidence:
    """The evidence at `path`: a bundle if it is a folder, else a capture. Raises InputUnreadable,
    and WrongUsage if `local` is given for a bundle."""
    if path == "-" or not is_folder(path):
        source = open_capture(path, ending)
        return _Evidence("-" if path == "-" else Path(path).name, source)
    bundle = open_bundle(path)
    refuse_unusable(bundle.account, local)
    name = _program_of(bundle.account.run.command)
    source = open_capture(str(bundle.capture))
    if isinstance(bundle.manifest, Absent):
        return _Evidence(name, source, bundle.account, Seal(closed=False))
    size = sum(entry.size for entry in bundle.manifest.files.values())
    item = EvidenceItem(bundle.sha256, size, "bundle", "sha256 of its manifest")
    return _Evidence(name, source, bundle.account, Seal(True, bundle.mismatches, (item,)))


def _program_of(command: str) -> str:
    """The program's file name: wherever a bundle lies, and however its folder is called, its report
    has the same bytes. `run` for a command that has none."""
    try:
        words = shlex.split(command)
    except ValueError:  # The record is not one of ours.
        words = []
    name = Path(words[0]).name if words else ""
    return name if name not in ("", "..") else "run"


@dataclass(frozen=True, slots=True)
class ExplainedFrame:
    """A frame and everything the audit knows of it."""

    frame: TappedFrame
    flow: Flow | Absent
    """NOT_APPLICABLE for a frame that is no packet of a flow."""
    names: tuple[Name, ...]
    destination: Destination | Absent
    owner: FlowOwner | Absent = Absent.NOT_APPLICABLE
    """NOT_APPLICABLE where the evidence names no process, NOT_FOUND if nobody is known."""
    lineage: tuple[Process, ...] = ()
    """The process of `owner`, and its parents."""


def explain_frames(
    path: str, numbers: Collection[int], *, local: Prefixes = ()
) -> list[ExplainedFrame]:
    """The frames with these numbers (from 1), each with its flow, names and destination.

    Raises WrongUsage for a number that the capture does not have, else as `audit_capture`.
    """
    evidence = _evidence(path, local)
    tap = Tap(evidence.source, numbers)
    flow_of: dict[int, int] = {}

    def note(packets: PacketBatch, assigned: Assigned) -> None:
        for row in np.flatnonzero(np.isin(packets.frame, list(numbers))).tolist():
            if assigned.flow[row] >= 0:
                flow_of[int(packets.frame[row])] = int(assigned.flow[row])

    claim = load_profile("offline")
    result = audited(
        tap,
        claim,
        embedded_classifier(),
        account=evidence.account,
        seal=evidence.seal,
        local=local,
        on_batch=note,
    )
    missing = sorted(set(numbers) - set(tap.frames))
    if missing:
        raise WrongUsage(
            f"the capture has no frame {missing[0]}",
            where=path,
            hint=_numbering(result.audit.coverage.frames),
        )
    return [_explained(tap.frames[n], flow_of.get(n), result) for n in numbers]


def _numbering(frames: int) -> str:
    return f"its frames are numbered 1 to {frames}" if frames else "it has no frames at all"


def _explained(frame: TappedFrame, flow: int | None, result: Audited) -> ExplainedFrame:
    if flow is None:
        nothing = Absent.NOT_APPLICABLE
        return ExplainedFrame(frame, nothing, (), nothing)
    return ExplainedFrame(frame, *result.flow_record(flow), result.lineage(flow))


def audit_run(
    plan: "RunPlan",
    bundle: str | Path,
    profile: str = "offline",
    *,
    on_tick: "Callable[[Status], None]" = lambda status: None,
    on_output: Callable[[bytes], None] = lambda part: None,
) -> Audited:
    """Runs a program in a sandbox and judges the bundle it leaves, as `audit_capture` would.

    bundle: a folder that does not exist yet; on_tick, on_output: called in the recorder's process,
    with how far it is and with what the exerciser prints. Linux only. Raises EgressAuditError if
    there could be no run or no audit; of a wrong profile before anything is started.
    """
    load_profile(profile)
    # Not above: nothing else needs it, and there is no such thing on other systems.
    from egress_audit.record.run import record

    record(plan, bundle, on_tick=on_tick, on_output=on_output)
    return audit_capture(str(Path(bundle).absolute()), profile)
