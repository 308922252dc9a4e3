"""The rules that find a contradiction between claim and evidence: one row a rule, one table."""

from collections.abc import Callable, Iterator

from egress_audit.judge.case import Case, Matches, Tried
from egress_audit.judge.explanations import explanation
from egress_audit.judge.rules_of_attempts import attempt_outside
from egress_audit.judge.rules_of_contacts import (
    contact_beyond_rows,
    inbound_contact,
    local_contact,
    metadata_contact,
    name_asked,
    name_through_carrier,
    outside_contact,
)
from egress_audit.judge.rules_of_endpoints import denied_purpose, denied_vendor
from egress_audit.judge.rules_of_places import (
    denied_control,
    denied_host_or_prefix,
    denied_location,
    denied_operator,
    elsewhere,
)
from egress_audit.model.audit import Finding, Frames
from egress_audit.model.destination import Absent
from egress_audit.values import dataclass

IN_NO_FRAME = Frames((), 0)


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

    def findings(self, case: Case) -> Iterator[Finding]:
        """A finding for each contradiction, in the order of the observations."""
        for clause, behind in self.matches(case):
            if isinstance(behind, Tried):
                told = explanation(case, case.tried.get(behind, ()))
                yield Finding(self.id, clause, (), IN_NO_FRAME, told)
                continue
            first = behind[0]
            exe = "" if isinstance(first.owner, Absent) else first.owner.exe
            told = explanation(case, first.endpoints, exe)
            rows = tuple([seen.id for seen in behind])
            yield Finding(self.id, clause, rows, first.frames, told)


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
        "to the blind spot `kernel-packets`; not what they report of a multicast group that the "
        "program was seen to join.",
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
        "A denied operator",
        "The operator of the far address, or of an address that a question was answered with, is "
        "denied by the claim, itself or with all of its category.",
        "The claim names the operator, or the category.",
        denied_operator,
    ),
    Rule(
        "EA009",
        "A denied host or prefix",
        "A name or address that the claim denies was asked for, named or contacted, however the "
        "name is known; or a name was asked for, and an answer led there.",
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
        "socket asks for a route only, and does not count. Of an address that is allowed, EA006 to "
        "EA009 and EA013 to EA015 fire for such a call as for a packet; since none shows which of "
        "several names was meant, EA013 to EA015 go by names only if they fire for all of them.",
        "What was refused before it became a packet shows the same intent as a packet.",
        attempt_outside,
    ),
    Rule(
        "EA013",
        "A purpose that is denied",
        "A name that was asked for or named, or an address that was contacted or tried without a "
        "packet, is in the catalogue of endpoints, and every entry that fits is for a purpose that "
        "the claim denies. Entries that rest on general knowledge alone do not count.",
        "The claim names the purpose.",
        denied_purpose,
    ),
    Rule(
        "EA014",
        "A vendor under a denied jurisdiction",
        "The name or address of a destination, contacted or tried without a packet, is in the "
        "catalogue of endpoints, and every entry that fits is of a vendor whose parent is under a "
        "jurisdiction that the claim denies; whether our own DNS invented the address, no list has "
        "it, or a cloud elsewhere rents it out. Where EA007 fires for the address, this does "
        "not repeat it.",
        "The address says whose machine it is, the name who answers there: where they disagree, "
        "the worse counts. A name can only accuse: a vendor elsewhere excuses nothing.",
        denied_vendor,
    ),
    Rule(
        "EA015",
        "Outside the places that are allowed",
        "The far address of a contact, or an address that a question was answered with, is surely "
        "not where the claim allows one to be, or not under a jurisdiction or of an operator that "
        "it allows; or the catalogue knows its name as that of a vendor under another. No scope, "
        "host, prefix or endpoint of the claim covers it.",
        "The claim names the only places, and this is another one. Where name and address disagree "
        "on control, the worse counts.",
        elsewhere,
    ),
)
"""All rules, in the order of their ids. A rule keeps its id for ever."""


def findings(case: Case) -> tuple[Finding, ...]:
    """Every contradiction, in the order of the rules."""
    return tuple(finding for rule in RULES for finding in rule.findings(case))
