"""The verdict as one sentence with a subject."""

from collections.abc import Sequence
from dataclasses import replace

from egress_audit.judge import phrases
from egress_audit.judge.case import Case
from egress_audit.judge.phases import ending
from egress_audit.judge.rules_of_attempts import REFUSED
from egress_audit.model.audit import BlindSpot, Finding, Kind, Observation, Verdict
from egress_audit.model.destination import Absent
from egress_audit.model.protocols import DNS_PORT, TCP
from egress_audit.model.run import Run
from egress_audit.periods import SECOND_NS


def headline(
    case: Case, verdict: Verdict, findings: Sequence[Finding], spots: Sequence[BlindSpot]
) -> str:
    """One sentence, without a full stop, that a person can sign or quote."""
    if verdict is Verdict.VIOLATED:
        return f"{case.subject} {_what_was_done(case, findings)}"
    if verdict is Verdict.INCONCLUSIVE and not isinstance(case.run, Absent):
        return (
            f"{case.subject} did nothing against the claim that was seen, and this is no proof: "
            + _open_points(case.run, [spot for spot in spots if spot.material])
        )
    if verdict is Verdict.INCONCLUSIVE:
        return f"{case.subject} shows nothing against the claim, and cannot prove it: " + _doubts(
            [spot for spot in spots if spot.material]
        )
    return _basis(case) + _nothing_found(case)


def _nothing_found(case: Case) -> str:
    if not isinstance(case.run, Absent):
        return _watched(case, case.run)
    if not case.coverage.frames:
        return "0 frames: the proof rests on what you assert"
    return f"nothing in {phrases.plural(case.coverage.frames, 'frame')} contradicts it"


def _open_points(run: Run, reasons: Sequence[BlindSpot]) -> str:
    """The first blind spot in full, and how many more there are; that the user ended it before."""
    first, *others = sorted(reasons, key=lambda spot: not _is_cut_short(run, spot))
    more = f"; and {phrases.plural(len(others), 'more blind spot')}" if others else ""
    return f"{_point(run, first)}{more}"


def _point(run: Run, spot: BlindSpot) -> str:
    """A blind spot in a clause; of what happened every day in the words for that."""
    if _is_cut_short(run, spot):
        return f"it was ended by the user after {_seconds(run.observed_ns)} s"
    if spot.id == "phases-unproven" and run.failed:
        return f"its command {ending(run.exit_status)}, so it may not have done its work"
    return spot.message


def _is_cut_short(run: Run, spot: BlindSpot) -> bool:
    return run.ended_by == "interrupted" and spot.id == "observation-short"


def _doubts(reasons: Sequence[BlindSpot]) -> str:
    """How many blind spots there are, and which of them no assertion could lift."""
    count = phrases.plural(len(reasons), "blind spot")
    fixed = [spot.id for spot in reasons if isinstance(spot.lifted_by, Absent)]
    if not fixed:
        return f"{count}, which only assertions could lift"
    more = f" and {len(fixed) - 3} more" if len(fixed) > 3 else ""
    return f"{count}, of which no assertion lifts {', '.join(fixed[:3])}{more}"


def _watched(case: Case, run: Run) -> str:
    """How long a program was watched that did nothing against its claim."""
    tree = " to the end of its last process" if run.ended_by == "tree" else ""
    own = sum(seen.pkts_out + seen.pkts_in for seen in case.of_program)
    asked = sum(seen.pkts_out for seen in case.questions())
    packets = phrases.plural(own - asked, "packet")
    return (
        f"{case.subject} was watched for {_seconds(run.observed_ns)} s{tree}, and nothing in "
        f"{packets} of its own or in its system calls contradicts it"
    )


def _seconds(length_ns: int) -> str:
    """`62.4`; with milliseconds where there are few of them. Rounded down, as in every other place
    that tells it: nothing was watched for longer than it was."""
    whole, rest_ns = divmod(length_ns, SECOND_NS)
    digits = 1 if whole >= 10 else 3
    return f"{whole}.{rest_ns * 10**digits // SECOND_NS:0{digits}d}"


def _basis(case: Case) -> str:
    """What a HOLDS rests on beside the evidence, with a semicolon; '' if there is nothing else."""
    given = case.own_addresses.how == "given" and any(True for _ in case.inbound())
    said = ["these assertions"] if case.assertions else []
    said += ["the own addresses you gave"] if given else []
    return f"HOLDS, on {' and '.join(said)}; " if said else ""


