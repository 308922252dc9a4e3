"""Observations as clauses: `opened 19 TLS connections to huggingface.co`."""

from collections.abc import Iterable, Sequence

from egress_audit.addresses import Scope
from egress_audit.judge.permission import literal_address
from egress_audit.model.audit import Kind, NameUse, Observation
from egress_audit.model.catalogue import Entry
from egress_audit.model.destination import Absent
from egress_audit.model.flow import NameSource
from egress_audit.model.protocols import EITHER_ICMP, TCP

PROTOCOLS = {
    **{1: "ICMP", 2: "IGMP", 4: "IP-in-IP", 6: "TCP", 17: "UDP", 33: "DCCP", 41: "IPv6-in-IP"},
    **{47: "GRE", 50: "ESP", 58: "ICMPv6", 89: "OSPF", 103: "PIM", 112: "VRRP", 132: "SCTP"},
    136: "UDP-Lite",
}
TRUSTED_FIRST = (
    NameSource.TLS_SNI,
    NameSource.QUIC_SNI,
    NameSource.DTLS_SNI,
    NameSource.HTTP_CONNECT,
    NameSource.HTTP_HOST,
    NameSource.HTTP2_AUTHORITY,
    NameSource.DNS_ANSWER,
    NameSource.SANDBOX_DNS,
    NameSource.DNS_UNPROVEN,
)
TOLD_TO_PROXIES = (NameSource.HTTP_CONNECT, NameSource.SOCKS)
REFUSED = ("S0", "REJ", "RSTOS0")
"""Zeek's states of a connection that was asked for, and nobody took."""
UNBEGUN = ("OTH", "SH", "SHR", "RSTRH")
"""Those of one whose opening is not in the capture, or only one side of it: nobody can say that it
was opened then."""
MOST_NAMED = 3
"""Of several names in a clause; the others are counted."""


def plural(count: int, word: str) -> str:
    """`1 flow`, `2 flows`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def either(words: Iterable[str]) -> str:
    """`a`, `a or b`, `a, b, c or one of 4 more`; each once, in the order given. One is never left
    out, since to count it takes more words than to name it."""
    each = list(dict.fromkeys(words))
    beyond = len(each) - MOST_NAMED
    if beyond > 1:
        return f"{', '.join(each[:MOST_NAMED])} or one of {beyond} more"
    return " or ".join(filter(None, (", ".join(each[:-1]), *each[-1:])))


def of_vendors(entries: Sequence[Entry], by: str, beside: str = "") -> str:
    """`of Acme, controlled from CN (known by name)`; by: the name or address that says so."""
    vendors = either(entry.vendor for entry in entries)
    countries = either(str(entry.jurisdiction) for entry in entries)
    known_by = "name" if literal_address(by) is None else "address"
    return f"of {vendors}, controlled from {countries}{beside} (known by {known_by})"


def protocol(number: int) -> str:
    """`TCP` for 6; `IP protocol 99` for what has no name here."""
    return PROTOCOLS.get(number, f"IP protocol {number}")


def best_name(seen: Observation) -> str:
    """The name that says most of whom this went to; empty if none is known."""
    if len(seen.names) == 1:
        return seen.names[0].host  # however it is known
    for source in TRUSTED_FIRST:
        for use in seen.names:
            if source in use.sources:
                return use.host
    return seen.names[0].host if seen.names else ""


def endpoint(seen: Observation) -> str:
    """`10.0.0.1:53`, `[2001:db8::1]:443`, or the address alone where there is no port."""
    if isinstance(seen.far_h, Absent):
        return "further destinations"
    if isinstance(seen.far_p, Absent) or seen.proto in EITHER_ICMP:
        return seen.far_h
    host = f"[{seen.far_h}]" if ":" in seen.far_h else seen.far_h
    return f"{host}:{seen.far_p}"


def questions_asked(seen: Observation) -> str:
    """`19 A and 19 AAAA questions`."""
    kinds = [f"{count} {word}" for word, count in seen.questions.items()]
    total = sum(seen.questions.values())
    listed = kinds[0] if len(kinds) == 1 else f"{', '.join(kinds[:-1])} and {kinds[-1]}"
    return f"{listed} question{'s' if total != 1 else ''}"


def contact(seen: Observation, *, whom: str) -> str:
    """What was done: `opened 19 TLS connections to huggingface.co, and tried to open 2 more`."""
    unbegun = _of_states(seen, UNBEGUN)
    if seen.proto == TCP and unbegun < seen.flows:
        return _connections(seen, unbegun, whom)
    packets = plural(seen.pkts_out, f"{protocol(seen.proto)} packet")
    flows = f" in {seen.flows} flows" if seen.flows > 1 else ""
    return f"sent {packets}{flows} to {whom}"


def _connections(seen: Observation, unbegun: int, whom: str) -> str:
    """What was done over TCP, some of it at least in connections that are seen to begin."""
    tried = _of_states(seen, REFUSED)
    opened = max(seen.flows - tried - unbegun, 0)
    tls = "TLS " if seen.tls_flows >= (opened + unbegun or seen.flows) else ""
    did = {"opened": opened, "sent packets over": unbegun, "tried to open": tried}
    (verb, count), *others = ((verb, count) for verb, count in did.items() if count)
    more = [f"{verb} {count} more" for verb, count in others]
    first = f"{verb} {plural(count, f'{tls}connection')} to {whom}"
    return ", ".join([first, *more[:-1], *(f"and {last}" for last in more[-1:])])


def _of_states(seen: Observation, states: Iterable[str]) -> int:
    return sum(seen.conn_states.get(state, 0) for state in states)


CLIENT = "the user's client on this host"


def whom(seen: Observation) -> str:
    """`huggingface.co at 198.18.0.7:443 (benchmark)`; `through` a proxy that was told the name."""
    name, end = best_name(seen), f"{endpoint(seen)} ({place(seen)})"
    if not name or name == seen.far_h:
        return end
    passes_on = any(source in TOLD_TO_PROXIES for use in seen.names for source in use.sources)
    return f"{name} {'through' if passes_on else 'at'} {end}"


def place(seen: Observation) -> str:
    """`internet`, or the scope: `lan`, `benchmark`."""
    scope = seen.destination.scope
    return "internet" if scope is Scope.GLOBAL else str(scope)


def asked(seen: Observation) -> str:
    """`asked for huggingface.co (19 A and 19 AAAA questions)`."""
    return f"asked for {seen.names[0].host} ({questions_asked(seen)})"


def clause(seen: Observation) -> str:
    """The observation as a clause whose subject is left out."""
    if seen.kind is Kind.QUESTION:
        return asked(seen)
    return contact(seen, whom=whom(seen))


def used_names(uses: Sequence[NameUse]) -> str:
    """`a.example (tls-sni), b.example (http-host)`."""
    return ", ".join(f"{use.host} ({'/'.join(use.sources)})" for use in uses)
