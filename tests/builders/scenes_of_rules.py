"""Scenes in which one rule fires, and scenes that hold the judge to its constitution."""

from .captures import (
    ICMP,
    UDP,
    client_hello,
    dns_answer,
    dns_query,
    http_request,
    icmp,
    ip,
    udp,
)
from .scenes import (
    HERE,
    LOCAL_PROXY,
    LOCAL_SERVER,
    OURS,
    OUTSIDE,
    SECOND_NS,
    START_NS,
    STRANGER,
    US,
    Scene,
    asked,
    exchange,
    later,
    one,
    quiet,
    script,
    session,
    written,
)

TELECOM, ALIBABA = ("1.202.0.1", 443), ("47.74.0.1", 443)
"""China Telecom in China; Alibaba Cloud outside of it, by the embedded lists."""
GERMAN = ("116.203.1.1", 443)
"""Hetzner, in Germany and under its law, by the embedded lists."""
METADATA = ("169.254.169.254", 80)
RESOLVER = ("192.0.2.53", 53)
FROM_OUTSIDE = (STRANGER, 50000)
CONNECT = http_request("example.org:443", method="CONNECT")
TLS_GOOD, TLS_EVIL = client_hello("good.example"), client_hello("evil.example")
THREE_FAR_ENDS = (("192.168.1.7", 9999), ("192.168.1.8", 9999), OUTSIDE)
SOON_NS = START_NS + SECOND_NS
LONG = session(US, OUTSIDE, b"\x00" * 4000)
RESOLVED = exchange(US, RESOLVER, dns_query("good.example"), dns_answer("good.example", [STRANGER]))

RULES_FIRE = (
    Scene(
        "rule-ea001-outside-contact",
        "one TCP connection to an address outside",
        written(session(US, OUTSIDE)),
        "VIOLATED",
        rules=("EA001",),
    ),
    Scene(
        "rule-ea002-name-asked",
        "a question for a name, to a resolver on this machine",
        written(asked("example.org")),
        "VIOLATED",
        rules=("EA002",),
    ),
    Scene(
        "rule-ea003-local-contact",
        "a datagram to a neighbour on the local network",
        written(exchange(US, ("192.168.1.7", 9999), b"hello")),
        "VIOLATED",
        rules=("EA003",),
    ),
    Scene(
        "rule-ea004-metadata-contact",
        "a request to the cloud's metadata service, under a profile that allows everything else",
        written(session(US, METADATA, http_request("169.254.169.254"), b"HTTP/1.1 200 OK\r\n\r\n")),
        "VIOLATED",
        profile="profiles/anything.yaml",
        rules=("EA004",),
    ),
    Scene(
        "rule-ea005-name-through-carrier",
        "a CONNECT to a name outside, through a proxy on this machine",
        written(session(HERE, LOCAL_PROXY, CONNECT, b"HTTP/1.1 200 OK\r\n\r\n")),
        "VIOLATED",
        rules=("EA005",),
    ),
    Scene(
        "rule-ea006-denied-location",
        "a connection to an address located in a denied country",
        written(session(US, TELECOM)),
        "VIOLATED",
        profile="profiles/not-located-in-china.yaml",
        rules=("EA006",),
    ),
    Scene(
        "rule-ea007-denied-control",
        "a connection to an operator under a denied jurisdiction, wherever its address is",
        written(session(US, ALIBABA)),
        "VIOLATED",
        profile="profiles/not-controlled-from-china.yaml",
        rules=("EA007",),
    ),
    Scene(
        "rule-ea008-denied-category",
        "a connection to a state telecom",
        written(session(US, TELECOM)),
        "VIOLATED",
        profile="profiles/no-state-telecom.yaml",
        rules=("EA008",),
    ),
    Scene(
        "rule-ea009-denied-host",
        "a TLS connection whose server name the profile denies",
        written(session(US, OUTSIDE, client_hello("a.bad.example"))),
        "VIOLATED",
        profile="profiles/denied-names.yaml",
        rules=("EA009",),
    ),
    Scene(
        "spot-name-unknown",
        "a connection to an address, under a profile that denies a host, and no name leads there",
        written(session(US, OUTSIDE, b"\x00ping", b"\x00pong")),
        "INCONCLUSIVE",
        profile="profiles/denied-names.yaml",
        spots=("name-unknown",),
    ),
    Scene(
        "rule-ea010-inbound-contact",
        "a stranger's connection that was answered, under a profile that denies it",
        written(session(FROM_OUTSIDE, (OURS, 8080), b"\x00hello", b"\x00hello")),
        "VIOLATED",
        profile="profiles/no-inbound.yaml",
        rules=("EA010",),
    ),
    Scene(
        "rule-ea011-contact-beyond-rows",
        "two contacts on the local network, which the profile allows, and a third outside, for "
        "which no row is left; the bound is lowered for this capture, from 10 000 rows to two, so "
        "that it stays small",
        written(later([frame for far in THREE_FAR_ENDS for frame in session(US, far)])),
        "VIOLATED",
        profile="profiles/local-network.yaml",
        rules=("EA011",),
        spots=("rows-dropped",),
        bounds={"max_observations": 2},
    ),
    Scene(
        "rule-ea015-outside-allowed-places",
        "two connections under a profile that allows one country: to an operator of that country, "
        "and to one in another",
        written(later([*session(US, GERMAN), *session((OURS, 40001), TELECOM)])),
        "VIOLATED",
        profile="profiles/run-from-germany.yaml",
        rules=("EA015",),
    ),
)


