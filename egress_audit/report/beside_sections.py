"""What stands beside an audit, as sections: where merged frames lie, what hosts are called."""

from collections.abc import Sequence

from egress_audit.model.audit import Audit, Finding
from egress_audit.report.beside import AddressLabel, FrameOrigin
from egress_audit.report.safe_text import NO_BREAK
from egress_audit.report.section import Entry, Section
from egress_audit.report.words import listed, number

MAX_FINDINGS = 20
"""As many as the reasons tell."""
MAX_FILES = 8
MAX_LABELS = 30


def origins_section(
    audit: Audit, origins: Sequence[FrameOrigin], inputs: Sequence[str]
) -> Section | None:
    """Of each finding, which frames of which capture it cites; None if none cites any."""
    by_frame = {origin.frame: origin for origin in origins}
    entries = [
        Entry(finding.rule, _places(finding, by_frame, distinct(inputs)))
        for finding in audit.findings[:MAX_FINDINGS]
        if finding.frames.first
    ]
    if not entries:
        return None
    return Section("Frames in their captures", tuple(entries), "a number above is, in its own file")


def _places(
    finding: Finding, by_frame: dict[int, FrameOrigin], inputs: Sequence[str]
) -> tuple[str, ...]:
    """`a.pcap: 7 is 3, 9 is 5`: a line for each capture."""
    lines: dict[int, list[str]] = {}
    for frame in finding.frames.first:
        origin = by_frame[frame]
        lines.setdefault(origin.input, []).append(f"{frame}{NO_BREAK}is{NO_BREAK}{origin.number}")
    shown = [f"{inputs[file]}: {listed(told, 20)}" for file, told in sorted(lines.items())]
    beyond = len(shown) - MAX_FILES
    return (*shown[:MAX_FILES], *([f"… and in {number(beyond)} more"] if beyond > 0 else []))


def distinct(names: Sequence[str]) -> list[str]:
    """The names, with `(2)` and so on behind those that stood before."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found


def labels_section(labels: Sequence[AddressLabel]) -> Section:
    """What the user calls the addresses of this report."""
    entries = [
        Entry(label.address, (f"{label.name}, {label.role}" if label.role else label.name,))
        for label in labels[:MAX_LABELS]
    ]
    beyond = len(labels) - MAX_LABELS
    if beyond > 0:
        entries.append(Entry("…", (f"and {number(beyond)} more: --format json",)))
    note = "labels for the reader, no evidence; the verdict does not know them"
    return Section(
        "Names given with --names",
        tuple(entries),
        note if entries else f"none of these addresses has one; {note}",
    )
