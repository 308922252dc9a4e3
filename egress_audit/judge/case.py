"""Everything the judge may look at: the claim, the ledger, what was observed, what is asserted."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from functools import cache, lru_cache
from ipaddress import IPv6Network, ip_address, ip_network

from egress_audit.addresses import Scope
from egress_audit.judge.grants import Caller, Grant, grant
from egress_audit.model.audit import (
    Assertion,
    Direction,
    Kind,
    ListUsed,
    Match,
    Observation,
    OwnAddresses,
)
from egress_audit.model.catalogue import Entry
from egress_audit.model.claim import Claim
from egress_audit.model.destination import Absent, Destination
from egress_audit.model.evidence import Coverage
from egress_audit.model.protocols import DATAGRAMS, DNS_PORT, ICMP_ERRORS, ICMPV6, IGMP, TCP
from egress_audit.model.run import Run
from egress_audit.periods import SECOND_NS
from egress_audit.product_versions import KnownVersions
from egress_audit.values import dataclass

LINK_MAINTENANCE = {IGMP: (), ICMPV6: (130, 131, 132, 133, 134, 135, 136, 137, 143)}
"""All of IGMP, and the ICMPv6 types of MLD and neighbour discovery (RFC 4861, RFC 3810)."""
MLD_REPORTS = (131, 132, 143)
"""ICMPv6 types: a group is listened to, or no more (RFC 2710 §3, RFC 3810 §5)."""
LINK_PREFIXES = ("fe80:", "ff01:", "ff02:")
"""Addresses that no router passes on (RFC 4291 §2.5.6, §2.7)."""
NEIGHBOUR_TYPES = (135, 136)
"""Solicitation and advertisement, which kernels send to a neighbour's own address too, to see if it
is still there (RFC 4861 §7.3.1)."""
LINK_BITS = 64
"""Bits that the addresses of a link have in common (RFC 4291 §2.5.1)."""
IGMP_PREFIX = "224.0.0."
"""Groups that no router passes on (RFC 5771 §4)."""
LONGEST_MEMBERSHIP = 36
"""Bytes of an IGMPv1 or v2 report, which goes to the group itself (RFC 2236)."""
LONGEST_MAINTENANCE = 160
"""Bytes that such packets have on average at most; more would be a message to somebody."""
LONGEST_REPORTS = {"ff02::16": 56 + 32 * 20, "224.0.0.22": 32 + 32 * 8}
"""The same where reports go to alone, of up to 32 groups (RFC 3810 §5.2, RFC 3376 §4.2)."""
KERNEL = "kernel"
"""How the owner of a packet is known that the kernel sent by itself begins with this."""
CARRY_QUESTIONS = (TCP, *DATAGRAMS)
"""Protocols in which the DNS is read. The port of ICMP is a message's type."""
NO_VERSIONS = KnownVersions()

Asked = tuple[Observation, Match]
"""A question, and what its name may be."""


@dataclass(frozen=True, slots=True)
class Tried:
    """Where system calls led of which no packet came, and so no observation."""

    address: str
    port: int | Absent
    type: str = "stream"
    """Of the socket, as `Attempt.type`."""