def _reset_to_a_stranger() -> bytes:
    knock = script(FROM_OUTSIDE, (OURS, 22))
    knock.from_client("S")
    knock.from_server("RA")
    return written(knock.frames)


def _icmp_error_to_a_stranger() -> bytes:
    """Our error quotes a question that nobody of ours asked."""
    quoted = ip(STRANGER, OURS, udp(5000, 53, dns_query("quoted.example")), UDP)
    sent = ip(STRANGER, OURS, udp(5000, 9999, b"hello"), UDP)
    error = ip(OURS, STRANGER, icmp(3, 3, quoted), ICMP)
    return written(later([one(sent), one(error)]))


LAW = (
    Scene(
        "law-loopback-only",
        "a conversation that stays on the machine",
        written(quiet()),
        "HOLDS",
    ),
    Scene(
        "law-own-address",
        "a conversation of the host with itself, over the address that is given as its own",
        written(session(US, (OURS, 8080), b"\x00ping", b"\x00pong")),
        "HOLDS",
    ),
    Scene(
        "law-own-address-guessed",
        "the same conversation, where the own address is only guessed: a guess allows nothing",
        written(session(US, (OURS, 8080), b"\x00ping", b"\x00pong")),
        "VIOLATED",
        local=(),
        rules=("EA003",),
    ),
    Scene(
        "law-host-allowed",
        "an allowed host, whose address an answer in the same capture proves",
        written([*RESOLVED, *session(US, OUTSIDE, TLS_GOOD, at_ns=SOON_NS)]),
        "HOLDS",
        profile="profiles/one-host.yaml",
    ),
    Scene(
        "law-server-name-alone",
        "the name of an allowed host in a TLS hello, and no answer that proves it",
        written(session(US, OUTSIDE, TLS_GOOD)),
        "VIOLATED",
        profile="profiles/one-host.yaml",
        rules=("EA001",),
    ),
    Scene(
        "law-names-disagree",
        "an answer proves the allowed host, and the TLS hello names another at that address",
        written([*RESOLVED, *session(US, OUTSIDE, TLS_EVIL, at_ns=SOON_NS)]),
        "VIOLATED",
        profile="profiles/one-host.yaml",
        rules=("EA001",),
    ),
    Scene(
        "law-host-field-through-loopback",
        "a request in absolute form to a proxy on this machine",
        written(session(HERE, LOCAL_PROXY, http_request("example.org", "http://example.org/"))),
        "VIOLATED",
        rules=("EA005",),
    ),
    Scene(
        "law-proxy-hides-the-place",
        "a CONNECT through a proxy on this machine, under a claim about places",
        written(session(HERE, LOCAL_PROXY, CONNECT)),
        "INCONCLUSIVE",
        profile="profiles/not-located-in-china.yaml",
        spots=("question-unplaced",),
    ),
    Scene(
        "law-reset-to-a-stranger",
        "a stranger's SYN and our RST, which is no egress",
        _reset_to_a_stranger(),
        "HOLDS",
    ),
    Scene(
        "law-icmp-error-to-a-stranger",
        "our ICMP error to a stranger, and the name it quotes, which nobody asked for",
        _icmp_error_to_a_stranger(),
        "HOLDS",
    ),
    Scene(
        "law-provider-network",
        "a provider's address (100.64.0.0/10), under a profile that allows the local network",
        written(session(US, ("100.64.0.9", 443))),
        "VIOLATED",
        profile="profiles/local-network.yaml",
        rules=("EA001",),
    ),
    Scene(
        "law-benchmark-network",
        "a benchmark address (198.18.0.0/15), under a profile that allows the local network",
        written(session(US, ("198.18.0.9", 443))),
        "VIOLATED",
        profile="profiles/local-network.yaml",
        rules=("EA001",),
    ),
    Scene(
        "law-violation-in-a-lossy-file",
        "a contact outside in a capture that lacks segments: loss does not excuse it",
        written([*LONG[:4], *LONG[5:]]),
        "VIOLATED",
        rules=("EA001",),
        spots=("stream-gaps",),
    ),
    Scene(
        "law-no-assertions",
        "a conversation that stays on the machine, about which nobody states anything",
        written(session(HERE, LOCAL_SERVER, b"\x00ping", b"\x00pong")),
        "INCONCLUSIVE",
        assertions=(),
    ),
)
