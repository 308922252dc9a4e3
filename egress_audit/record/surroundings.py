"""What everybody needs who answers the calls of one sandbox."""

from collections.abc import Callable
from dataclasses import dataclass

from egress_audit.record.attempts import Attempts
from egress_audit.record.inside import Inside
from egress_audit.record.notifications import Listener
from egress_audit.record.opened_files import OpenedFiles
from egress_audit.record.processes import Processes
from egress_audit.record.senders import Senders


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The calls, who makes them, and where it is noted what they want."""

    listener: Listener
    init: int
    """Pid of the first process of the tree."""
    inside: Inside
    """Its file system."""
    processes: Processes
    senders: Senders
    attempts: Attempts
    files: OpenedFiles
    drain: Callable[[], None]
    """Reads every packet that is already on the wire."""
    now: Callable[[], int]
    """Time in ns since the epoch."""
