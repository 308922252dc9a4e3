"""Sample audits, one for each verdict, as captures of real runs gave them; and their parts."""

from dataclasses import replace
from typing import Any

from egress_audit.addresses import Scope
from egress_audit.model.audit import (
    Assertion,
    Audit,
    BlindSpot,
    Direction,
    EvidenceItem,
    Finding,
    Frames,
    Kind,
    ListUsed,
    NameUse,
    Observation,
    OwnAddresses,
    Verdict,
)
from egress_audit.model.claim import Allow, Claim, Require
from egress_audit.model.destination import Absent, Confidence, Destination
from egress_audit.model.evidence import Coverage, Interface, Silence
from egress_audit.model.flow import EndReason, Flow, Name, NameSource

START_NS = 1_795_255_923_512_000_000
"""2026-11-21T10:12:03.512Z."""
SECOND_NS = 1_000_000_000
NOWHERE = Absent.NOT_APPLICABLE

OFFLINE = Claim(
    name="offline",
    statement="The program runs offline: it contacts nothing outside its own machine.",
    source="the plain claim, as makers and users of local software put it",
    allow=Allow(scopes=frozenset({Scope.LOOPBACK})),
    require=Require(phases=("load", "generate"), observe_ns=60 * SECOND_NS),
    holds_means="Within what was watched, nothing was sent, looked up or attempted beyond the "
    "machine itself.",
    holds_does_not_mean="That the program can never do so.",
)


def near(scope: Scope) -> Destination:
    """The destination of an address that no list is asked about."""
    return Destination(
        scope, NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE
    )


CLOUDFLARE = Destination(
    scope=Scope.GLOBAL,
    located="US",
    located_confidence=Confidence.NONE,
    located_alt=NOWHERE,
    registered="US",
    controlled="US",
    asn=13335,
    organisation="Cloudflare, Inc.",
    operator="Cloudflare",
    role="cdn",
)
ALIBABA = Destination(
    scope=Scope.GLOBAL,
    located="SG",
    located_confidence=Confidence.LOW,
    located_alt="CN",
    registered="SG",
    controlled="CN",
    asn=45102,
    organisation="Alibaba (US) Technology Co., Ltd.",
    operator="Alibaba Cloud",
    role="cloud",
)
UNKNOWN = Destination(
    scope=Scope.GLOBAL,
    located=Absent.NOT_FOUND,
    located_confidence=Absent.NOT_FOUND,
    located_alt=Absent.NOT_FOUND,
    registered=Absent.NOT_FOUND,
    controlled=Absent.NOT_FOUND,
    asn=Absent.NOT_FOUND,
    organisation=Absent.NOT_FOUND,
    operator=Absent.NOT_FOUND,
    role=Absent.NOT_FOUND,
)


def observation(identifier: int = 1, **changes: Any) -> Observation:
    """One TCP flow of ours to a documentation address, port 443, without a name."""
    plain: dict[str, Any] = {
        "id": identifier,
        "kind": Kind.CONTACT,
        "owner": Absent.NOT_FOUND,
        "direction": Direction.OUTBOUND,
        "far_h": "203.0.113.9",
        "far_p": 443,
        "proto": 6,
        "names": (),
        "destination": near(Scope.DOCUMENTATION),
        "phase": Absent.NOT_FOUND,
        "flows": 1,
        "tls_flows": 0,
        "pkts_out": 10,
        "pkts_in": 8,
        "ip_bytes_out": 1200,
        "ip_bytes_in": 5300,
        "first_ts_ns": START_NS,
        "last_ts_ns": START_NS + SECOND_NS,
        "frames": Frames((3,), 1),
        "conn_states": {"SF": 1},
        "questions": {},
        "resolvers": (),
        "answers": (),
        "answer_destinations": (),
        "rest_scopes": {},
    }
    return Observation(**(plain | changes))


def question(identifier: int, host: str, **changes: Any) -> Observation:
    """One A question for `host` to a resolver on the LAN, not answered."""
    asked: dict[str, Any] = {
        "kind": Kind.QUESTION,
        "far_h": NOWHERE,
        "far_p": NOWHERE,
        "proto": 17,
        "names": (NameUse(host, (NameSource.DNS_QUERY,)),),
        "destination": near(Scope.NAME),
        "conn_states": {},
        "questions": {"A": 1},
        "resolvers": ("10.77.0.1",),
    }
    return observation(identifier, **(asked | changes))


def blind_spot(identifier: str = "whole-run", **changes: Any) -> BlindSpot:
    """A material blind spot that one assertion would lift."""
    plain: dict[str, Any] = {
        "id": identifier,
        "message": "nothing says that the capture began before the program and ended after it",
        "count": 0,
        "material": True,
        "lifted_by": "whole-run",
        "lifted": False,
        "remedy": "record with `egress-audit run`, from before the start until after the exit",
    }
    return BlindSpot(**(plain | changes))


