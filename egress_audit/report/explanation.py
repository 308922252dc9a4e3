"""Frames of a capture, shown to a person: dissected, with flow, names and destination."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Protocol

from egress_audit.model.catalogue import Entry
from egress_audit.model.destination import Absent, Destination
from egress_audit.model.flow import Flow, FlowOwner, Name
from egress_audit.model.protocols import WITH_PORTS
from egress_audit.model.run import Process, Role
from egress_audit.periods import SECOND_NS
from egress_audit.report.dissect import dissected
from egress_audit.report.flow_records import flow_record
from egress_audit.report.places import place_of
from egress_audit.report.plain import Plain, plain
from egress_audit.report.safe_text import NO_BREAK, clean, middle_cut, narrow, wrapped
from egress_audit.report.words import counted, number, protocol

WIDTH = 100
INDENT = "  "
LABEL = 13
"""Columns of the words before what is known of a frame."""
SHOWN_USES = 3
"""Entries of the catalogue that are shown of one frame."""
NAME_LINES = 4
"""Lines that one name may fill; what is longer gives way in its middle."""


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
    @property
    def owner(self) -> FlowOwner | Absent: ...
    @property
    def lineage(self) -> tuple[Process, ...]: ...
    @property
    def origin(self) -> str: ...
    @property
    def entries(self) -> tuple[Entry, ...]: ...


def explanation_text(frames: Iterable[Explained], width: int = WIDTH) -> str:
    """Each frame as a block of lines of at most `width` columns, from 80 to WIDTH."""
    width = min(width, WIDTH)
    return "\n".join("\n".join(_block(explained, width)) + "\n" for explained in frames)


def explanation_json(frames: Iterable[Explained]) -> str:
    """The same as an array of objects; bytes in hexadecimal."""
    return json.dumps([_record(explained) for explained in frames], indent=2) + "\n"


def _record(explained: Explained) -> dict[str, Plain]:
    frame = explained.frame
    flow: Plain = {"absent": Absent.NOT_APPLICABLE.value}
    if not isinstance(explained.flow, Absent):
        known = explained.names, explained.destination, explained.owner
        flow = flow_record(explained.flow, *known)
    origin: dict[str, Plain] = {"origin": explained.origin} if explained.origin else {}
    return {
        "frame": frame.number,
        **origin,
        "ts_ns": frame.ts_ns,
        "linktype": frame.linktype,
        "captured_bytes": len(frame.captured),
        "wire_bytes": frame.wirelen,
        "bytes": frame.captured.hex(),
        "flow": flow,
        "endpoints": [entry.id for entry in explained.entries],
        "processes": [_process_record(process) for process in explained.lineage],
    }


def _block(explained: Explained, width: int) -> Iterable[str]:
    frame = explained.frame
    seconds, ns = divmod(frame.ts_ns, SECOND_NS)
    at = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    on_wire = counted(frame.wirelen, "byte").replace(NO_BREAK, " ")
    size = (
        f"{on_wire} on the wire, {number(len(frame.captured)).replace(NO_BREAK, ' ')} in the file"
    )
    first = f"Frame {frame.number}  {at}.{ns:09d} UTC"
    yield from (
        (f"{first}  {size}",) if len(first) + 2 + len(size) <= width else (first, "  " + size)
    )
    for label, text in _about(explained):
        room = width - len(INDENT) - LABEL
        for line in wrapped(middle_cut(narrow(text), NAME_LINES * room), room):
            yield f"{INDENT}{label:<{LABEL}}{line}".replace(NO_BREAK, " ").rstrip()
            label = ""
    for line in dissected(frame.captured, frame.linktype).splitlines():
        yield f"    {middle_cut(clean(line), width - 4)}".rstrip()


def _about(explained: Explained) -> Iterable[tuple[str, str]]:
    """What is known of the frame, each as a label and a text; a label stands once."""
    flow, destination = explained.flow, explained.destination
    if explained.origin:
        yield "In its file", explained.origin
    if isinstance(flow, Absent):
        yield "Flow", "none: this frame is no IP packet that could be decoded"
        return
    orig, resp = _end(flow, flow.orig_h, flow.orig_p), _end(flow, flow.resp_h, flow.resp_p)
    yield "Flow", f"{orig} → {resp}, {protocol(flow.proto)}"
    yield "", _state(flow)
    there = counted(flow.orig_pkts, "packet")
    frames = f"frames {flow.first_frame} to {flow.last_frame}"
    if flow.first_frame == flow.last_frame:
        frames = f"frame {flow.first_frame}"
    yield "", f"{there} there, {number(flow.resp_pkts)} back; {frames}"
    yield "", f"Community ID {flow.community_id}"
    for place, name in enumerate(explained.names):
        where = f"frame {name.frame}" if name.frame else "in no frame"
        yield "" if place else "Names", f"{name.host} ({name.source}, {where})"
    if not isinstance(destination, Absent):
        yield "Destination", ", ".join(place_of(destination))
    yield from _uses(explained.entries)
    yield from _sender(explained.owner, explained.lineage)


def _uses(entries: tuple[Entry, ...]) -> Iterable[tuple[str, str]]:
    """What programs are known to call the names for; which of them it was, a name does not say."""
    for place, entry in enumerate(entries[:SHOWN_USES]):
        label = ("Perhaps" if len(entries) > 1 else "Known for") if not place else ""
        yield label, f"{entry.product}: {entry.purpose}, at {entry.vendor} ({entry.id})"
    if len(entries) > SHOWN_USES:
        more = counted(len(entries) - SHOWN_USES, "more use")
        yield "", f"and {more}: egress-audit whois tells"
    notes = dict.fromkeys(
        (entry.vendor, entry.note) for entry in entries[:SHOWN_USES] if entry.note
    )
    for place, (vendor, note) in enumerate(notes):
        yield "" if place else "Note", f"{vendor}: {note}"


def _sender(owner: FlowOwner | Absent, lineage: tuple[Process, ...]) -> Iterable[tuple[str, str]]:
    """The process behind the flow, how that is known, and its parents; nothing of a capture."""
    if owner is Absent.NOT_FOUND:
        yield "Process", "nobody is known to have sent this"
    if isinstance(owner, Absent):
        return
    role = "the program's" if owner.role is Role.TARGET else f"our own ({owner.role}), not judged"
    for place, process in enumerate(lineage):
        label = ("Process", "Parents")[place] if place < 2 else ""
        if process.role is Role.RECORDER:
            yield label, f"pid {process.pid}, the first process of the sandbox, which is ours"
            continue
        yield label, f"pid {process.pid} {process.exe}"
        if not isinstance(process.cmdline, Absent):
            yield "", process.cmdline
        if not place:
            yield "", f"{role}; known by: {owner.how}"


def _process_record(process: Process) -> Plain:
    """A process in JSON: its arguments with secrets masked."""
    return {
        "pid": process.pid,
        "exe": process.exe,
        "cmdline": plain(process.cmdline),
        "role": process.role.value,
    }


def _state(flow: Flow) -> str:
    """Zeek's words for what happened to the flow."""
    state = f"state {flow.conn_state}"
    return f"{state}, history {flow.history}" if flow.history else state


def _end(flow: Flow, address: str, port: int) -> str:
    if flow.proto not in WITH_PORTS:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
