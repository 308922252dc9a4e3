"""System calls that wanted out, or to another process, and what the capture shows of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from egress_audit.addresses import Scope, scope_of
from egress_audit.judge.case import Case, Tried
from egress_audit.judge.permission import asks_decide, host_matches, name_allowed, place_allowed
from egress_audit.model.audit import Direction, Match, Observation
from egress_audit.model.destination import Absent
from egress_audit.model.protocols import DNS_PORT, DNS_PORTS, TCP, UDP
from egress_audit.model.run import IP_FAMILIES, Attempt, Process, Role, Run

ORDINARY_FAMILIES = (*IP_FAMILIES, "AF_UNIX", "AF_LOCAL", "AF_NETLINK", "AF_UNSPEC", "")
"""Families of sockets that lead nowhere unseen."""
BELOW_TRANSPORT = ("AF_PACKET",)
"""Families whose packets the capture shows, where they could be sent at all."""
SERVING = ("bind", "listen")
JOINING = "setsockopt"
"""Recorded only where it joins a multicast group, which the kernel tells the link."""
NOBODY = 0
"""Instead of `Process.id`, where it does not matter who called."""
PORTLESS = Absent.NOT_APPLICABLE
UNANSWERED = ("S0", "REJ", "RSTOS0", "SH")
"""Zeek's states of a connection that nobody took, whether or not its originator gave it up."""

Address = IPv4Address | IPv6Address
Port = tuple[str, int, int]
"""Address, port, IANA protocol number."""


def attempts_of_program(run: Run | Absent) -> Iterator[Attempt]:
    """The attempts of the program itself; whose process is not in the record is held to be it."""
    if isinstance(run, Absent):
        return
    roles = {process.id: process.role for process in run.processes}
    for attempt in run.attempts:
        role = roles.get(attempt.process, Role.TARGET)
        if not role.is_helper and role is not Role.RECORDER:
            yield attempt


def joined_groups(run: Run | Absent) -> bool:
    """True if the program joined a multicast group."""
    return any(attempt.call == JOINING for attempt in attempts_of_program(run))


def address_of(attempt: Attempt) -> Address | None:
    """The IP address of an attempt, an IPv4-mapped one as IPv4; None if none could be read."""
    if isinstance(attempt.address, Absent):
        return None
    try:
        address = ip_address(attempt.address)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def unseen_attempts(case: Case) -> Iterator[tuple[Attempt, Address]]:
    """Attempts to an address that the claim does not allow, of which no packet came."""
    # Asked once of each address: any number of names can lead there, and of ports be called.
    allowed: dict[tuple[Address, bool, int], bool] = {}
    for attempt, address in packetless_attempts(case):
        by = attempt.process if case.claim.allow.endpoints else NOBODY
        asked = address, attempt.port == DNS_PORT, by
        if asked not in allowed:
            allowed[asked] = _is_allowed(case, attempt, address)
        if not allowed[asked]:
            yield attempt, address


def packetless_attempts(case: Case) -> Iterator[tuple[Attempt, Address]]:
    """Attempts to any address off the machine, of which no packet came.

    Where far ends were summed in a last row, that row and its rule speak for them.
    """
    tried = list(attempts_of_program(case.run))
    if not tried or any(seen.direction is Direction.OUTBOUND for seen in case.rest()):
        return
    sent = sent_to(case.contacts())
    for attempt in tried:
        address = address_of(attempt)
        if not attempt.wants_out or address is None or _stays_here(case, address):
            continue
        if (str(address), port_of(attempt)) not in sent:
            yield attempt, address


def sent_to(rows: Iterable[Observation]) -> set[tuple[str, int | Absent]]:
    """Far ends of rows: each address with its port, and without one."""
    return {(str(seen.far_h), port) for seen in rows for port in (seen.far_p, PORTLESS)}


def port_of(attempt: Attempt) -> int | Absent:
    """The port that was called; NOT_APPLICABLE where there is none, as of a raw socket."""
    return PORTLESS if attempt.type == "raw" or not attempt.port else attempt.port


def unplaced_attempts(case: Case) -> Iterator[tuple[Attempt, Address]]:
    """Of those without a packet the ones to addresses that no contact or name accounts for: what
    lies there is known by the address alone."""
    if isinstance(case.run, Absent) or not case.run.attempts:
        return
    contacted = {seen.far_h for seen in case.contacts()}
    known = contacted | case.run.synthetic.keys() | set(case.run.our_resolvers)
    for attempt, address in packetless_attempts(case):
        if str(address) not in known:
            yield attempt, address


def addresses_tried(run: Run | Absent) -> set[str]:
    """Addresses that something of a run wanted to reach, whether or not a packet came."""
    if isinstance(run, Absent):
        return set()
    tried = (address_of(attempt) for attempt in run.attempts if attempt.wants_out)
    return {str(address) for address in tried if address is not None}


def names_of(case: Case, address: Address) -> Sequence[str]:
    """The names that our DNS or an answer in the capture gave for an address, each once."""
    answered = case.names_leading_to.get(str(address), ())
    if isinstance(case.run, Absent) or str(address) not in case.run.synthetic:
        return answered
    return tuple(dict.fromkeys((case.run.synthetic[str(address)], *answered)))


def names_leading(rows: Iterable[Observation], run: Run, limit: int) -> dict[str, list[str]]:
    """By address the first names that it was an answer to, invented or not: so many of each."""
    leading = {address: [host] for address, host in run.synthetic.items()}
    for seen in rows:
        for answer in seen.answers:
            names = leading.setdefault(answer, [])
            if len(names) < limit:
                names.append(seen.names[0].host)
    return leading


