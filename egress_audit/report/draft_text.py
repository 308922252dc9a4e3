"""A drafted claim as a profile file: YAML in which every line has its reason as a comment.

What a capture holds was chosen by whoever made it. So comments are cleaned, and have no line break
of their own; values are quoted, and are no patterns, addresses or words of YAML.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from egress_audit.model.audit import Audit, EvidenceItem, OwnAddresses
from egress_audit.model.catalogue import Purpose
from egress_audit.model.destination import Absent
from egress_audit.model.draft import Draft, Line, Party, Reason
from egress_audit.report.places import place_of
from egress_audit.report.safe_text import NO_BREAK, clean, middle_cut, wrapped
from egress_audit.report.words import (
    counted,
    duration_text,
    frames_text,
    listed,
    number,
    own_sides,
    time_text,
)
from egress_audit.values import dataclass

WIDTH = 100
SHOWN_REASONS = 3
"""Reasons of one line that are told; the others are counted."""
SHOWN_CLAUSES = 20
"""Of what no line can allow, and of what is hidden; the others are counted."""
BRIEF_FROM = 100
"""Lines from which on each has one reason, cut to one line: a profile has at most 256 KiB."""
BRIEF_COLUMNS = 88
UNKNOWN = "UNKNOWN"

SCOPE_NOTES = {
    "loopback": "the machine itself",
    "lan": "private networks: to allow less, list single addresses under `prefixes` instead",
    "link-local": "the link, which no router passes on",
    "multicast": "groups of receivers",
    "broadcast": "everybody on the link",
    "metadata-service": "a cloud's service about the machine itself; on a cloud it gives out "
    "identities",
    "unspecified": "the address that stands for none",
}
HEAD = (
    "It allows what was seen there and nothing else. Read every line: that something was done does "
    "not say that it should be. Delete what should not be; then quote the sentence under test."
)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a draft was made from."""

    name: str
    """For people: the name of the capture, or of the program that was run."""
    evidence: tuple[EvidenceItem, ...]
    time: str
    """How long is covered, in words."""
    own: OwnAddresses


def origin_of(name: str, audit: Audit) -> Origin:
    """What the audit was of; `name`: of the capture or program."""
    first, last = audit.coverage.first_ts_ns, audit.coverage.last_ts_ns
    time = "no time that is known"
    if not isinstance(first, Absent) and not isinstance(last, Absent):
        time = duration_text(last - first)
    called = "standard input" if name == "-" else name
    return Origin(called, audit.evidence, time, audit.own_addresses)


def draft_text(draft: Draft, name: str, origin: Origin, *, known_only: bool = False) -> str:
    """The file. known_only: lines of which no list knows who it is are commented out."""
    parts = [
        _head(draft, origin, known_only),
        _top(name, origin),
        ["allow:", *_allowed(draft, known_only)],
        _inbound(draft),
        _require(draft, origin),
        _meanings(),
    ]
    return "\n".join(line for part in parts for line in part).replace(NO_BREAK, " ") + "\n"