def _what_was_done(case: Case, findings: Sequence[Finding]) -> str:
    """The first name or address that matters most, with everything that was done to it."""
    cited = [finding.observations[0] for finding in findings if finding.observations]
    if not cited:
        others = _tried_alone(findings) - 1
        more = f"; and {phrases.plural(others, 'more destination')}" if others else ""
        return findings[0].message + more
    by_id = {seen.id: seen for seen in case.observations}
    subjects = _by_destination([by_id[number] for number in dict.fromkeys(cited)])
    did = max(subjects.values(), key=_weight)
    others = len(subjects) - 1 - sum(_is_resolver(rows) for rows in subjects.values())
    if _is_resolver(did):
        others = len(subjects) - 1
    others += _tried_alone(findings)
    more = f"; and {phrases.plural(others, 'more destination')}" if others > 0 else ""
    return _told(did, findings) + more


def _tried_alone(findings: Sequence[Finding]) -> int:
    """How many places of which no row tells were tried; several rules can find the same."""
    tried = (found.message for found in findings if not found.observations)
    return len({message.partition(REFUSED)[0] for message in tried})


def _told(did: Sequence[Observation], findings: Sequence[Finding]) -> str:
    """What was done to one destination, with what makes it worse: where it is, who runs it."""
    firsts = [found for found in findings if found.observations]
    messages = {found.observations[0]: found.message for found in firsts}
    if len(did) == 1:
        return messages[did[0].id]
    contacts_first = sorted(did, key=lambda seen: seen.kind is Kind.QUESTION)
    told = ((phrases.clause(seen), messages[seen.id]) for seen in contacts_first)
    worse = (words.removeprefix(clause) for clause, words in told if words.startswith(clause))
    return _sentence(did) + next((words for words in worse if words), "")


def _by_destination(rows: Sequence[Observation]) -> dict[str, list[Observation]]:
    """Rows by name where one is known, else by address."""
    subjects: dict[str, list[Observation]] = {}
    for seen in rows:
        key = phrases.best_name(seen) or str(seen.far_h)
        subjects.setdefault(key, []).append(seen)
    return subjects


def _is_resolver(rows: Sequence[Observation]) -> bool:
    """Only questions were carried there: the questions themselves say more."""
    # The first is looked at before, as nearly all are none, and there can be ten thousand.
    if rows[0].far_p != DNS_PORT:
        return False
    return all(seen.far_p == DNS_PORT and seen.kind is Kind.CONTACT for seen in rows)


def _weight(rows: Sequence[Observation]) -> tuple[bool, bool, int]:
    """Asked for and contacted first, then contacted, then merely asked; then by flows."""
    asked = sum([seen.kind is Kind.QUESTION for seen in rows])
    both = 0 < asked < len(rows)
    return not _is_resolver(rows), both, sum([seen.flows for seen in rows])


def _sentence(rows: Sequence[Observation]) -> str:
    asked = [phrases.asked(seen) for seen in rows if seen.kind is Kind.QUESTION]
    contacts = [seen for seen in rows if seen.kind is not Kind.QUESTION]
    if asked and not contacts:
        return asked[0]
    same = _of_one_protocol(contacts)
    whole = phrases.contact(_merged(same), whom="it" if asked else _whom(same))
    return f"{asked[0]} and {whole}" if asked else whole


def _whom(rows: Sequence[Observation]) -> str:
    """One far end with its port; several, which have a name or an address in common, without."""
    first = rows[0]
    if len({phrases.endpoint(seen) for seen in rows}) == 1:
        return phrases.whom(first)
    places = {phrases.place(seen) for seen in rows}
    place = f" ({places.pop()})" if len(places) == 1 else ""
    return (phrases.best_name(first) or str(first.far_h)) + place


def _of_one_protocol(rows: Sequence[Observation]) -> list[Observation]:
    """Those rows that can be told as one: of TCP if there are any."""
    first = max(rows, key=lambda seen: (seen.proto == TCP, seen.flows))
    return [seen for seen in rows if seen.proto == first.proto]


def _merged(same: Sequence[Observation]) -> Observation:
    """Rows of one protocol as one."""
    states: dict[str, int] = {}
    for seen in same:
        for state, count in seen.conn_states.items():
            states[state] = states.get(state, 0) + count
    return replace(
        same[0],
        flows=sum(seen.flows for seen in same),
        tls_flows=sum(seen.tls_flows for seen in same),
        pkts_out=sum(seen.pkts_out for seen in same),
        conn_states=states,
    )
