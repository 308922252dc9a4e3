"""Frames of a capture, shown to a person: dissected, with flow, names and destination."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Protocol

from egress_audit.model.destination import Absent, Destination
from egress_audit.model.flow import Flow, Name
from egress_audit.report.dissect import dissected
from egress_audit.report.flow_records import flow_record
from egress_audit.report.places import place_of
from egress_audit.report.plain import Plain
from egress_audit.report.safe_text import clean, middle_cut

WIDTH = 100
WITH_PORTS = (6, 17, 33, 132, 136)
"""TCP, UDP, DCCP, SCTP, UDP-Lite; of others the numbers in a flow are no ports."""


class Frame(Protocol):
    """A frame with its bytes, as it was captured."""

    @property
    def number(self) -> int: ...
    @property
    def ts_ns(self) -> int: ...
    @property
    def linktype(self) -> int: ...
    @property
    def captured(self) -> bytes: ...
    @property
    def wirelen(self) -> int: ...


class Explained(Protocol):
    """A frame and what the audit knows of it."""

    @property
    def frame(self) -> Frame: ...
    @property
    def flow(self) -> Flow | Absent: ...
    @property
    def names(self) -> tuple[Name, ...]: ...
    @property
    def destination(self) -> Destination | Absent: ...


def explanation_text(frames: Iterable[Explained]) -> str:
    """Each frame as a block of lines of at most 100 columns."""
    return "\n".join("\n".join(_block(explained)) + "\n" for explained in frames)


def explanation_json(frames: Iterable[Explained]) -> str:
    """The same as an array of objects; bytes in hexadecimal."""
    return json.dumps([_record(explained) for explained in frames], indent=2) + "\n"


def _record(explained: Explained) -> dict[str, Plain]:
    frame = explained.frame
    flow: Plain = {"absent": Absent.NOT_APPLICABLE.value}
    if not isinstance(explained.flow, Absent):
        flow = flow_record(explained.flow, explained.names, explained.destination)
    return {
        "frame": frame.number,
        "ts_ns": frame.ts_ns,
        "linktype": frame.linktype,
        "captured_bytes": len(frame.captured),
        "wire_bytes": frame.wirelen,
        "bytes": frame.captured.hex(),
        "flow": flow,
    }


def _block(explained: Explained) -> Iterable[str]:
    frame = explained.frame
    seconds, ns = divmod(frame.ts_ns, 1_000_000_000)
    at = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    size = f"{frame.wirelen} bytes on the wire, {len(frame.captured)} in the file"
    yield f"Frame {frame.number}  {at}.{ns:09d} UTC  {size}"
    yield from (f"  {middle_cut(line, WIDTH - 2)}" for line in _about(explained))
    for line in dissected(frame.captured, frame.linktype).splitlines():
        yield f"    {middle_cut(clean(line), WIDTH - 4)}".rstrip()


def _about(explained: Explained) -> Iterable[str]:
    flow, destination = explained.flow, explained.destination
    if isinstance(flow, Absent):
        yield "Flow         none: this frame is no IP packet that could be decoded"
        return
    orig, resp = _end(flow, flow.orig_h, flow.orig_p), _end(flow, flow.resp_h, flow.resp_p)
    yield f"Flow         {orig} → {resp}  protocol {flow.proto}  {flow.conn_state} {flow.history}"
    counts = f"{flow.orig_pkts} packets there, {flow.resp_pkts} back"
    yield f"             {counts}; frames {flow.first_frame} to {flow.last_frame}"
    yield f"             Community ID {flow.community_id}"
    if explained.names:
        names = (
            f"{clean(name.host)} ({name.source}, frame {name.frame})" for name in explained.names
        )
        yield f"Names        {', '.join(names)}"
    if not isinstance(destination, Absent):
        yield f"Destination  {', '.join(place_of(destination))}"


def _end(flow: Flow, address: str, port: int) -> str:
    if flow.proto not in WITH_PORTS:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
