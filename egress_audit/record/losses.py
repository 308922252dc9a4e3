"""How much of what passed was recorded: the last thing that is asked of a sandbox, and written."""

import time
from collections.abc import Callable

from egress_audit.evidence.pcapng_writer import PcapngWriter
from egress_audit.record.sandbox import Sandbox
from egress_audit.record.traffic import LOOPBACK, WAY_OUT, Traffic
from egress_audit.record.wire import INTERFACE

LO = "lo"
NO_INTERFACE = "none"
"""Named in the capture of a rung that sees no packet."""
WriteEvent = Callable[..., None]


def note_losses(
    sandbox: Sandbox, capture: PcapngWriter, traffic: Traffic, write: WriteEvent, began_ns: int
) -> None:
    """Writes what each interface received and lost, into the capture and beside it, and the names.

    began_ns: since when the interfaces were heard. What was lost is unknown where no packet is
    seen, and where the sandbox was killed: then what waited on its interfaces went with it.
    """
    if not sandbox.rung.sees_all:
        write("loss", interface=NO_INTERFACE, received=0, dropped=None)
        return
    lost, stayed = sandbox.dropped(), sandbox.loopback.statistics()
    received = (traffic.received[WAY_OUT] + (lost or 0), stayed.received + stayed.dropped)
    dropped = (lost, None if lost is None else stayed.dropped)
    capture.write_names(traffic.names)
    for number, name in ((WAY_OUT, INTERFACE), (LOOPBACK, LO)):
        capture.write_statistics(
            number,
            received=received[number],
            dropped=dropped[number],
            start_ns=began_ns,
            end_ns=time.time_ns(),
        )
        write("loss", interface=name, received=received[number], dropped=dropped[number])