Matches = Iterator[tuple[str, tuple[Observation, ...] | Tried]]
"""(clause, what is behind it) of each contradiction: observations, of which the first is what the
clause is about, or an attempt without a packet."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be judged. Pure data: the judge reads nothing else."""

    claim: Claim
    coverage: Coverage
    observations: tuple[Observation, ...]
    own_addresses: OwnAddresses
    assertions: tuple[Assertion, ...]
    lists: tuple[ListUsed, ...]
    owners_known: bool
    run: Run | Absent = Absent.NOT_APPLICABLE
    """What the recorder noted; NOT_APPLICABLE for a plain capture."""
    endpoints: Mapping[str, Entry] = field(default_factory=dict)
    """The entries of the catalogue that rows match, by id."""
    catalogue: tuple[ListUsed, ...] = ()
    """The files behind those entries."""
    callers: tuple[Entry, ...] = ()
    """Entries of the runtimes that the claim names, or of processes of the run, whose calls come
    some time after the start, or which a variable of the environment silences."""
    named: Mapping[str, Destination] = field(default_factory=dict)
    """What the lists say of addresses that system calls named, or that a proxy was asked for, by
    address: what was refused before it became a packet, or went through another, has no row."""
    versions: KnownVersions = NO_VERSIONS
    """Products that ran, seen or stated."""
    tried: Mapping[Tried, tuple[Match, ...]] = field(default_factory=dict)
    """What the catalogue knows of places that were tried without a packet, and of their names."""
    aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By host asked for, the other hosts that answers led on to."""
    _questions: tuple[Observation, ...] = field(init=False, repr=False, compare=False)
    of_program: tuple[Observation, ...] = field(init=False, repr=False, compare=False)
    """Rows that may be the program's: all but those of our own helpers."""
    names_leading_to: Mapping[str, Sequence[str]] = field(init=False, repr=False, compare=False)
    """By address, the names that it was an answer to."""
    _contacts: tuple[Observation, ...] = field(init=False, repr=False, compare=False)
    _matching: Mapping[str, Sequence[Asked]] = field(init=False, repr=False, compare=False)
    """By name, who asked for it and what it matched."""
    _granted: dict[tuple[int, bool], frozenset[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Sorted once: the rules and blind spots walk some ten thousand rows thirty times.
        ours = tuple(seen for seen in self.observations if not seen.by_helper)
        asked = tuple(seen for seen in ours if seen.kind is Kind.QUESTION)
        object.__setattr__(self, "_questions", asked)
        contacts = tuple(seen for seen in ours if _is_contact(seen))
        object.__setattr__(self, "of_program", ours)
        object.__setattr__(self, "_contacts", contacts)
        leading: dict[str, dict[str, None]] = {}
        matching: dict[str, list[Asked]] = {}
        for seen in self.questions():
            for answer in seen.answers:
                leading.setdefault(answer, {})[seen.names[0].host] = None
            for match in seen.endpoints:
                matching.setdefault(match.by, []).append((seen, match))
        told = {address: tuple(names) for address, names in leading.items()}
        object.__setattr__(self, "names_leading_to", told)
        object.__setattr__(self, "_matching", matching)
        object.__setattr__(self, "_granted", {})

    @property
    def subject(self) -> str:
        """Who the sentences are about: a program only where something says who sent."""
        return "the program" if self.owners_known else "this capture"

    def contacts(self) -> Iterator[Observation]:
        """Rows in which packets of ours went out, or stayed between addresses of ours."""
        return iter(self._contacts)

    def questions(self) -> Iterator[Observation]:
        """Rows of names that were asked for."""
        return iter(self._questions)

    def is_link_maintenance(self, seen: Observation) -> bool:
        """`is_link_maintenance`, of a row of this evidence."""
        return is_link_maintenance(seen, self.own_addresses)

    def rest(self) -> Iterator[Observation]:
        """The rows in which everything past the bound is summed, one a direction."""
        return (seen for seen in self.of_program if seen.kind is Kind.REST)

    def inbound(self) -> Iterator[Observation]:
        """Rows that the far side began, or in which only it sent."""
        theirs = Direction.INBOUND, Direction.RECEIVED
        return (seen for seen in self.of_program if seen.direction in theirs)

    def answered(self) -> Iterator[Observation]:
        """Rows that the far side began and ours answered; over loopback only where it is recorded
        that a client of the user's did."""
        for seen in self.inbound():
            told = not seen.from_client or not isinstance(self.run, Absent)
            if seen.direction is Direction.INBOUND and told:
                yield seen

    def is_own_resolver(self, seen: Observation) -> bool:
        """True for a contact with port 53 of a resolver that is our own."""
        ours = () if isinstance(self.run, Absent) else self.run.our_resolvers
        return is_at_dns_port(seen) and seen.far_h in ours

    def is_own_name(self, host: str) -> bool:
        """True for the sandbox's own name, and the reverse names of its own addresses."""
        if isinstance(self.run, Absent):
            return False
        own = _reverse_names(self.run.own_addresses)
        return host in own or (host != "" and host == self.run.hostname.lower())

    def granted(self, seen: Observation, *, surely: bool = False) -> frozenset[str]:
        """Names and addresses of a row that the claim allows as entries of the catalogue.

        surely: without those of which it is not known whether the right program called.
        """
        words = self.claim.allow.endpoints
        if not (words and seen.endpoints):
            return frozenset()
        if (seen.id, surely) not in self._granted:
            no = (Grant.NO, Grant.CALLER_UNKNOWN) if surely else (Grant.NO,)
            self._granted[seen.id, surely] = frozenset(
                match.by
                for match in seen.endpoints
                if grant(match.by, self.fitting(match), words, seen.owner) not in no
            )
        return self._granted[seen.id, surely]

    def granted_to(self, caller: Caller, names: Collection[str]) -> frozenset[str]:
        """Those of some names that were asked for and that the claim allows this caller; as far as
        it is known who called, if that holds of who asked."""
        return frozenset(
            name
            for name in names
            for seen, match in self._matching.get(name, ())
            if name in self.granted(seen) and self._as_surely(caller, seen, match)
        )

    def _as_surely(self, caller: Caller, seen: Observation, match: Match) -> bool:
        entries, words = self.fitting(match), self.claim.allow.endpoints
        sure = grant(match.by, entries, words, caller)
        return sure is Grant.YES or sure is grant(match.by, entries, words, seen.owner)

    def fitting(self, match: Match) -> list[Entry]:
        """The entries that a name or address may be, whatever ran in which version, and those that
        only label it."""
        return [self.endpoints[identifier] for identifier in match.fitting]

    def accusing(self, match: Match) -> list[Entry]:
        """The entries that a name or address may be, without those that only label it."""
        return [entry for entry in self.fitting(match) if entry.accuses]

    def list_age_ns(self, used: ListUsed) -> int | Absent:
        """How old a list was when the evidence ended; never asks a clock."""
        last = self.coverage.last_ts_ns
        if isinstance(last, Absent):
            return Absent.NOT_APPLICABLE
        date = datetime.fromisoformat(used.date).replace(tzinfo=UTC)
        return abs(last - int(date.timestamp()) * SECOND_NS)


def _is_contact(seen: Observation) -> bool:
    going_out = seen.direction is Direction.OUTBOUND or seen.direction is Direction.INTERNAL
    return seen.kind is Kind.CONTACT and going_out


@lru_cache(1)
def _reverse_names(addresses: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(_reverse_name, addresses))


def _reverse_name(address: str) -> str:
    """The name under which DNS would say whose address it is; '' for text that is none."""
    try:
        return ip_address(address.partition("/")[0]).reverse_pointer
    except ValueError:
        return ""


def is_at_dns_port(seen: Observation) -> bool:
    """True for a contact in which questions to the DNS would be read."""
    return seen.far_p == DNS_PORT and seen.proto in CARRY_QUESTIONS


def is_kernels_error(seen: Observation) -> bool:
    """True for ICMP errors that the kernel is known to have sent by itself: they answer what came
    in, to a port that was closed by then."""
    if isinstance(seen.owner, Absent) or not seen.owner.how.startswith(KERNEL):
        return False
    return seen.far_p in ICMP_ERRORS.get(seen.proto, ())


def reports_groups(seen: Observation) -> bool:
    """True for what tells a link which multicast groups are listened to, from which sources."""
    return seen.proto == IGMP or (seen.proto == ICMPV6 and seen.far_p in MLD_REPORTS)


def is_link_maintenance(seen: Observation, own: OwnAddresses) -> bool:
    """True for what every kernel sends on its link by itself, and never beyond it.

    Where it is known who sent, the kernel must have.
    """
    types = LINK_MAINTENANCE.get(seen.proto)
    if types is None:
        return False
    if not isinstance(seen.owner, Absent) and not seen.owner.how.startswith(KERNEL):
        return False
    longest = LONGEST_REPORTS.get(str(seen.far_h), LONGEST_MAINTENANCE)
    if seen.ip_bytes_out > seen.pkts_out * longest:
        return False
    if seen.proto == IGMP:
        on_link = str(seen.far_h).startswith(IGMP_PREFIX)
        short = seen.ip_bytes_out <= seen.pkts_out * LONGEST_MEMBERSHIP
        return on_link or (short and seen.destination.scope is Scope.MULTICAST)
    on_link = str(seen.far_h).startswith(LINK_PREFIXES) or _is_to_neighbour(seen, own)
    return seen.far_p in types and on_link


def _is_to_neighbour(seen: Observation, own: OwnAddresses) -> bool:
    """True for neighbour discovery with an address on the link of one that is known to be ours."""
    if own.how == "guessed" or seen.far_p not in NEIGHBOUR_TYPES or isinstance(seen.far_h, Absent):
        return False
    far = ip_address(seen.far_h)
    return any(far in link for link in _links(own.prefixes))


@cache
def _links(prefixes: tuple[str, ...]) -> tuple[IPv6Network, ...]:
    """The links on which addresses in these prefixes are."""
    own = map(ip_network, prefixes)
    six = (prefix for prefix in own if isinstance(prefix, IPv6Network))
    wide = {prefix.supernet(new_prefix=min(prefix.prefixlen, LINK_BITS)): None for prefix in six}
    return tuple(wide)
