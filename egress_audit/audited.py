"""What an audit hands back: the document, and the flows behind it, told when they are asked for."""

from collections.abc import Callable, Iterator

from egress_audit.attribute.own_addresses import Sides
from egress_audit.attribute.owners import Owned
from egress_audit.columns import FlowColumns
from egress_audit.flows.view import flow_at
from egress_audit.judge.case import Case
from egress_audit.model.audit import Audit
from egress_audit.model.destination import Absent, Destination
from egress_audit.model.evidence import CaptureFacts
from egress_audit.model.flow import Flow, FlowOwner, Name
from egress_audit.model.run import Process
from egress_audit.names.flow_names import FlowNames
from egress_audit.values import dataclass

DestinationOf = Callable[[str], Destination]
FlowRecord = tuple[Flow, tuple[Name, ...], Destination | Absent, FlowOwner | Absent]

MOST_PARENTS = 16
"""Of one process; longer lines are the work of a program that forks without end."""


@dataclass(frozen=True, slots=True)
class Audited:
    """An audit, and the flows behind it."""

    name: str
    """For the envelope: file name of the capture, `-` for standard input; of a bundle the
    program's."""
    audit: Audit
    flows: FlowColumns
    sides: Sides
    names: FlowNames
    destination_of: DestinationOf
    case: Case
    """What was judged: another claim can be held against the same evidence."""
    owned: Owned | None = None
    """None where the evidence names no process."""
    parts: tuple[CaptureFacts, ...] = ()
    """Of captures that were merged, each one's own facts, in the order named."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """For the envelope: the names of all that was read."""
        return tuple(part.name for part in self.parts) or (self.name,)

    def flow_records(self) -> Iterator[FlowRecord]:
        """Every flow with its names, destination and owner, made one at a time."""
        return (self.flow_record(row) for row in range(len(self.flows)))

    def flow_record(self, row: int) -> FlowRecord:
        """One flow, with its names, the destination of its far side, and its owner."""
        orig, resp = bool(self.sides.local_orig[row]), bool(self.sides.local_resp[row])
        flow = flow_at(self.flows, row, local_orig=orig, local_resp=resp)
        far = flow.resp_h if isinstance(flow.far_h, Absent) else flow.far_h
        return flow, self.names.of(row), self.destination_of(far), self._owner(row)

    def _owner(self, row: int) -> FlowOwner | Absent:
        sender = Absent.NOT_APPLICABLE if self.owned is None else self.owned.sender(row)
        if isinstance(sender, Absent):
            return sender
        process, how = sender
        return FlowOwner(process.pid, process.exe, process.role, how)

    def lineage(self, row: int) -> tuple[Process, ...]:
        """The process behind one flow and then its parents, as far as they are known."""
        sender = Absent.NOT_APPLICABLE if self.owned is None else self.owned.sender(row)
        if isinstance(sender, Absent) or self.owned is None:
            return ()
        line = [sender[0]]
        # The parent of each stands before it, so that this ends.
        while isinstance(line[-1].parent, int) and len(line) <= MOST_PARENTS:
            line.append(self.owned.processes[line[-1].parent - 1])
        return tuple(line)
