"""Scenes in which one blind spot, or those of one assertion, alone stand before HOLDS."""

from datetime import UTC, datetime

from .captures import (
    ICMPV6,
    TCP,
    UDP,
    Block,
    Frame,
    Interface,
    SimpleFrame,
    Statistics,
    dns_answer,
    dns_query,
    ethernet,
    http_request,
    icmp,
    ip,
    ipv4,
    pcap,
    tcp,
    udp,
)
from .files import IF_FILTER
from .scenes import (
    HERE,
    LOCAL_PROXY,
    LOCAL_RESOLVER,
    LOCAL_SERVER,
    OURS,
    OUTSIDE,
    RAW_IP,
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
    sections,
    session,
    without,
    written,
)

LOOP = "127.0.0.1"
ESP = 50
TIPC = 0x88CA
LOOSE_ROUTE = bytes([131, 7, 4, 8, 8, 8, 8])
"""One station, 8.8.8.8, not yet visited (RFC 791 §3.1)."""
FIVE_FLOWS = later([one(ip(LOOP, LOOP, udp(40000, port, b"x"), UDP)) for port in range(9001, 9006)])
DATAGRAM = ip(LOOP, LOOP, udp(40000, 9999, b"\x00" * 64), UDP)
PLACES = "profiles/not-located-in-china.yaml"
IN_OCTOBER_NS = int(datetime(2026, 10, 15, tzinfo=UTC).timestamp()) * SECOND_NS
IN_2024_NS = int(datetime(2024, 1, 15, tzinfo=UTC).timestamp()) * SECOND_NS


def _with_a_hole() -> list[Frame]:
    """The second of three segments is missing, and was acknowledged."""
    frames = session(HERE, LOCAL_SERVER, b"\x00" * 3000)
    long = [frame for frame in frames if len(frame.data) > 1000]
    return [frame for frame in frames if frame is not long[1]]


def _contradiction() -> list[Frame]:
    """The beginning of a request is sent twice, and differs."""
    there = script(HERE, LOCAL_SERVER)
    there.handshake()
    for target in (b"/a", b"/b"):
        start = there.near_seq
        there.from_client("PA", b"GET " + target + b" HTTP/1.1\r\n")
        there.near_seq = start if target == b"/a" else there.near_seq
    there.from_client("PA", http_request("localhost").partition(b"\r\n")[2])
    there.from_server("A")
    there.close()
    return there.frames


def _refused() -> list[Frame]:
    there = script(HERE, LOCAL_PROXY)
    there.from_client("S")
    there.from_server("RA")
    return there.frames


FILE_SCENES = (
    ("damage", "a file that is cut in the middle of a frame", written(quiet())[:-7]),
    ("drops-recorded", "a file that says three frames were lost", None),
    ("filter-recorded", "a file that says a capture filter was in force", None),
    ("blocks-unknown", "a custom block, of which nobody knows what it holds", None),
    (
        "snaplen-cut",
        "a frame of which the file holds less than was on the wire",
        written([one(DATAGRAM[:60], wirelen=len(DATAGRAM))]),
    ),
    (
        "frames-undecoded",
        "a frame of an EtherType that is not decoded (TIPC)",
        pcap([one(ethernet(b"\x00\x01\x01\x40" + DATAGRAM, TIPC))], 1),
    ),
    (
        "headers-partial",
        "a packet that ends within its UDP header",
        written([one(ip(LOOP, LOOP, udp(40000, 9999)[:6], UDP))]),
    ),
    (
        "fragments",
        "the first fragment of a datagram",
        written([one(ipv4(LOOP, LOOP, udp(40000, 9999, b"\x00" * 56), UDP, more_fragments=True))]),
    ),
    (
        "loopback-on-the-wire",
        "a datagram for the machine itself in a frame to another one",
        pcap([one(ethernet(DATAGRAM, dst=b"\x02\0\0\0\0\x02"))], 1),
    ),
    (
        "source-routes",
        "a packet to the machine itself with a loose source route that leads on",
        written([one(ipv4(LOOP, LOOP, udp(40000, 9999, b"x" * 8), UDP, options=LOOSE_ROUTE))]),
    ),
    (
        "tunnels",
        "an encrypted packet (ESP), on the machine itself",
        written([one(ip(LOOP, LOOP, b"\x00\x00\x01\x00" + bytes(28), ESP))]),
    ),
    (
        "one-way",
        "an answer from outside to a connection of ours that is not in the capture",
        written([one(ip(STRANGER, OURS, tcp(443, 40000, "SA", 1, 1), TCP))]),
    ),
    (
        "answers-unprompted",
        "an ICMP error that quotes a packet of ours, which is not in the capture",
        written([one(ip(STRANGER, OURS, icmp(3, 3, ip(OURS, STRANGER, udp(5, 9), UDP)), 1))]),
    ),
    ("stream-gaps", "a TCP stream that lacks an acknowledged segment", written(_with_a_hole())),
    (
        "time-reversals",
        "a frame five seconds earlier than the one before it",
        written([*quiet(START_NS + 5 * SECOND_NS), one(DATAGRAM)]),
    ),
    (
        "conflicting-segments",
        "the beginning of a request, sent twice with different bytes",
        written(_contradiction()),
    ),
    (
        "local-service-missing",
        "a connection to a local port, of a proxy perhaps, where nobody answers",
        written(_refused()),
    ),
    (
        "names-hidden",
        "a SOCKS proxy on this machine that is asked to pass on datagrams, to whomever",
        written(session(HERE, (LOOP, 8080), b"\5\1\0\5\3\0\1" + bytes(6), b"\5\0")),
    ),
    (
        "names-unread",
        "a datagram to a resolver that is no DNS message",
        written(exchange(HERE, LOCAL_RESOLVER, b"\xff" * 30)),
    ),
    (
        "names-dropped",
        "an answer of 21 addresses, one more than are kept",
        written(
            exchange(
                HERE,
                LOCAL_RESOLVER,
                dns_query("many.localhost"),
                dns_answer("many.localhost", [f"127.0.1.{n}" for n in range(21)]),
            )
        ),
    ),
)
"""Id, what it shows, the bytes of a pcap; None where it takes pcapng."""

