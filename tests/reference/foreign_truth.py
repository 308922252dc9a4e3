"""Flows and names of ours held to the truth that other programs made of a capture.

The truth is one JSON object a capture: a conversation for each 5-tuple over the whole file, on the
outermost layer and (if anything is tunnelled) on the innermost, and the names by kind. Where the
programs that made it do not agree with each other, a conversation says so and is left out.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, NamedTuple

from egress_audit.model.flow import Flow, Name, NameSource

PROTOCOLS = {"tcp": 6, "udp": 17}
FLOWS, PACKETS, OCTETS = "flows", "packets", "IP bytes"
KINDS = {
    NameSource.DNS_QUERY: "dns",
    NameSource.DNS_ANSWER: "dns",
    NameSource.TLS_SNI: "sni",
    NameSource.QUIC_SNI: "quic",
    NameSource.HTTP_HOST: "http",
    NameSource.HTTP_CONNECT: "http",
    NameSource.HTTP2_AUTHORITY: "http",
}
WANTED = {
    "dns": ("dns_qnames",),
    "sni": ("sni",),
    "quic": ("quic_sni",),
    "http": ("http_hosts",),
}
"""What must be found."""
ALLOWED = {
    "dns": ("dns_qnames", "mdns_qnames"),
    "sni": ("sni", "dtls_sni"),
    "quic": ("quic_sni", "gquic_sni"),
    "http": ("http_hosts", "http_connect", "http2_authorities", "ssdp_hosts"),
}
"""What may be found besides, by other lists of the truth."""

Truth = Mapping[str, Any]


class Ends(NamedTuple):
    """A 5-tuple, with its ends in the order of their addresses and ports."""

    proto: int
    low: tuple[str, int]
    high: tuple[str, int]


class Sums(NamedTuple):
    """What both ends of a 5-tuple sent, in the order of its ends."""

    packets: tuple[int, int]
    octets: tuple[int, int]


@dataclass
class Score:
    """How much of the truth of some captures was found, and where it was not."""

    wanted: Counter[str] = field(default_factory=Counter)
    """What the truth has, by kind of names or FLOWS, PACKETS and OCTETS."""
    found: Counter[str] = field(default_factory=Counter)
    ours: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    """One sentence a difference."""

    def recall(self, kind: str) -> float:
        """Part of what is wanted that was found; 1 if nothing is."""
        return self.found[kind] / self.wanted[kind] if self.wanted[kind] else 1.0

    def precision(self, kind: str) -> float:
        """Part of what we say that the truth has; 1 if we say nothing."""
        return self.right[kind] / self.ours[kind] if self.ours[kind] else 1.0

    def add(self, other: "Score", capture: str) -> None:
        """Adds the score of one capture."""
        self.wanted += other.wanted
        self.found += other.found
        self.ours += other.ours
        self.right += other.right
        self.notes += [f"{capture}: {note}" for note in other.notes]

    def take(self, kind: str, *, wanted: set[Any], ours: set[Any], allowed: set[Any]) -> None:
        """Compares two sets; what is allowed is right and yet not wanted."""
        self.wanted[kind] += len(wanted)
        self.found[kind] += len(wanted & ours)
        self.ours[kind] += len(ours)
        self.right[kind] += len(ours & (wanted | allowed))
        self.notes += [f"{kind}, missed: {what}" for what in sorted(wanted - ours)]
        self.notes += [f"{kind}, not in truth: {what}" for what in sorted(ours - wanted - allowed)]


def score_of(truth: Truth, flows: Iterable[tuple[Flow, tuple[Name, ...]]]) -> Score:
    """Our flows, with their names, against the truth of one capture.

    Of outermost and innermost layer the one that fits better counts.
    """
    known = list(flows)
    outer = [flow for flow, _ in known if not flow.encap_depth]
    layers = [_flow_score(truth["conversations"], outer)]
    if "conversations_innermost" in truth:
        inner = [flow for flow, _ in known if not flow.carrier]
        layers.append(_flow_score(truth["conversations_innermost"], inner))
    best = max(layers, key=lambda score: (_agreement(score), score.found[PACKETS]))
    _add_names(best, truth, (name for _, names in known for name in names))
    return best


def _agreement(score: Score) -> float:
    """Dice's coefficient of the flows."""
    both = score.wanted[FLOWS] + score.ours[FLOWS]
    return 2 * score.found[FLOWS] / both if both else 1.0


def _flow_score(conversations: list[Truth], flows: list[Flow]) -> Score:
    said = [one for one in conversations if one["proto"] in PROTOCOLS and one["sport"] is not None]
    firm = {_ends_of(one): one for one in said if _is_firm(one)}
    doubtful = {_ends_of(one) for one in said if not _is_firm(one)}
    ours = {ends: sums for ends, sums in _merged(flows).items() if ends not in doubtful}
    score = Score()
    score.take(FLOWS, wanted=set(firm), ours=set(ours), allowed=set())
    for ends in firm.keys() & ours.keys():
        _compare(score, ends, ours[ends], firm[ends])
    return score


