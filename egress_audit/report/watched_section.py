"""What was watched, and how well: the coverage ledger in words."""

from collections.abc import Sequence

from egress_audit.model.audit import Audit, EvidenceItem, OwnAddresses
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import Coverage, Interface
from egress_audit.report.section import Entry, Section
from egress_audit.report.words import (
    counted,
    duration_text,
    first_of,
    listed,
    number,
    own_sides,
    tally,
    time_text,
)

MAX_INTERFACES = 8
DROPS_UNKNOWN = "unknown: the file does not say"
NOT_HASHED = "not hashed, as was asked for: nothing ties this report to the bytes of the file"
HOW_KNOWN = {
    "given": "given with --local",
    "recorded": "recorded in the evidence",
    "guessed": "guessed from the traffic",
}
CONTRADICTED = (
    "stream sent twice with different content",
    "streams sent twice with different content",
)


def watched_section(audit: Audit, inputs: Sequence[str] = ()) -> Section:
    """The file, its frames, times, losses and interfaces; what is unusual only where it is.

    inputs: names of the captures, told if they are several that were merged.
    """
    coverage = audit.coverage
    names = inputs if len(inputs) == len(audit.evidence) > 1 else [""] * len(audit.evidence)
    entries = [_capture(item, name) for item, name in zip(audit.evidence, names, strict=True)]
    entries += [Entry("Frames", (_frames(coverage),)), *_times(coverage)]
    entries.append(Entry("Drops", (_drops(coverage.drops),)))
    entries += [
        Entry(term, (text,))
        for term, text in (
            ("Incomplete", _incomplete(coverage)),
            ("Names unread", tally(coverage.unread_heads)),
            ("Names hidden", tally(coverage.hidden_names)),
            ("Hidden near", tally(coverage.hidden_near)),
            ("Tunnels", tally(coverage.tunnels)),
            ("On a wire", _loopback_on_wire(coverage)),
            ("Damage", _damage(coverage)),
            ("Not read", tally(coverage.skipped_blocks)),
        )
        if text
    ]
    entries.append(_interfaces(coverage.interfaces))
    entries.append(Entry("Own side", (_own_addresses(audit.own_addresses),)))
    return Section("Watched", tuple(entries))


def _capture(item: EvidenceItem, name: str) -> Entry:
    """Size, format and hash: which file it is that was judged."""
    described = f"{counted(item.size, 'byte')}, {item.format}, {item.format_detail}"
    term = "Bundle" if item.format == "bundle" else "Capture"
    lines = (name, described) if name else (described,)
    if isinstance(item.sha256, Absent):
        return Entry(term, (*lines, NOT_HASHED))
    return Entry(term, lines, f"sha256 {item.sha256}")


def _frames(coverage: Coverage) -> str:
    """Every frame in exactly one group, so that the sum can be checked by eye."""
    if not coverage.frames:
        return "0: the evidence holds none"
    parts = [f"{counted(coverage.packets, 'packet')} of {counted(coverage.flows, 'flow')}"]
    if coverage.no_destination:
        total = sum(coverage.no_destination.values())
        parts.append(f"{number(total)} without destination ({tally(coverage.no_destination)})")
    undecoded = f"{number(sum(coverage.undecoded.values()))} not decoded"
    if coverage.undecoded:
        undecoded += f" ({tally(coverage.undecoded)})"
    return f"{number(coverage.frames)} in all: {', '.join([*parts, undecoded])}"


def _times(coverage: Coverage) -> list[Entry]:
    first, last, silence = coverage.first_ts_ns, coverage.last_ts_ns, coverage.longest_silence
    if isinstance(first, Absent) or isinstance(last, Absent):
        return [Entry("Time", ("no frame, so no time: nothing says when this was recorded",))]
    span = f"{time_text(first)} to {time_text(last)}, {duration_text(last - first)}"
    if isinstance(silence, Absent):
        return [Entry("Time", (span,))]
    longest = f"longest silence {duration_text(silence.length_ns)}, after"
    return [Entry("Time", (span, f"{longest} {time_text(silence.after_ns)}"))]


def _drops(drops: int | Absent) -> str:
    return DROPS_UNKNOWN if isinstance(drops, Absent) else counted(drops, "frame")


def _incomplete(coverage: Coverage) -> str:
    """Everything that is missing inside what was recorded; '' if nothing is."""
    counts = {
        ("shorter than on the wire", "shorter than on the wire"): coverage.truncated,
        # Recorded twice, or sent again as it was: an ARP request each second is.
        ("repeated frame", "repeated frames"): coverage.duplicates,
        ("without a time", "without a time"): coverage.frames_without_time,
        ("out of time order", "out of time order"): coverage.time_reversals,
        ("one-way flow", "one-way flows"): coverage.one_way_flows,
        ("flow with gaps", "flows with gaps"): coverage.gap_flows,
        ("byte missed", "bytes missed"): coverage.missed_bytes,
        CONTRADICTED: coverage.conflicting_segments,
        ("packet past the table of flows", "packets past the table of flows"): (
            coverage.flows_evicted
        ),
        ("name past the bound", "names past the bound"): coverage.names_dropped,
        ("name record past the bound", "name records past the bound"): (
            coverage.host_records_beyond
        ),
        **{(word, word): count for word, count in coverage.partial.items()},
    }
    return tally({words[count != 1]: count for words, count in counts.items() if count})


def _loopback_on_wire(coverage: Coverage) -> str:
    """Packets that had no reason to leave the machine, and did or may have; '' if none."""
    count = coverage.loopback_on_wire
    return f"{counted(count, 'packet')} of a machine to itself" if count else ""


def _damage(coverage: Coverage) -> str:
    return listed([f"at byte {number(damage.offset)}: {damage.what}" for damage in coverage.damage])


def _interfaces(interfaces: tuple[Interface, ...]) -> Entry:
    lines = first_of([_interface(interface) for interface in interfaces], MAX_INTERFACES)
    return Entry("Interfaces", lines or ("none described",))


def _interface(interface: Interface) -> str:
    name = "unnamed" if isinstance(interface.name, Absent) else interface.name
    snaplen = f"snaplen {number(interface.snaplen)}" if interface.snaplen else "no snaplen"
    capture_filter = "no filter recorded"
    if not isinstance(interface.capture_filter, Absent):
        capture_filter = f"filter “{interface.capture_filter}”"
    drops = "unknown" if isinstance(interface.drops, Absent) else number(interface.drops)
    frames = counted(interface.frames, "frame")
    facts = (interface.linktype_name, snaplen, capture_filter, f"drops {drops}", frames)
    return f"{interface.index} {name}: {', '.join(facts)}"


def _own_addresses(own: OwnAddresses) -> str:
    if not own.prefixes:
        return "unknown: no address was given or recorded, and none could be guessed"
    return f"{own_sides(own)}, {HOW_KNOWN.get(own.how, own.how)}"
