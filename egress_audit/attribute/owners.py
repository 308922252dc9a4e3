"""Who sent a flow: the seam that sandbox, attach and capture dialects will fill."""

from typing import Protocol

from egress_audit.columns import FlowColumns
from egress_audit.model.audit import Owner
from egress_audit.model.destination import Absent


class Attributor(Protocol):
    """Finds the process behind a flow."""

    def owner(self, flows: FlowColumns, row: int) -> Owner | Absent:
        """The owner of one flow; NOT_FOUND where the evidence names none."""
        ...

    @property
    def knows_any(self) -> bool:
        """True if the evidence names the owner of any flow."""
        ...


class NoOwners:
    """A capture without process records: nobody can say who sent anything."""

    knows_any = False

    def owner(self, flows: FlowColumns, row: int) -> Owner | Absent:
        """NOT_FOUND, for every flow."""
        return Absent.NOT_FOUND
