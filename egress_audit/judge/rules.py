"""The rules that find a contradiction between claim and evidence. One function a rule."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from egress_audit.addresses import Scope
from egress_audit.judge import phrases
from egress_audit.judge.case import Case, Matches, is_kernels_error, is_link_maintenance
from egress_audit.judge.permission import (
    address_allowed,
    asks_decide,
    name_allowed,
    names_beyond,
)
from egress_audit.judge.rules_of_attempts import attempt_outside
from egress_audit.judge.rules_of_places import (
    denied_category,
    denied_control,
    denied_host_or_prefix,
    denied_location,
)
from egress_audit.model.audit import Direction, Finding, Frames, Observation
from egress_audit.model.claim import Allow
from egress_audit.model.destination import Absent

IN_NO_FRAME = Frames((), 0)
LOCAL_SCOPES = (Scope.LAN, Scope.LINK_LOCAL, Scope.MULTICAST, Scope.BROADCAST)
OUTSIDE_SCOPES = tuple(
    scope for scope in reversed(Scope) if scope not in (*LOCAL_SCOPES, Scope.METADATA_SERVICE)
)
"""All others; nearly every far end is GLOBAL, which stands in front."""

UDP = 17
MOST_QUESTIONS = 32
LONGEST_QUESTION = 150
"""Bytes on average of a question for a reverse name over IPv6, with an EDNS record."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to contradict a claim."""

    id: str
    title: str
    text: str
    """What fires it."""
    reason: str
    """Why that contradicts the claim."""
    matches: Callable[[Case], Matches]

    @property
    def manual(self) -> str:
        """The page of the manual that explains it."""
        return f"docs/rules.md#{self.id.lower()}"

    def findings(self, case: Case) -> Iterator[Finding]:
        """A finding for each contradiction, in the order of the observations."""
        for clause, rows in self.matches(case):
            frames = rows[0].frames if rows else IN_NO_FRAME
            yield Finding(self.id, clause, tuple(seen.id for seen in rows), frames)


def _forbidden_contacts(case: Case, scopes: Collection[Scope]) -> Iterator[Observation]:
    """Contacts with far ends of these scopes that the claim does not allow.

    Those with our own resolver only where no host could be asked for, and no finding about a name
    says what was asked of it; and not where it was asked for the sandbox's own names alone. The
    kernel's errors about answers say nothing that the contact which was answered does not.
    """
    answered: Counter[str | Absent] | None = None
    told = {resolver for seen in _forbidden_questions(case) for resolver in seen.resolvers}
    itself = _asked_for_itself(case)
    for seen in case.contacts():
        if seen.destination.scope not in scopes:
            continue
        if address_allowed(seen, case.claim) or is_link_maintenance(seen):
            continue
        if is_kernels_error(seen):
            answered = _packets_answered(case) if answered is None else answered
            if seen.pkts_out <= answered[seen.far_h]:
                continue
        excused = seen.far_h in told or (seen.far_h in itself and _only_asks(seen))
        if case.is_own_resolver(seen) and (asks_decide(case.claim.allow) or excused):
            continue
        yield seen


def _packets_answered(case: Case) -> Counter[str | Absent]:
    """By far end, packets that came from it, but for those about the kernel's errors."""
    answered: Counter[str | Absent] = Counter()
    for seen in case.contacts():
        answered[seen.far_h] += 0 if is_kernels_error(seen) else seen.pkts_in
    return answered


def _asked_for_itself(case: Case) -> set[str]:
    """Resolvers that the program asked for nothing but the sandbox's own names."""
    own: set[str] = set()
    others: set[str] = set()
    for seen in case.questions():
        (own if case.is_own_name(seen.names[0].host) else others).update(seen.resolvers)
    return own - others


def _only_asks(seen: Observation) -> bool:
    """True for so few and so small datagrams that they can hold a question and nothing beside."""
    few = seen.proto == UDP and seen.pkts_out <= MOST_QUESTIONS
    return few and seen.ip_bytes_out <= seen.pkts_out * LONGEST_QUESTION


def _forbidden_questions(case: Case) -> Iterator[Observation]:
    for seen in case.questions():
        host = seen.names[0].host
        if not name_allowed(host, case.claim.allow) and not case.is_own_name(host):
            yield seen


def outside_contact(case: Case) -> Matches:
    """EA001."""
    for seen in _forbidden_contacts(case, OUTSIDE_SCOPES):
        yield phrases.clause(seen), (seen,)


def name_asked(case: Case) -> Matches:
    """EA002."""
    carriers = [seen for seen in case.contacts() if case.is_own_resolver(seen)]
    for seen in _forbidden_questions(case):
        carried = (row for row in carriers if row.far_h in seen.resolvers)
        yield phrases.clause(seen), (seen, *carried)


def local_contact(case: Case) -> Matches:
    """EA003."""
    for seen in _forbidden_contacts(case, LOCAL_SCOPES):
        yield phrases.clause(seen), (seen,)


def metadata_contact(case: Case) -> Matches:
    """EA004."""
    for seen in _forbidden_contacts(case, (Scope.METADATA_SERVICE,)):
        yield phrases.clause(seen), (seen,)


def name_through_carrier(case: Case) -> Matches:
    """EA005."""
    for seen in case.contacts():
        if not address_allowed(seen, case.claim):
            continue
        beyond = names_beyond(seen, case.claim)
        if beyond:
            yield f"spoke to {phrases.used_names(beyond)} through {phrases.endpoint(seen)}", (seen,)


