"""The rules that find a contradiction between claim and evidence. One function a rule."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from egress_audit.addresses import Scope
from egress_audit.judge import phrases
from egress_audit.judge.case import Case, is_link_maintenance
from egress_audit.judge.permission import (
    address_allowed,
    host_matches,
    in_prefixes,
    literal_address,
    name_allowed,
    names_beyond,
    of_category,
)
from egress_audit.model.audit import Direction, Finding, Observation
from egress_audit.model.claim import Allow, Deny
from egress_audit.model.destination import Absent, Destination, controlled_from, located_in

LOCAL_SCOPES = (Scope.LAN, Scope.LINK_LOCAL, Scope.MULTICAST, Scope.BROADCAST)
Matches = Iterator[tuple[str, Observation]]
"""(clause, observation) of each contradiction."""


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
        for clause, seen in self.matches(case):
            yield Finding(self.id, clause, (seen.id,), seen.frames)


def _forbidden_contacts(case: Case) -> Iterator[Observation]:
    for seen in case.contacts():
        if not address_allowed(seen, case.claim) and not is_link_maintenance(seen):
            yield seen


def outside_contact(case: Case) -> Matches:
    """EA001."""
    nearer = (*LOCAL_SCOPES, Scope.METADATA_SERVICE)
    for seen in _forbidden_contacts(case):
        if seen.destination.scope not in nearer:
            yield phrases.clause(seen), seen


def name_asked(case: Case) -> Matches:
    """EA002."""
    for seen in case.questions():
        if not name_allowed(seen.names[0].host, case.claim.allow):
            yield phrases.clause(seen), seen


def local_contact(case: Case) -> Matches:
    """EA003."""
    for seen in _forbidden_contacts(case):
        if seen.destination.scope in LOCAL_SCOPES:
            yield phrases.clause(seen), seen


def metadata_contact(case: Case) -> Matches:
    """EA004."""
    for seen in _forbidden_contacts(case):
        if seen.destination.scope is Scope.METADATA_SERVICE:
            yield phrases.clause(seen), seen


def name_through_carrier(case: Case) -> Matches:
    """EA005."""
    for seen in case.contacts():
        if not address_allowed(seen, case.claim):
            continue
        beyond = names_beyond(seen, case.claim)
        if beyond:
            yield f"spoke to {phrases.used_names(beyond)} through {phrases.endpoint(seen)}", seen


def _denied_places(
    case: Case,
    asks: Callable[[Destination, Collection[str]], bool | None],
    denied: Collection[str],
    place: Callable[[Destination], str],
) -> Matches:
    """Contacts, then questions by their first such answer, whose place is surely a denied one."""
    for seen in case.contacts():
        if asks(seen.destination, denied):
            yield f"{phrases.clause(seen)}, {place(seen.destination)}", seen
    for seen in case.questions():
        for answer, there in zip(seen.answers, seen.answer_destinations, strict=True):
            if asks(there, denied):
                yield f"{phrases.clause(seen)}, which leads to {answer}, {place(there)}", seen
                break


def denied_location(case: Case) -> Matches:
    """EA006."""
    return _denied_places(
        case, located_in, case.claim.deny.located, lambda there: f"located in {there.located}"
    )


def denied_control(case: Case) -> Matches:
    """EA007."""
    return _denied_places(
        case,
        controlled_from,
        case.claim.deny.controlled,
        lambda there: f"operated by {there.operator}, controlled from {there.controlled}",
    )


def denied_category(case: Case) -> Matches:
    """EA008."""
    return _denied_places(
        case,
        of_category,
        case.claim.deny.categories,
        lambda there: f"operated by {there.operator} ({there.role})",
    )


def denied_host_or_prefix(case: Case) -> Matches:
    """EA009."""
    deny = case.claim.deny
    for seen in case.contacts():
        inside = not isinstance(seen.far_h, Absent) and in_prefixes(seen.far_h, deny.prefixes)
        if inside or any(_denied(use.host, deny) for use in seen.names):
            yield f"{phrases.clause(seen)}, which the profile denies", seen
    for seen in case.questions():
        led = [answer for answer in seen.answers if in_prefixes(answer, deny.prefixes)]
        if _denied(seen.names[0].host, deny):
            yield f"{phrases.clause(seen)}, which the profile denies", seen
        elif led:
            yield f"{phrases.clause(seen)}, which leads to {led[0]}, which the profile denies", seen


def _denied(host: str, deny: Deny) -> bool:
    """True for a denied name, and for an address in its place that lies in a denied prefix."""
    literal = literal_address(host) is not None and in_prefixes(host, deny.prefixes)
    return literal or host_matches(host, deny.hosts)


def inbound_contact(case: Case) -> Matches:
    """EA010."""
    if case.claim.inbound != "deny":
        return
    for seen in case.inbound():
        if seen.direction is Direction.INBOUND and seen.destination.scope is not Scope.LOOPBACK:
            count = phrases.plural(seen.flows, "connection")
            yield f"answered {count} from {phrases.whom(seen)}", seen


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
            yield f"asked for {asked} beyond the rows that are kept", seen
        if forbidden:
            flows = phrases.plural(sum(forbidden.values()), "further flow")
            scopes = ", ".join(f"{count} {scope}" for scope, count in forbidden.items())
            yield f"sent {flows} beyond the rows that are kept ({scopes})", seen


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
)
"""All rules, in the order of their ids. A rule keeps its id for ever."""


def findings(case: Case) -> tuple[Finding, ...]:
    """Every contradiction, in the order of the rules."""
    return tuple(finding for rule in RULES for finding in rule.findings(case))
