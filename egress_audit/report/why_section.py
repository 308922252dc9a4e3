"""Why the verdict is what it is: the findings, or the blind spots that stand before HOLDS."""

from collections.abc import Iterable, Mapping

from egress_audit.model.audit import (
    Audit,
    BlindSpot,
    Finding,
    Frames,
    Kind,
    Observation,
    Verdict,
)
from egress_audit.model.destination import Absent
from egress_audit.model.protocols import DNS_PORT
from egress_audit.report.section import Entry, Section
from egress_audit.report.words import display_filter, frames_text, listed, number

MAX_FINDINGS = 20
NUMBERED_TOO = ("custom block", "systemd journal", "sysdig")
"""How the names of blocks begin that hold no frame, and that Wireshark may number like frames."""
NAMES = 4
"""That a resolver was asked for, in one finding."""
UNLIFTED = "none lifts"
"""Stands where an assertion would, beside what the file itself records."""


def why_section(audit: Audit) -> Section:
    """The reasons, by verdict: contradictions, what was not seen, or that neither is left."""
    if audit.verdict is Verdict.VIOLATED:
        return _contradictions(audit)
    if audit.verdict is Verdict.INCONCLUSIVE:
        return _doubts([spot for spot in audit.blind_spots if spot.material])
    return Section("Why", (), "nothing contradicts the claim, and no material blind spot is left")


def _contradictions(audit: Audit) -> Section:
    told: dict[tuple[str, ...], str] = {}
    resolvers = _resolvers(audit.observations)
    skipped = audit.coverage.skipped_blocks.items()
    others = sum(count for kind, count in skipped if kind.startswith(NUMBERED_TOO))
    entries = []
    for finding in audit.findings[:MAX_FINDINGS]:
        why = _explained(finding, told) or _as_resolver(finding, resolvers)
        lines = (finding.message, *why, _where(finding.frames, others))
        to_copy = "" if others else display_filter(finding.frames)
        entries.append(Entry(finding.rule, lines, to_copy))
    beyond = len(audit.findings) - MAX_FINDINGS
    if beyond > 0:
        entries.append(Entry("…", (f"and {number(beyond)} more findings: --format json",)))
    return Section("Why", tuple(entries), "this contradicts the claim")


def _explained(finding: Finding, told: dict[tuple[str, ...], str]) -> tuple[str, ...]:
    """Who, why and how to switch it off; what an earlier finding said is not said again."""
    if finding.explanation in told:
        who, *_ = finding.explanation
        return who, f"why, and how to switch it off: as above, at {told[finding.explanation]}"
    if finding.explanation:
        first = f", frame {finding.frames.first[0]}" if finding.frames.first else ""
        told[finding.explanation] = f"{finding.rule}{first}"
    return finding.explanation


def _resolvers(observations: Iterable[Observation]) -> dict[int, list[str]]:
    """By the id of a contact with a resolver, the names that it was asked for, though not by us."""
    rows = [seen for seen in observations if not seen.by_helper]
    asked: dict[str, list[str]] = {}
    for seen in rows:
        for resolver in seen.resolvers:
            asked.setdefault(resolver, []).append(seen.names[0].host)
    contacts = (seen for seen in rows if seen.kind is Kind.CONTACT and seen.far_p == DNS_PORT)
    return {seen.id: asked[seen.far_h] for seen in contacts if seen.far_h in asked}


def _as_resolver(finding: Finding, resolvers: Mapping[int, list[str]]) -> tuple[str, ...]:
    """What a finding that no entry explains was for, if it is about a resolver of these names."""
    names = dict.fromkeys(name for seen in finding.observations for name in resolvers.get(seen, ()))
    return (f"why: a resolver, asked for {listed(list(names), NAMES)}",) if names else ()


def _where(frames: Frames, others: int) -> str:
    """The frames in a sentence that leads to their display filter, if there is one.

    others: blocks by which Wireshark's numbers may be higher than ours.
    """
    if not frames.first:
        return frames_text(frames)
    if others:
        count = f"{number(others)} {'block' if others == 1 else 'blocks'}"
        return f"{frames_text(frames)}; Wireshark may also number {count} without a frame"
    kept = len(frames.first)
    which = f"the first {kept} of {number(frames.total)} " if frames.total > kept else ""
    return f"{frames_text(frames)}; {which}as a Wireshark display filter:"


def _doubts(material: list[BlindSpot]) -> Section:
    """What could have happened unseen, under the word that would lift it; first what none lifts.

    Where no word lifts anything, as of a run of ours, each stands under its own id.
    """
    if not any(_liftable(spot) for spot in material):
        entries = [Entry(spot.id, (spot.message, *spot.explanation)) for spot in material]
        return Section("Why", tuple(entries), "silence is not proof; no assertion lifts these")
    by_word: dict[str, list[str]] = {UNLIFTED: []}
    for spot in material:
        word = UNLIFTED if isinstance(spot.lifted_by, Absent) else spot.lifted_by
        by_word.setdefault(word, []).extend((f"{spot.id}: {spot.message}", *spot.explanation))
    note = "silence is not proof; on the left the --assert word that would lift what is beside it"
    lifted = (Entry(word, tuple(lines)) for word, lines in by_word.items() if lines)
    return Section("Why", tuple(lifted), note)


def _liftable(spot: BlindSpot) -> bool:
    return not isinstance(spot.lifted_by, Absent)


def remedies_section(audit: Audit) -> Section:
    """What would settle the reasons of an inconclusive audit; each remedy once."""
    by_remedy: dict[str, list[str]] = {}
    for spot in audit.blind_spots:
        if spot.material and spot.remedy:
            by_remedy.setdefault(spot.remedy, []).append(spot.id)
    entries = [
        Entry(ids[0] if len(ids) == 1 else f"{len(ids)} of them", (remedy,))
        for remedy, ids in by_remedy.items()
    ]
    liftable = any(spot.material and _liftable(spot) for spot in audit.blind_spots)
    note = "evidence, or an assertion you answer for" if liftable else "evidence"
    return Section("What would settle it", tuple(entries), note)