def interface(**changes: Any) -> Interface:
    """A raw IP interface of a classic pcap, which has no place for filter or drops."""
    plain: dict[str, Any] = {
        "index": 0,
        "section": 0,
        "name": Absent.NOT_FOUND,
        "linktype": 101,
        "linktype_name": "RAW",
        "snaplen": 262144,
        "capture_filter": Absent.NOT_FOUND,
        "drops": Absent.NOT_FOUND,
        "received": Absent.NOT_FOUND,
        "frames": 418,
    }
    return Interface(**(plain | changes))


def coverage(**changes: Any) -> Coverage:
    """418 frames of 57 flows in 47 seconds; the file does not say what was dropped."""
    plain: dict[str, Any] = {
        "frames": 418,
        "packets": 418,
        "no_destination": {},
        "undecoded": {},
        "partial": {},
        "truncated": 0,
        "drops": Absent.NOT_FOUND,
        "interfaces": (interface(),),
        "first_ts_ns": START_NS,
        "last_ts_ns": START_NS + 47 * SECOND_NS,
        "longest_silence": Silence(START_NS + 12 * SECOND_NS, 8 * SECOND_NS),
        "time_reversals": 0,
        "frames_without_time": 0,
        "damage": (),
        "skipped_blocks": {},
        "flows": 57,
        "flows_evicted": 0,
        "unread_heads": {},
        "hidden_names": {},
        "hidden_near": {},
        "tunnels": {},
        "names_dropped": 0,
        "one_way_flows": 0,
        "gap_flows": 0,
        "missed_bytes": 0,
        "conflicting_segments": 0,
        "probes": NOWHERE,
    }
    return Coverage(**(plain | changes))


SILENCE = coverage(
    frames=0,
    packets=0,
    interfaces=(interface(frames=0),),
    first_ts_ns=Absent.NOT_FOUND,
    last_ts_ns=Absent.NOT_FOUND,
    longest_silence=Absent.NOT_FOUND,
    flows=0,
)

ADDRESS_LIST = ListUsed(
    name="addresses",
    date="2026-06-01",
    sha256="21683c8e23d5e6456a79e48214df132e0ccb3d129fa19f406d37ef9040cf7681",
    licence="CC-BY-4.0",
    attribution="IP geolocation by DB-IP (https://db-ip.com), CC BY 4.0.",
)

ASKED_FRAMES = Frames((1, 2, 5, 6, *range(29, 45)), 38)
HELLO_FRAMES = Frames((7, *range(60, 250, 10)), 19)


def hub_lookup() -> Audit:
    """VIOLATED: a loader given a hub name asked for huggingface.co and connected to it."""
    host, sink = "huggingface.co", "198.18.0.2"
    contact = observation(
        1,
        far_h=sink,
        names=(NameUse(host, (NameSource.DNS_ANSWER, NameSource.TLS_SNI)),),
        destination=near(Scope.BENCHMARK),
        flows=19,
        tls_flows=19,
        pkts_out=171,
        pkts_in=171,
        ip_bytes_out=48_393,
        ip_bytes_in=9_063,
        frames=HELLO_FRAMES,
        conn_states={"RSTR": 19},
    )
    asked = question(
        2,
        host,
        flows=38,
        pkts_out=38,
        pkts_in=38,
        ip_bytes_out=2_280,
        ip_bytes_in=2_584,
        frames=ASKED_FRAMES,
        questions={"A": 19, "AAAA": 19},
        answers=(sink,),
        answer_destinations=(near(Scope.BENCHMARK),),
    )
    asked_for = f"asked for {host} (19 A and 19 AAAA questions)"
    opened = f"opened 19 TLS connections to {host} (198.18.0.2, port 443)"
    return Audit(
        rules_version=1,
        verdict=Verdict.VIOLATED,
        headline=f"This capture {asked_for} and opened 19 TLS connections to it.",
        subject="this capture",
        claim=OFFLINE,
        evidence=(EvidenceItem("9c" * 32, 67_240, "pcap", "little-endian, microseconds, 2.4"),),
        own_addresses=OwnAddresses("guessed", ("10.77.0.2/32",)),
        coverage=coverage(),
        findings=(
            Finding("EA001", opened, (1,), HELLO_FRAMES),
            Finding("EA002", asked_for, (2,), ASKED_FRAMES),
        ),
        blind_spots=(blind_spot(), own_address_guess()),
        assertions=(),
        observations=(contact, asked),
        lists=(ADDRESS_LIST,),
    )