def inbound_contact(case: Case) -> Matches:
    """EA010."""
    if case.claim.inbound != "deny":
        return
    for seen in case.answered():
        count = phrases.plural(seen.flows, "connection")
        whom = phrases.CLIENT if seen.from_client else phrases.whom(seen)
        yield f"answered {count} from {whom}", (seen,)


def contact_beyond_rows(case: Case) -> Matches:
    """EA011."""
    for seen in case.rest():
        if seen.direction is not Direction.OUTBOUND:
            continue
        forbidden = {
            scope: count
            for scope, count in seen.rest_scopes.items()
            if not _may_be_allowed(scope, case.claim.allow)
        }
        names = forbidden.pop(Scope.NAME, 0)
        if names:
            asked = phrases.plural(names, "further name")
            yield f"asked for {asked} beyond the rows that are kept", (seen,)
        if forbidden:
            flows = phrases.plural(sum(forbidden.values()), "further flow")
            scopes = ", ".join(f"{count} {scope}" for scope, count in forbidden.items())
            yield f"sent {flows} beyond the rows that are kept ({scopes})", (seen,)


def _may_be_allowed(scope: Scope, allow: Allow) -> bool:
    """True if something in the claim could allow an address of which only the scope is kept."""
    if scope in allow.scopes or scope is Scope.METADATA_SERVICE:
        return scope in allow.scopes
    return allow.everything or bool(allow.prefixes or allow.hosts)


RULES: tuple[Rule, ...] = (
    Rule(
        "EA001",
        "Contact with an address outside",
        "Packets went to an address that the claim does not allow and that is neither on the local "
        "network nor a cloud's metadata service; answered or not.",
        "One outbound packet is enough: an attempt that was refused shows the same intent as one "
        "that succeeded.",
        outside_contact,
    ),
    Rule(
        "EA002",
        "A name was asked for",
        "A DNS question for a name that the claim does not allow, whichever resolver carried it, "
        "this machine's and the local network's included.",
        "Asked is egress: the question itself leaves, and a name can carry data. A name that was "
        "resolved and not connected to is not clean.",
        name_asked,
    ),
    Rule(
        "EA003",
        "Contact on the local network",
        "Packets went to a private, link-local, multicast or broadcast address that the claim does "
        "not allow. Neighbour discovery, MLD and IGMP, which kernels send by themselves, are left "
        "to the blind spot `kernel-packets`.",
        "They left the machine; what passes them on from there is not in the capture.",
        local_contact,
    ),
    Rule(
        "EA004",
        "Contact with a cloud's metadata service",
        "Packets went to 169.254.169.254, fd00:ec2::254, 168.63.129.16 or 100.100.100.200.",
        "These addresses give out credentials and identity of the machine; they are allowed only "
        "by a profile that names the scope `metadata-service`.",
        metadata_contact,
    ),
    Rule(
        "EA005",
        "A name outside, through an allowed carrier",
        "A CONNECT, an absolute-form request, a server name or a Host field names a host that the "
        "claim does not allow, in a flow to an address that it does allow.",
        "The name is judged, not the carrier: a local proxy makes a destination no more local. "
        "Where name and address disagree, the worse counts.",
        name_through_carrier,
    ),
    Rule(
        "EA006",
        "Located in a denied country",
        "The far address of a contact, or an address that a question was answered with, is located "
        "in a country that the claim denies; sources agree, and it is neither anycast nor a CDN.",
        "The claim names the country.",
        denied_location,
    ),
    Rule(
        "EA007",
        "Controlled from a denied country",
        "The operator of the far address, or of an address that a question was answered with, has "
        "its parent jurisdiction in a country that the claim denies.",
        "Where a machine stands does not say whose law its operator follows.",
        denied_control,
    ),
    Rule(
        "EA008",
        "Operator of a denied category",
        "The operator of the far address, or of an address that a question was answered with, is "
        "of a category that the claim denies.",
        "The claim names the category.",
        denied_category,
    ),
    Rule(
        "EA009",
        "A denied host or prefix",
        "A name or address that the claim denies was asked for, named or contacted, however the "
        "name is known.",
        "The claim names it. A name that the program itself wrote suffices to deny.",
        denied_host_or_prefix,
    ),
    Rule(
        "EA010",
        "A flow from outside was answered",
        "The far side began a flow and packets of ours went back, under a claim with "
        "`inbound: deny`.",
        "What is asked for from outside leaves all the same.",
        inbound_contact,
    ),
    Rule(
        "EA011",
        "Contact beyond the rows that are kept",
        "There are more far ends than rows in the document, and among those summed in its last row "
        "are some in scopes of which the claim allows nothing.",
        "A bound of the report must not hide a contact.",
        contact_beyond_rows,
    ),
    Rule(
        "EA012",
        "An attempt that became no packet",
        "A system call to connect, or to send, to an address that the claim does not allow, and no "
        "packet of the program to that address and port in the capture. The connect of a datagram "
        "socket asks for a route only, and does not count.",
        "What was refused before it became a packet shows the same intent as a packet.",
        attempt_outside,
    ),
)
"""All rules, in the order of their ids. A rule keeps its id for ever."""


def findings(case: Case) -> tuple[Finding, ...]:
    """Every contradiction, in the order of the rules."""
    return tuple(finding for rule in RULES for finding in rule.findings(case))
