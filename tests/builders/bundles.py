"""Writes whole bundles: packets into the capture, lines into the record, closed by a manifest.

    write_bundle(folder, [Packet(ipv4(...))], whole_run(line("owner", frame=1, ...)))

`whole_run` tells of a run in which all went well; give it what should be different.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from egress_audit.evidence.bundle import BundleWriter, close_bundle
from egress_audit.evidence.events import EventsWriter, Value
from egress_audit.evidence.folder import Folder
from egress_audit.evidence.manifest import mismatches, read_manifest
from egress_audit.evidence.pcapng_writer import CaptureInterface, PcapngWriter

START_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000
SANDBOX = ("10.87.0.2", "fd00:e6e4::2")
RESOLVERS = ("10.87.0.1", "fd00:e6e4::1")
INTERFACES = (CaptureInterface("eg0", 101), CaptureInterface("lo", 101))
TARGET = 2
"""`Process.id` of the program in `whole_run`."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A frame of a bundle's capture; numbered from 1 in the order given."""

    data: bytes
    outbound: bool = True
    interface: int = 0
    """0 is eg0, 1 is lo."""
    ts_ns: int | None = None
    """By default a second after the one before, from START_NS on."""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """An event of the record."""

    event: str
    fields: Mapping[str, Value] = field(default_factory=dict)
    t: int = START_NS


def line(event: str, t: int = START_NS, **fields: Value) -> Line:
    """An event with its fields: `line("owner", frame=1, process=TARGET, how="seccomp")`."""
    return Line(event, fields, t)


def begin(**changes: Value) -> Line:
    """The first line of a record: simulated, over a TUN."""
    fields: dict[str, Value] = {
        "version": 1,
        "rung": "tun",
        "network": "simulated",
        "recorder": "run",
        "command": "program --quiet",
        "own_addresses": list(SANDBOX),
        "resolvers": list(RESOLVERS),
        "home": "overlay",
        "cannot_see": [],
    }
    return Line("begin", fields | changes)


def process(id: int, *, role: str = "target", **changes: Value) -> Line:
    """A process that became known."""
    fields: dict[str, Value] = {
        "id": id,
        "pid": 1000 + id,
        "start_time": 5000 + id,
        "exe": "/usr/bin/program",
        "cmdline": "program --quiet",
        "parent": id - 1 or None,
        "role": role,
    }
    return Line("process", fields | changes)


def attempt(process: int = TARGET, **changes: Value) -> Line:
    """An attempt of a process: by default a connect to 203.0.113.7, port 443."""
    fields: dict[str, Value] = {
        "process": process,
        "call": "connect",
        "family": "AF_INET",
        "type": "stream",
        "address": "203.0.113.7",
        "port": 443,
        "denied": None,
    }
    return Line("attempt", fields | changes)


def owner(frame: int, process: int = TARGET, how: str = "seccomp") -> Line:
    """Says who sent a frame, and those like it from there on."""
    return line("owner", frame=frame, process=process, how=how)


def probe(when: str, by: str, version: int, frame: int | None, **changes: Value) -> Line:
    """A probe that was noticed, with a nonce of its own."""
    nonce = f"{when}{by}{version}".encode().hex()
    fields: dict[str, Value] = {
        "when": when,
        "by": by,
        "version": version,
        "nonce": nonce,
        "frame": frame,
        "noticed": True,
    }
    return Line("probe", fields | changes)


def whole_run(
    *middle: Line,
    first: Line | None = None,
    probes: Sequence[Line] = (),
    drops: Sequence[int | None] = (0, 0),
    observed_ns: int = 120 * SECOND_NS,
    ended_by: str = "tree",
    status: int = 0,
    model: str = "",
) -> list[Line]:
    """A record from its first line to its last, `middle` between exec and exit.

    Process 1 is the recorder's first, process TARGET the program, whose phase `run` is proved by
    its command. `probes` are yours, since they name frames: see `probe`. `model`: path of a model
    file that was opened.
    """
    end_ns = START_NS + SECOND_NS + observed_ns
    opened = [line("model-file", end_ns, path=model, size=1, sha256="ab" * 32)] if model else []
    names = [interface.name for interface in INTERFACES]
    losses = [
        line("loss", end_ns, interface=name, received=0, dropped=lost)
        for name, lost in zip(names, drops, strict=True)
    ]
    return [
        first or begin(),
        process(1, role="recorder", exe="/usr/bin/python3"),
        process(TARGET),
        *probes,
        line("exec", START_NS + SECOND_NS, process=TARGET),
        line("phase", START_NS + SECOND_NS, phase="run", proof="command", edge="begin"),
        *middle,
        line("phase", end_ns, phase="run", proof="command", edge="end"),
        line("exited", end_ns, status=status),
        line("tree-ended", end_ns),
        line("watched-until", end_ns, by=ended_by),
        line("exe", end_ns, path="/usr/bin/program", sha256="cd" * 32),
        *opened,
        line("unattributed-count", end_ns, count=0),
        *losses,
        line("end", end_ns + SECOND_NS),
    ]


def write_bundle(
    folder: Path,
    packets: Iterable[Packet] = (),
    lines: Iterable[Line] | None = None,
    *,
    interfaces: Sequence[CaptureInterface] = INTERFACES,
    drops: Sequence[int | None] = (0, 0),
    names: Mapping[str, str] | None = None,
    closed: bool = True,
    headers_only: bool = False,
) -> Path:
    """A bundle in `folder`, which must not exist; returns it.

    `lines`: by default `whole_run()`. A line without a time of its own has that of the line before.
    `drops`: by interface, as the capture says; None leaves it unsaid. `names`: address to name.
    `closed`: with its manifest; else as a killed recorder leaves it, and without statistics.
    """
    lines = whole_run() if lines is None else list(lines)
    files = BundleWriter.create(folder)
    capture = PcapngWriter(files.capture, interfaces, headers_only=headers_only)
    capture.write_names(names or {})
    received = [0] * len(interfaces)
    t_ns = START_NS
    for packet in packets:
        t_ns = t_ns + SECOND_NS if packet.ts_ns is None else packet.ts_ns
        received[packet.interface] += 1
        shown = {"outbound": packet.outbound}
        capture.write(packet.interface, t_ns, packet.data, **shown, comment=packet.comment)
    for index, dropped in enumerate(drops) if closed else ():
        seen = received[index] + (dropped or 0)
        times = {"start_ns": START_NS, "end_ns": t_ns}
        capture.write_statistics(index, received=seen, dropped=dropped, **times)
    capture.flush()
    _write_lines(EventsWriter(files.events), lines)
    files.close()
    if closed:
        first = next((made for made in lines if made.event == "begin"), begin()).fields
        close_bundle(folder, rung=str(first["rung"]), network=str(first["network"]))
    return folder


def _write_lines(events: EventsWriter, lines: Iterable[Line]) -> None:
    latest_ns = START_NS
    for made in lines:
        latest_ns = latest_ns if made.t == START_NS else made.t
        events.write(made.event, latest_ns, **made.fields)


def mismatches_in(path: Path) -> tuple[str, ...]:
    """What in the bundle at `path` is not as its manifest says; empty if all is."""
    with Folder.open(path) as folder:
        manifest = read_manifest(folder)
        assert manifest is not None
        return mismatches(folder, manifest)