def tried_place(attempt: Attempt, address: Address) -> Tried:
    """Under what the catalogue's word on an attempt is kept."""
    return Tried(str(address), attempt.port, attempt.type)


def attempts_known(
    case: Case, says: Callable[[Match], bool]
) -> Iterator[tuple[Attempt, Address, Match]]:
    """Attempts without a packet to a place of which the catalogue surely says something: of its
    address, or else of every name that leads there, since no packet tells which of them was meant.
    """
    says = cache(says)
    for attempt, address in packetless_attempts(case) if case.tried else ():
        known = {match.by: match for match in case.tried.get(tried_place(attempt, address), ())}
        by_address = known.pop(str(address), None)
        # Without the names that a helper of ours asked for: they say nothing of the program.
        led = names_of(case, address) if known else ()
        if by_address is not None and says(by_address):
            yield attempt, address, by_address
        elif led and all(name in known and says(known[name]) for name in led):
            yield attempt, address, known[led[0]]


def tried_without_name(case: Case, is_settled: Callable[[Match], bool]) -> Iterator[str]:
    """Addresses that the claim does not allow, which the program tried to reach and never sent to,
    for which no name speaks.

    What a name that led there is for is judged with the question for it. is_settled: whether what
    the catalogue knows of an address decides about it.
    """
    if isinstance(case.run, Absent) or not case.run.attempts:
        return
    settled = {address for _, address, _ in attempts_known(case, is_settled)}
    for _, address in unseen_attempts(case):
        if address not in settled and not names_of(case, address):
            yield str(address)


def _stays_here(case: Case, address: Address) -> bool:
    """Loopback, an address of the sandbox, or none at all, which the kernel takes for loopback."""
    assert not isinstance(case.run, Absent)
    own = {text.partition("/")[0] for text in case.run.own_addresses}
    return str(address) in own or scope_of(address) in (Scope.LOOPBACK, Scope.UNSPECIFIED)


def _is_allowed(case: Case, attempt: Attempt, address: Address) -> bool:
    """What `address_allowed` says of a contact, of an attempt without one."""
    allow, scope = case.claim.allow, scope_of(address)
    assert not isinstance(case.run, Absent)
    if str(address) in case.run.resolvers and attempt.port == DNS_PORT and asks_decide(allow):
        return True
    names = names_of(case, address)
    granted = case.granted_to(_caller(case.run, attempt), names) if names else frozenset[str]()
    if str(address) in case.run.synthetic:
        return name_allowed(case.run.synthetic[str(address)], allow, granted)
    if place_allowed(str(address), scope, allow):
        return True
    named = any(host in granted or host_matches(host, allow.hosts) for host in names)
    return named and scope is not Scope.METADATA_SERVICE


def _caller(run: Run, attempt: Attempt) -> Process | Absent:
    found = (process for process in run.processes if process.id == attempt.process)
    return next(found, Absent.NOT_FOUND)


def absent_services(case: Case) -> list[Port]:
    """Ports of this machine that the program called, where nobody of the tree ever served.

    A connection that nobody took; a datagram only to a resolver's port, since any other asks
    nothing that a resolver or proxy would be told.
    """
    called: dict[Port, None] = {}
    # Who serves at one address of the machine need not serve at all: `localhost` has two.
    there: set[tuple[int, int]] = set()
    for seen in case.contacts():
        if seen.destination.scope is not Scope.LOOPBACK or isinstance(seen.far_p, Absent):
            continue
        end = str(seen.far_h), seen.far_p
        taken = seen.pkts_in > 0 and seen.proto == UDP
        if seen.proto == TCP:
            taken = sum(seen.conn_states.get(state, 0) for state in UNANSWERED) < seen.flows
        if taken:
            there.add((seen.far_p, seen.proto))
        elif seen.proto == TCP or (seen.proto == UDP and seen.far_p in DNS_PORTS):
            called[(*end, seen.proto)] = None
    served = served_ports(case)
    return [
        (host, port, proto)
        for host, port, proto in called
        if (port, proto) not in there and (port, proto) not in served
    ]


def served_ports(case: Case) -> set[tuple[int | Absent, int]]:
    """Ports that a process of the sandbox bound or listened at, at any time, with the protocol."""
    if isinstance(case.run, Absent):
        return set()
    return {
        (attempt.port, UDP if attempt.type == "dgram" else TCP)
        for attempt in case.run.attempts
        if attempt.call in SERVING and attempt.family in IP_FAMILIES and _is_here(case, attempt)
    }


def _is_here(case: Case, attempt: Attempt) -> bool:
    """False for a bind to an address that is not this machine's, which fails, and for one in
    another network, where nobody of this one is served."""
    if attempt.outcome == "elsewhere":
        return False
    address = address_of(attempt)
    return address is None or _stays_here(case, address)


def tried_alone(rows: Iterable[Observation], run: Run) -> Iterator[tuple[Attempt, str]]:
    """Each attempt of the program on an address, of which no row tells."""
    sent = sent_to(seen for seen in rows if not seen.by_helper)
    for attempt in attempts_of_program(run):
        address = address_of(attempt)
        if address is None or not attempt.wants_out:
            continue
        if (str(address), port_of(attempt)) not in sent:
            yield attempt, str(address)
