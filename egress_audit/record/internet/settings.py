"""How the simulated internet behaves: what it refuses, what it answers, and what it swallows."""

from dataclasses import dataclass
from enum import StrEnum

from egress_audit.model.run import Network


class DnsPolicy(StrEnum):
    """What a question for a name is answered with, where questions are answered at all."""

    ANSWER = "answer"
    """An address of its own for each name."""
    NXDOMAIN = "nxdomain"
    SERVFAIL = "servfail"


@dataclass(frozen=True, slots=True)
class InternetSettings:
    """The choices of one run; the defaults are those of `egress-audit run`."""

    mode: Network = Network.SIMULATED
    """SEALED refuses everything, SIMULATED answers it; OPEN needs no invented internet."""
    dns: DnsPolicy = DnsPolicy.ANSWER
    answer_range4: str = "198.18.0.0/15"
    """Where invented IPv4 addresses come from; by default the range of benchmarks (RFC 2544)."""
    answer_range6: str = "fd00:e6e5::/64"
    ipv6: bool = True
    """False: names have no AAAA, and every IPv6 packet is answered as unreachable."""
    resolvers: frozenset[str] = frozenset()
    """Addresses that answer DNS with SERVFAIL even when sealed; never given to a name."""
    swallow: frozenset[str] = frozenset()
    """Addresses whose packets get no answer of any kind: the sentinels of our own probes, and the
    program's own, for which nothing leaves; never given to a name."""
    swallow_suffix: str = ""
    """Names that end in it get no answer either; '' for none."""
    mtu: int = 1500
    """Of the device the packets come from: no packet we write is longer."""
    reflexive4: str = "203.0.113.77"
    """The public address that STUN tells an IPv4 client it has (RFC 5737, documentation)."""
    reflexive6: str = "2001:db8::77"
    """The same for IPv6 (RFC 3849)."""
    max_connections: int = 65_536
