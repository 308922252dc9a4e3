"""Parts of sample audits: each the most ordinary of its kind, changed by keyword."""

from typing import Any

from egress_audit.addresses import Scope
from egress_audit.model.audit import (
    BlindSpot,
    Direction,
    Frames,
    Kind,
    NameUse,
    Observation,
)
from egress_audit.model.destination import Absent, Confidence, Destination
from egress_audit.model.evidence import Coverage, Interface, Silence
from egress_audit.model.flow import EndReason, Flow, Name, NameSource

START_NS = 1_795_255_923_512_000_000
"""2026-11-21T10:12:03.512Z."""
SECOND_NS = 1_000_000_000
NOWHERE = Absent.NOT_APPLICABLE


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
    role="cdn-front",
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
        "duplicates": 0,
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
        "unprompted_errors": 0,
        "foreign_flows": 0,
        "loopback_on_wire": 0,
        "gap_flows": 0,
        "missed_bytes": 0,
        "conflicting_segments": 0,
        "probes": NOWHERE,
    }
    return Coverage(**(plain | changes))


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
