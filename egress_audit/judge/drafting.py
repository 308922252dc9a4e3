"""The claim that a body of evidence does not contradict: every far end that was seen, by name.

A host is preferred to an address, and needs a DNS answer in the same evidence, as in every claim.
What the judge would still find is told and not allowed: a draft promises no more than it holds.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from egress_audit.addresses import NEAR, Scope, scope_of
from egress_audit.errors import WrongUsage
from egress_audit.judge import phrases
from egress_audit.judge.attempts import names_of, unseen_attempts
from egress_audit.judge.case import Case
from egress_audit.judge.drafted_lines import Lines, allowed_by
from egress_audit.judge.permission import (
    PROOF_OF_NAME,
    address_allowed,
    literal_address,
    names_beyond,
    names_said,
)
from egress_audit.judge.phases import COMMAND, proven_phases
from egress_audit.judge.rules import findings
from egress_audit.judge.rules_of_attempts import endpoint
from egress_audit.judge.verdict import blind_spots
from egress_audit.model.audit import Kind, Observation
from egress_audit.model.claim import Allow, Claim
from egress_audit.model.destination import Absent
from egress_audit.model.draft import Draft, Reason
from egress_audit.model.protocols import DNS_PORT

AS_SCOPES = NEAR | {Scope.METADATA_SERVICE}
"""Scopes that a draft allows whole. A metadata service can be allowed in no other way."""
NO_ANSWER = "no DNS answer in this evidence leads there, so that no host could allow it"
DISAGREES = "named in the traffic, while the DNS answer for the address has another name"
RESOLVER = "a resolver, by its port; each name that it is asked for is judged by itself"
SPOKEN = "named in the traffic alone: allows no address by itself"

_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
LONGEST_HOST = 253

_NAME = re.compile("[a-z0-9][a-z0-9-]{0,63}")
_NO_NAME = re.compile("[^a-z0-9]+")
LONGEST_NAME = 64


def drafted(case: Case) -> Draft:
    """The draft of a case, whatever its own claim is."""
    case = claiming(case, Allow(scopes=frozenset({Scope.LOOPBACK})))
    lines = Lines()
    rows = {seen.id: seen for seen in case.observations}
    for finding in findings(case):
        # The first row is what a finding is about; behind an attempt there is none.
        for seen in (rows[number] for number in finding.observations[:1]):
            if seen.kind is Kind.QUESTION:
                _add_host(lines, seen.names[0].host, Reason(phrases.clause(seen), seen))
            elif seen.kind is Kind.CONTACT and not address_allowed(seen, case.claim):
                _add_contact(lines, seen)
    _add_attempts(claiming(case, allowed_by(lines.made(case)[0])), lines)
    _add_spoken(claiming(case, allowed_by(lines.made(case)[0])), lines)
    made, left_out = lines.made(case)
    allow = allowed_by(made)
    under_draft = claiming(case, allow)
    left = findings(under_draft)
    return Draft(
        allow=allow,
        lines=made,
        phases=_phases(case),
        answered=tuple(Reason(phrases.clause(seen), seen) for seen in case.answered()),
        uncovered=tuple(finding.message for finding in left),
        unseen=tuple(_unseen(under_draft)),
        left_out=left_out,
    )


def _unseen(case: Case) -> Iterator[str]:
    """Blind spots that no assertion lifts: what hides in them has no line."""
    for spot in blind_spots(case):
        if spot.material and isinstance(spot.lifted_by, Absent):
            yield spot.message


def claiming(case: Case, allow: Allow) -> Case:
    """The same evidence under a claim that allows this and denies nothing."""
    return replace(case, claim=Claim("draft", "", "", allow=allow))


def is_writable(host: str) -> bool:
    """True for a name that a profile can hold as it is: no pattern, no address, no other bytes."""
    if len(host) > LONGEST_HOST or not _HOST.fullmatch(host):
        return False
    return literal_address(host) is None


def draft_name(given: str) -> str:
    """The name that was given for a draft, '' for none. Raises WrongUsage for one that no profile
    can have."""
    if given and not _NAME.fullmatch(given):
        hint = "use lower case, digits and `-`, at most 64 of them"
        raise WrongUsage(f"`{given}` is no name of a profile", hint=hint)
    return given


def draft_name_of(source: str) -> str:
    """A name made of that of a capture or program; `draft` where nothing of it can stand in one."""
    words = _NO_NAME.sub("-", source.partition(".")[0].lower()).strip("-")
    return words[:LONGEST_NAME].rstrip("-") or "draft"


def _phases(case: Case) -> tuple[str, ...]:
    """What this evidence proves was done, which is what the claim should ask of the next one."""
    proven = () if isinstance(case.run, Absent) else proven_phases(case.run)
    return tuple(dict.fromkeys((COMMAND, *proven)))


def _add_host(lines: Lines, host: str, reason: Reason, note: str = "") -> None:
    if is_writable(host):
        lines.add("hosts", host, reason, note)


def _add_contact(lines: Lines, seen: Observation) -> None:
    """The scope of what is near; a host that is proven; else the address alone."""
    reason, scope = Reason(phrases.clause(seen), seen), seen.destination.scope
    if scope in AS_SCOPES:
        lines.add("scopes", scope.value, reason)
        return
    proven = [use.host for use in seen.names if set(use.sources) & set(PROOF_OF_NAME)]
    proven = [host for host in proven if is_writable(host)]
    said = [use.host for use in names_said(seen)]
    if proven and all(map(is_writable, said)):
        best = [host for host in proven if host in said or lines.has("hosts", host)]
        lines.add("hosts", (best or proven)[0], reason)
        for host in sorted(set(said) - set(proven)):
            lines.add("hosts", host, reason, DISAGREES)
        return
    if scope is not Scope.SIMULATED and not isinstance(seen.far_h, Absent):
        _add_address(lines, seen.far_h, reason, RESOLVER if seen.far_p == DNS_PORT else NO_ANSWER)


def _add_address(lines: Lines, address: str, reason: Reason, note: str = NO_ANSWER) -> None:
    lines.add("prefixes", f"{address}/{128 if ':' in address else 32}", reason, note)


def _add_attempts(case: Case, lines: Lines) -> None:
    """What was tried and became no packet."""
    for attempt, address in unseen_attempts(case):
        whom = endpoint(address, attempt.port)
        reason = Reason(f"tried to reach {whom} ({attempt.call}), which became no packet")
        named = [host for host in names_of(case, address) if is_writable(host)]
        if scope_of(address) in AS_SCOPES:
            lines.add("scopes", scope_of(address).value, reason)
        elif named:
            lines.add("hosts", named[0], reason)
        else:
            _add_address(lines, str(address), reason)


def _add_spoken(case: Case, lines: Lines) -> None:
    """Names that were spoken to what is allowed by now: the name is judged, not who carries it."""
    for seen in case.contacts():
        if not address_allowed(seen, case.claim):
            continue
        for use in names_beyond(seen, case.claim):
            clause = f"spoke to {phrases.used_names([use])} through {phrases.endpoint(seen)}"
            literal, reason = literal_address(use.host), Reason(clause, seen)
            if literal is None:
                _add_host(lines, use.host, reason, SPOKEN)
            elif scope_of(literal) in AS_SCOPES:
                lines.add("scopes", scope_of(literal).value, reason)
            else:
                _add_address(lines, str(literal), reason)