def own_address_guess() -> BlindSpot:
    """A blind spot that stands between no claim and HOLDS."""
    return blind_spot(
        "own-addresses",
        message="which addresses are ours was guessed from who asked first",
        material=False,
        lifted_by=NOWHERE,
        remedy="give them with --local",
    )


def silent_capture() -> Audit:
    """INCONCLUSIVE: a valid header, no frames, and nothing that says why."""
    spots = (
        blind_spot(),
        blind_spot(
            "drops",
            message="the file does not say how many frames were lost",
            lifted_by="no-drops",
            remedy="record as pcapng, which counts them",
        ),
        blind_spot(
            "no-frames",
            message="the capture holds no frame: it cannot show that it would have seen one",
            lifted_by=NOWHERE,
            remedy="record again with probes",
        ),
    )
    return replace(
        hub_lookup(),
        verdict=Verdict.INCONCLUSIVE,
        headline="This capture shows no contradiction, and could not have shown every one: "
        "3 blind spots stand between silence and proof.",
        evidence=(EvidenceItem("e3" * 32, 24, "pcap", "little-endian, microseconds, 2.4"),),
        own_addresses=OwnAddresses("guessed", ()),
        coverage=SILENCE,
        findings=(),
        blind_spots=spots,
        observations=(),
        lists=(),
    )


def asserted_silence() -> Audit:
    """HOLDS: the same silence, with two assertions that lift every blind spot."""
    silent = silent_capture()
    lifted = tuple(replace(spot, material=False, lifted=True) for spot in silent.blind_spots[:2])
    sha256 = silent.evidence[0].sha256
    return replace(
        silent,
        verdict=Verdict.HOLDS,
        headline="HOLDS, on these assertions; 0 frames: the proof rests on what you assert",
        blind_spots=lifted,
        assertions=(
            Assertion(
                "whole-run",
                "the capture began before the program did and ended after its last process",
                "A. Auditor",
                "2026-11-21",
                Absent.NOT_FOUND,
                (sha256,),
            ),
            Assertion(
                "no-drops",
                "no frame was lost between the interface and the file",
                Absent.NOT_FOUND,
                Absent.NOT_FOUND,
                Absent.NOT_FOUND,
                (sha256,),
            ),
        ),
    )


def far_and_wide() -> Audit:
    """VIOLATED: every kind of destination that a table of destinations can hold."""
    audit = hub_lookup()
    others = (
        observation(3, far_h="104.18.32.7", destination=CLOUDFLARE, ip_bytes_out=3_180_555),
        observation(
            4,
            far_h="2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff",
            names=tuple(
                NameUse(f"cdn{number}.example.org", (NameSource.TLS_SNI,)) for number in range(4)
            ),
            destination=ALIBABA,
            ip_bytes_out=12_345_678_901,
            pkts_out=9_876_543,
        ),
        observation(5, far_h="45.9.0.1", proto=1, far_p=NOWHERE, destination=UNKNOWN),
        observation(6, far_h="127.0.0.1", far_p=8080, destination=near(Scope.LOOPBACK)),
        observation(
            7,
            far_h="192.168.1.7",
            far_p=NOWHERE,
            direction=Direction.INBOUND,
            destination=near(Scope.LAN),
        ),
        observation(
            8,
            kind=Kind.REST,
            far_h=NOWHERE,
            far_p=NOWHERE,
            proto=0,
            flows=1234,
            rest_scopes={Scope.GLOBAL: 1200, Scope.LAN: 34},
            destination=near(Scope.NAME),
        ),
        question(
            9,
            "tracker.example.net",
            answers=("104.18.32.7",),
            answer_destinations=(CLOUDFLARE,),
            resolvers=("8.8.8.8", "8.8.4.4"),
        ),
    )
    return replace(audit, observations=audit.observations + others)


def flow(**changes: Any) -> Flow:
    """A finished TLS flow of ours to port 443."""
    plain: dict[str, Any] = {
        "community_id": "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
        "proto": 6,
        "orig_h": "10.77.0.2",
        "orig_p": 40_000,
        "resp_h": "198.18.0.2",
        "resp_p": 443,
        "ts_ns": START_NS,
        "duration_ns": SECOND_NS,
        "orig_pkts": 9,
        "resp_pkts": 9,
        "orig_ip_bytes": 2_547,
        "resp_ip_bytes": 477,
        "conn_state": "SF",
        "history": "ShADadfF",
        "missed_bytes": 0,
        "local_orig": True,
        "local_resp": False,
        "direction_known": True,
        "end_reason": EndReason.END_OF_FLOW,
        "first_frame": 7,
        "last_frame": 24,
        "encap_depth": 0,
        "carrier": False,
    }
    return Flow(**(plain | changes))


HUB_NAME = Name("huggingface.co", NameSource.TLS_SNI, START_NS, 10)
