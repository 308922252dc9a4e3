"""The few public functions: what the command line and other programs call."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

import numpy as np

from egress_audit.audit import Asserted, Audited, Bounds, audited
from egress_audit.capture.source import open_capture
from egress_audit.capture.tap import Tap, TappedFrame
from egress_audit.classify.destination import Classifier, embedded_classifier
from egress_audit.columns import PacketBatch
from egress_audit.errors import EgressAuditError, WrongUsage
from egress_audit.flows.table import Assigned
from egress_audit.judge.profile import load_profile
from egress_audit.model.audit import Audit, Verdict
from egress_audit.model.destination import Absent, Destination
from egress_audit.model.flow import Flow, Name

__all__ = [
    "Asserted",
    "Audit",
    "Audited",
    "Bounds",
    "EgressAuditError",
    "ExplainedFrame",
    "Verdict",
    "audit_capture",
    "explain_frames",
]

NOTHING_ASSERTED = Asserted()
USUAL_BOUNDS = Bounds()

Prefixes = Sequence[IPv4Network | IPv6Network]


def audit_capture(
    path: str,
    profile: str = "offline",
    *,
    local: Prefixes = (),
    asserted: Asserted = NOTHING_ASSERTED,
    bounds: Bounds = USUAL_BOUNDS,
    classifier: Classifier | None = None,
) -> Audited:
    """Judges one capture (`-` is standard input) against a profile, by name or path.

    local: addresses of the audited host; asserted: what a person states about the capture; bounds:
    how much is kept of it; classifier: None for the lists that come with the program. Raises
    EgressAuditError if no audit can be made. Opens no socket and resolves no name.
    """
    asserted.bound_to(())
    claim = load_profile(profile)
    source = open_capture(path)
    if classifier is None:
        classifier = embedded_classifier()
    return audited(source, claim, classifier, local=local, asserted=asserted, bounds=bounds)


@dataclass(frozen=True, slots=True)
class ExplainedFrame:
    """A frame and everything the audit knows of it."""

    frame: TappedFrame
    flow: Flow | Absent
    """NOT_APPLICABLE for a frame that is no packet of a flow."""
    names: tuple[Name, ...]
    destination: Destination | Absent


def explain_frames(
    path: str, numbers: Collection[int], *, local: Prefixes = ()
) -> list[ExplainedFrame]:
    """The frames with these numbers (from 1), each with its flow, names and destination.

    Raises WrongUsage for a number that the capture does not have, else as `audit_capture`.
    """
    tap = Tap(open_capture(path), numbers)
    flow_of: dict[int, int] = {}

    def note(packets: PacketBatch, assigned: Assigned) -> None:
        for row in np.flatnonzero(np.isin(packets.frame, list(numbers))).tolist():
            if assigned.flow[row] >= 0:
                flow_of[int(packets.frame[row])] = int(assigned.flow[row])

    claim = load_profile("offline")
    result = audited(tap, claim, embedded_classifier(), local=local, on_batch=note)
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
    return ExplainedFrame(frame, *result.flow_record(flow))
