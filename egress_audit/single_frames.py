"""Single frames of a capture, by number: as they are, or with all that an audit knows of them."""

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from egress_audit.audit import audited
from egress_audit.audited import Audited
from egress_audit.capture.tap import Tap, TappedFrame, tapped
from egress_audit.classify.catalogue_files import packaged_catalogue
from egress_audit.classify.destination import embedded_classifier
from egress_audit.columns import PacketBatch
from egress_audit.endpoints import entries_of
from egress_audit.errors import InputUnreadable, WrongUsage
from egress_audit.flows.table import Assigned
from egress_audit.judge.profile import load_profile
from egress_audit.model.catalogue import Entry
from egress_audit.model.destination import Absent, Destination
from egress_audit.model.flow import Flow, FlowOwner, Name
from egress_audit.model.run import Process
from egress_audit.opening import Prefixes, evidence_at
from egress_audit.values import dataclass


def cited_frames(paths: Sequence[str], result: Audited) -> Iterator[TappedFrame]:
    """The frames that the findings of an audit cite, ascending, read a second time.

    paths: as they were given for that audit; not standard input. Raises InputUnreadable if they
    hold something else by now: by sha256 and size, or by size alone if the audit has no sha256.
    """
    hashed = all(item.sha256 is not Absent.NOT_ASKED for item in result.audit.evidence)
    wanted = {frame for found in result.audit.findings for frame in found.frames.first}
    source = evidence_at(paths, hashed=hashed).source
    yield from tapped(source, wanted)
    facts = source.facts()
    now = {(part.sha256, part.size) for part in facts.parts or (facts,)}
    if not now <= {(item.sha256, item.size) for item in result.audit.evidence}:
        raise InputUnreadable(
            "changed between the audit and the second reading for its frames",
            where=", ".join(paths),
            hint="replay a copy that nobody writes",
        )


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
    origin: str = ""
    """`frame 7 of a.pcap`, where captures were merged."""
    entries: tuple[Entry, ...] = ()
    """Of the catalogue, which fit the names."""


def explain_frames(
    paths: str | Sequence[str], numbers: Collection[int], *, local: Prefixes = ()
) -> list[ExplainedFrame]:
    """The frames with these numbers (from 1), each with its flow, names and destination.

    paths: one capture or bundle, or several captures as one. Raises WrongUsage for a number that
    the capture does not have, else as `audit_capture`.
    """
    named = (paths,) if isinstance(paths, str) else tuple(paths)
    evidence = evidence_at(named, local)
    tap = Tap(evidence.source, numbers)
    flow_of: dict[int, int] = {}

    def note(packets: PacketBatch, assigned: Assigned) -> None:
        for row in np.flatnonzero(np.isin(packets.frame, list(numbers))).tolist():
            if assigned.flow[row] >= 0:
                flow_of[int(packets.frame[row])] = int(assigned.flow[row])

    result = audited(
        tap,
        load_profile("offline"),
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
            where=", ".join(named),
            hint=_numbering(result.audit.coverage.frames),
        )
    return [_explained(tap.frames[n], flow_of.get(n), result) for n in numbers]


def _numbering(frames: int) -> str:
    return f"its frames are numbered 1 to {frames}" if frames else "it has no frames at all"


def _explained(frame: TappedFrame, flow: int | None, result: Audited) -> ExplainedFrame:
    origin = ""
    if result.parts:
        origin = f"frame {frame.number_in_file} of {result.parts[frame.file].name}"
    if flow is None:
        nothing = Absent.NOT_APPLICABLE
        return ExplainedFrame(frame, nothing, (), nothing, origin=origin)
    record = result.flow_record(flow)
    entries = entries_of(record[1], packaged_catalogue)
    return ExplainedFrame(frame, *record, result.lineage(flow), origin, entries)