PCAPNG = {
    "drops-recorded": sections(*quiet(), Statistics(ts_ns=START_NS + SECOND_NS, drops=3)),
    "filter-recorded": sections(
        *quiet(), interface=Interface(RAW_IP, options=[(IF_FILTER, b"\x00tcp")])
    ),
    "blocks-unknown": sections(*quiet(), Block(0x0BAD, b"\x00\x00\x7d\xd9note")),
}


def _file_scene(spot: str, shows: str, data: bytes | None) -> Scene:
    return Scene(
        f"spot-{spot}",
        shows,
        PCAPNG[spot] if data is None else data,
        "INCONCLUSIVE",
        spots=(spot,),
        suffix="pcapng" if data is None else "pcap",
    )


SPOTS_OF_FILE = (
    *(_file_scene(*row) for row in FILE_SCENES),
    Scene(
        "spot-own-addresses-guessed",
        "two strangers' connections, and nobody says which addresses are ours",
        written(
            session((STRANGER, 50000), (OURS, 8080))
            + session(("203.0.113.10", 50000), (OURS, 8080))
        ),
        "INCONCLUSIVE",
        local=(),
        spots=("own-addresses-guessed",),
    ),
    Scene(
        "spot-foreign-flows",
        "a packet between two addresses none of which is ours, under a claim about places",
        written([one(ip("47.74.0.2", "52.80.0.1", udp(40000, 9999), UDP), at_ns=IN_OCTOBER_NS)]),
        "VIOLATED",
        profile=PLACES,
        rules=("EA006",),
        spots=("foreign-flows", "lists-old"),
    ),
    Scene(
        "spot-inbound-answered",
        "a stranger's connection that was answered, which this claim only reports",
        written(session((STRANGER, 50000), (OURS, 8080))),
        "HOLDS",
        spots=("inbound-answered",),
    ),
    Scene(
        "spot-frames-duplicated",
        "a datagram that was recorded twice",
        written([one(DATAGRAM), one(DATAGRAM, at_ns=START_NS + 1000)]),
        "HOLDS",
        spots=("frames-duplicated",),
    ),
    Scene(
        "spot-frames-without-time",
        "a frame in a block that has no time",
        sections(*quiet(), SimpleFrame(DATAGRAM)),
        "HOLDS",
        spots=("frames-without-time",),
        suffix="pcapng",
    ),
    Scene(
        "spot-blocks-skipped",
        "a block of decryption secrets, which holds no frame",
        sections(*quiet(), Block(10, b"KLST\x00\x00\x00\x00")),
        "HOLDS",
        spots=("blocks-skipped",),
        suffix="pcapng",
    ),
    Scene(
        "spot-flows-evicted",
        "a batch of five flows on the machine itself, more than the table has room for; the bound "
        "is lowered for this capture, from 8 000 000 flows to four, so that it stays small",
        written(FIVE_FLOWS),
        "INCONCLUSIVE",
        spots=("flows-evicted",),
        bounds={"max_flows": 4},
    ),
)