def _is_firm(conversation: Truth) -> bool:
    if conversation.get("contested"):
        return False
    return not conversation.get("disputed_by") or bool(conversation.get("agreed_by"))


def _compare(score: Score, ends: Ends, sums: Sums, conversation: Truth) -> None:
    """Counts of one flow; the truth has later fragments apart, and they count with us or not."""
    without, with_fragments = _sums_of(conversation, ends)
    for kind, mine, theirs in (
        (PACKETS, sums.packets, (without.packets, with_fragments.packets)),
        (OCTETS, sums.octets, (without.octets, with_fragments.octets)),
    ):
        score.wanted[kind] += 1
        score.found[kind] += mine in theirs
        if mine not in theirs:
            score.notes.append(f"{kind} of {ends}: {mine}, truth {theirs[0]}")


def _sums_of(conversation: Truth, ends: Ends) -> tuple[Sums, Sums]:
    """The sums of a conversation, without its later fragments and with them."""
    turned = _ends(conversation, "src", "sport") != ends.low
    sides = ("ba", "ab") if turned else ("ab", "ba")
    packets, octets = (
        [conversation[f"{what}_{side}"] for side in sides] for what in ("pkts", "l3")
    )
    more = [conversation.get(f"frag_pkts_{side}", 0) for side in sides]
    octets_more = [conversation.get(f"frag_l3_{side}", 0) for side in sides]
    whole = Sums(
        (packets[0] + more[0], packets[1] + more[1]),
        (octets[0] + octets_more[0], octets[1] + octets_more[1]),
    )
    sums = Sums((packets[0], packets[1]), (octets[0], octets[1]))
    return (_undirected(sums), _undirected(whole)) if ends.low == ends.high else (sums, whole)


def _undirected(sums: Sums) -> Sums:
    """Who talks to himself from port to same port has one direction."""
    return Sums((sum(sums.packets), 0), (sum(sums.octets), 0))


def _merged(flows: Iterable[Flow]) -> dict[Ends, Sums]:
    """The sums of our flows by 5-tuple: time-outs and reused ports cut them, the truth does not."""
    merged: dict[Ends, Sums] = {}
    for flow in flows:
        if flow.proto not in PROTOCOLS.values():
            continue
        orig = (_canonical(flow.orig_h), flow.orig_p)
        resp = (_canonical(flow.resp_h), flow.resp_p)
        ends = Ends(flow.proto, min(orig, resp), max(orig, resp))
        sums = Sums((flow.orig_pkts, flow.resp_pkts), (flow.orig_ip_bytes, flow.resp_ip_bytes))
        if orig != ends.low:
            sums = Sums(sums.packets[::-1], sums.octets[::-1])
        if orig == resp:
            sums = _undirected(sums)
        before = merged.get(ends, Sums((0, 0), (0, 0)))
        merged[ends] = Sums(
            (before.packets[0] + sums.packets[0], before.packets[1] + sums.packets[1]),
            (before.octets[0] + sums.octets[0], before.octets[1] + sums.octets[1]),
        )
    return merged


def _ends_of(conversation: Truth) -> Ends:
    ends = (_ends(conversation, "src", "sport"), _ends(conversation, "dst", "dport"))
    return Ends(PROTOCOLS[conversation["proto"]], min(ends), max(ends))


def _ends(conversation: Truth, address: str, port: str) -> tuple[str, int]:
    return _canonical(conversation[address]), conversation[port]


def _canonical(address: str) -> str:
    return str(ip_address(address))


def _add_names(score: Score, truth: Truth, names: Iterable[Name]) -> None:
    ours: dict[str, set[str]] = {kind: set() for kind in WANTED}
    for name in names:
        if name.source in KINDS:
            ours[KINDS[name.source]].add(_plain(name.host, KINDS[name.source]))
    for kind, lists in WANTED.items():
        wanted = {_plain(name, kind) for key in lists for name in truth.get(key, ())}
        allowed = {_plain(name, kind) for key in ALLOWED[kind] for name in truth.get(key, ())}
        allowed |= {_plain(name, kind) for name in truth.get("names_seen_only_by_others", ())}
        if kind == "dns":
            answers = truth.get("dns_answers", ())
            allowed |= {_plain(one[key], kind) for one in answers for key in ("name", "data")}
        nameless = {"", "<root>"}
        score.take(
            kind, wanted=wanted - nameless, ours=ours[kind] - nameless, allowed=allowed - nameless
        )


def _plain(name: str, kind: str) -> str:
    """A name as it is compared: without the port and brackets of a Host field."""
    name = name.strip().lower().rstrip(".")
    if kind != "http":
        return name
    host, colon, port = name.rpartition(":")
    without_port = host if colon and port.isdigit() and (":" not in host or "]" in host) else name
    return without_port.strip("[]")