def quoted(text: str) -> str:
    """A double-quoted scalar of YAML that is the clean text, whatever stands in it."""
    escaped = clean(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def comment(text: str, indent: int = 0, bullet: str = "") -> list[str]:
    """A comment of as many lines as it needs; nothing in `text` ends it."""
    head = f"{' ' * indent}# "
    first, *others = wrapped(text.replace(NO_BREAK, " "), WIDTH - len(head) - len(bullet))
    return [f"{head}{bullet}{first}", *(f"{head}{' ' * len(bullet)}{line}" for line in others)]


def _head(draft: Draft, origin: Origin, known_only: bool) -> list[str]:
    hashes = listed([item.sha256[:16] for item in origin.evidence], 4)
    told = [f"Drafted by `egress-audit profiles new` from {origin.name} (sha256 {hashes}…).", HEAD]
    unknown = sum(not line.known for line in draft.lines)
    if unknown:
        what = "commented out" if known_only else "allowed all the same"
        told.append(
            f"Marked {UNKNOWN}, and {what}: {counted(unknown, 'line')}. No list knows who is at "
            "the other end; find out before you allow it."
        )
    if origin.own.how == "guessed":
        own = own_sides(origin.own, 4) or "unknown"
        told.append(f"Which side is the program's was guessed: {own}. Say it with --local.")
    if draft.left_out:
        left = counted(draft.left_out, "more value")
        told.append(f"{left} would be needed, and no profile of that length is read by anybody.")
    lines = [line for text in told for line in comment(text)]
    if draft.uncovered:
        lines += comment("This evidence contradicts the draft all the same. No line can allow that")
        lines += _bullets([f"it {clause}" for clause in draft.uncovered], SHOWN_CLAUSES, "")
    if draft.unseen:
        lines += comment("This evidence hides the following, of which no line speaks:")
        lines += _bullets(draft.unseen, SHOWN_CLAUSES, "")
    return lines


def _bullets(texts: Sequence[str], most: int, noun: str) -> list[str]:
    """The first ones, each in a line of its own, and how many more there are."""
    beyond = len(texts) - most
    more = [f"and {number(beyond)} more {noun}".rstrip()] if beyond > 0 else []
    return [line for text in (*texts[:most], *more) for line in comment(text, bullet="- ")]


def _top(name: str, origin: Origin) -> list[str]:
    hashes = listed([item.sha256 for item in origin.evidence], 4)
    return [
        f"name: {name}",
        "kind: system",
        'statement: "It contacts nothing but what this profile lists."',
        f"source: {quoted(f'drafted from {origin.name}, sha256 {hashes}')}",
        "",
        "scope: capture",
    ]


def _allowed(draft: Draft, known_only: bool) -> Iterator[str]:
    """The three lists; the machine itself is in the first, whether or not it was seen."""
    brief = len(draft.lines) > BRIEF_FROM
    yield "  scopes:"
    if not any(line.value == "loopback" for line in draft.lines):
        yield from comment(SCOPE_NOTES["loopback"], 4)
        yield "    - loopback"
    for key, group in groupby(draft.lines, lambda line: line.key):
        lines = list(group)
        if key != "scopes":
            # A list of which every value is a comment would be no list.
            empty = known_only and not any(line.known for line in lines)
            yield f"  {key}: []" if empty else f"  {key}:"
        for party, of_party in groupby(lines, lambda line: line.party):
            if key != "scopes":
                yield from comment(_party_text(party), 4)
            for line in of_party:
                yield from _line(line, brief, known_only)


def _party_text(party: Party) -> str:
    """`Hugging Face: model-download or telemetry (catalogue: hf-hub, hf-telemetry)`."""
    if not party.name:
        return f"{UNKNOWN}: no list knows who this is"
    if not party.endpoints:
        return f"{party.name}, as the address lists have it; what for is not known"
    purposes = " or ".join(party.purposes)
    one_of = "one of " if len(party.endpoints) > 1 else ""
    return f"{party.name}: {purposes} (catalogue: {one_of}{listed(party.endpoints, 6)})"


def _line(line: Line, brief: bool, known_only: bool) -> Iterator[str]:
    shown = line.reasons[: 1 if brief else SHOWN_REASONS]
    for reason in shown:
        text = _reason(reason)
        short = middle_cut(clean(text.replace(NO_BREAK, " ")), BRIEF_COLUMNS) if brief else text
        yield from comment(short, 4, "- ")
    beyond = len(line.reasons) - len(shown)
    if beyond:
        yield f"    # - and {number(beyond)} more such rows".replace(NO_BREAK, " ")
    note = line.note or (SCOPE_NOTES[line.value] if line.key == "scopes" else "")
    if note and not brief:
        yield from comment(note, 4)
    value = line.value if line.key == "scopes" else quoted(line.value)
    off = "# " if known_only and not line.known else ""
    yield f"    {off}- {value}"


def _reason(reason: Reason) -> str:
    """What was seen, how much, when, by whom, where it leads, and in which frames."""
    seen = reason.seen
    if seen is None:
        return reason.clause
    facts = [reason.clause]
    if seen.far_h is not Absent.NOT_APPLICABLE:
        facts.append(f"{counted(seen.pkts_out, 'packet')} out, {number(seen.pkts_in)} in")
        facts.append(", ".join(place_of(seen.destination)))
    elif seen.answers:
        places = dict.fromkeys(", ".join(place_of(there)) for there in seen.answer_destinations)
        facts.append(f"answered with {listed(seen.answers, 2)}: {listed(list(places), 2)}")
    else:
        facts.append("no answer with an address")
    if not isinstance(seen.owner, Absent):
        facts.append(f"by {middle_cut(clean(seen.owner.exe.rpartition('/')[2]), 40)}")
    if not isinstance(seen.phase, Absent):
        facts.append(f"during {seen.phase}")
    facts += [f"first {time_text(seen.first_ts_ns)}", frames_text(seen.frames)]
    return "; ".join(facts)


def _inbound(draft: Draft) -> list[str]:
    lines = [""]
    if draft.answered:
        lines += comment("Seen from outside, and answered; `deny` would make it a contradiction.")
        lines += _bullets([_reason(reason) for reason in draft.answered], SHOWN_REASONS, "rows")
    return [*lines, "inbound: report"]


def _require(draft: Draft, origin: Origin) -> list[str]:
    purposes = ", ".join(purpose.value for purpose in (Purpose.TELEMETRY, Purpose.ANALYTICS))
    words = ", ".join(draft.phases)
    return [
        *comment(f"This evidence covers {origin.time}. Ask for more than known timers need."),
        f"require: {{whole_run: true, probes: true, phases: [{words}], observe: 60s}}",
        *comment("What a host is called for can be denied, where the catalogue knows it."),
        f"# deny: {{purposes: [{purposes}]}}",
        "",
    ]


def _meanings() -> list[str]:
    return [
        "holds_means: >",
        "  Within what was watched, nothing was sent to, asked of or tried with anybody who is not",
        "  listed here.",
        "holds_does_not_mean: >",
        "  That those who are listed should be contacted, or what they do with what they are told.",
        "  The list was drafted from what was seen once: another version, other settings or a",
        "  longer run may do more, or less.",
    ]