SPOTS_OF_CLAIM = (
    Scene(
        "spot-location-unknown",
        "a contact whose place no list knows, under a claim about places",
        written(session(US, OUTSIDE)),
        "INCONCLUSIVE",
        profile=PLACES,
        spots=("location-unknown",),
    ),
    Scene(
        "spot-control-unknown",
        "a contact whose operator no list knows, under a claim about control",
        written(session(US, OUTSIDE)),
        "INCONCLUSIVE",
        profile="profiles/not-controlled-from-china.yaml",
        spots=("control-unknown",),
    ),
    Scene(
        "spot-category-unknown",
        "a contact whose operator no list knows, under a claim about categories",
        written(session(US, OUTSIDE)),
        "INCONCLUSIVE",
        profile="profiles/no-state-telecom.yaml",
        spots=("category-unknown",),
    ),
    Scene(
        "spot-place-undecided",
        "a contact whose place and operator no list knows, under a claim that allows one country",
        written(session(US, OUTSIDE)),
        "INCONCLUSIVE",
        profile="profiles/run-from-germany.yaml",
        spots=("place-undecided",),
    ),
    Scene(
        "spot-question-unplaced",
        "a question without an answer, under a claim about places",
        written(asked("example.org")),
        "INCONCLUSIVE",
        profile=PLACES,
        spots=("question-unplaced",),
    ),
    Scene(
        "spot-lists-stale",
        "a capture more than two years older than the lists, under a claim about places",
        written(quiet(IN_2024_NS)),
        "INCONCLUSIVE",
        profile=PLACES,
        spots=("lists-stale",),
    ),
    Scene(
        "spot-lists-old",
        "a capture some months away from the lists: worth knowing, in nobody's way",
        written(quiet(IN_OCTOBER_NS)),
        "HOLDS",
        profile=PLACES,
        spots=("lists-old",),
    ),
    Scene(
        "spot-lists-missing",
        "a conversation that stays on the machine, under a claim about places, audited without "
        "the address lists that come with the program",
        written(quiet()),
        "INCONCLUSIVE",
        profile=PLACES,
        spots=("lists-missing",),
        lists=False,
    ),
    Scene(
        "spot-rows-dropped",
        "contacts with five ports of the machine itself, for three of which no row is left; the "
        "bound is lowered for this capture, from 10 000 rows to two, so that it stays small",
        written(FIVE_FLOWS),
        "INCONCLUSIVE",
        spots=("rows-dropped",),
        bounds={"max_observations": 2},
    ),
)


def _unsaid(spots: str, word: str, *, profile: str = "offline", data: bytes = b"") -> Scene:
    """A scene of the blind spots that one word would have lifted."""
    first, *_ = ids = tuple(spots.split())
    return Scene(
        f"spot-{first}",
        f"all is asserted but `{word}`",
        data or written(quiet()),
        "INCONCLUSIVE",
        profile=profile,
        assertions=without(word),
        spots=ids,
    )


NEIGHBOURS = [
    one(ip("fe80::2", "ff02::16", icmp(143, rest=b"\0\0\0\1", payload=bytes(20)), ICMPV6)),
    *quiet(START_NS + SECOND_NS),
]

SPOTS_OF_RUN = (
    _unsaid("no-frames", "whole-run", profile="profiles/requires-nothing.yaml", data=written([])),
    _unsaid("start-unknown end-unknown", "whole-run", profile="profiles/requires-whole-run.yaml"),
    _unsaid("probes-missing", "whole-run", profile="profiles/requires-probes.yaml"),
    _unsaid("observation-unknown", "whole-run", profile="profiles/requires-observation.yaml"),
    _unsaid("environment-unknown", "exercised", profile="profiles/requires-nothing.yaml"),
    _unsaid("phases-unproven environment-unknown", "exercised"),
    _unsaid("owners-unknown host-sockets-unknown", "single-host"),
    _unsaid(
        "scope-without-owners owners-unknown host-sockets-unknown",
        "single-host",
        profile="profiles/process-tree.yaml",
    ),
    _unsaid(
        "kernel-packets owners-unknown host-sockets-unknown",
        "single-host",
        data=written(later(NEIGHBOURS)),
    ),
    _unsaid("drops-unknown", "no-drops"),
    _unsaid("interfaces-unknown attempts-unseen", "all-interfaces"),
    _unsaid("filter-unknown", "unfiltered"),
)
