"""Sample audits, one for each verdict, as captures of real runs gave them."""

from dataclasses import replace

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
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import Recording
from egress_audit.model.flow import NameSource
from egress_audit.model.run import Run

from .audit_parts import (
    ALIBABA,
    CLOUDFLARE,
    NOWHERE,
    SECOND_NS,
    UNKNOWN,
    blind_spot,
    coverage,
    interface,
    near,
    observation,
    question,
)
from .runs import RECORDED, run

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
        pkts_in=0,
        ip_bytes_out=0,
        ip_bytes_in=0,
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


def run_at_home(
    recorded: Run | None = None, *rows: Observation, recording: Recording | None = None
) -> Audit:
    """HOLDS: a program that was run by us, watched to its end, and did nothing."""
    ledger = RECORDED | {"recording": recording or RECORDED["recording"]}
    return replace(
        silent_capture(),
        verdict=Verdict.HOLDS,
        headline="the program was watched for 60.0 s, and nothing contradicts it",
        subject="the program",
        own_addresses=OwnAddresses("recorded", ("10.87.0.2/32",)),
        coverage=coverage(**(ledger | {"phases": ("run",)})),
        blind_spots=(),
        observations=rows,
        run=recorded or run(),
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
