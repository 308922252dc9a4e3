"""The states and letters of Zeek, for every combination of flags and for scripted conversations."""

import os
from pathlib import Path

import pytest

from egress_audit.columns import CONN_STATES
from egress_audit.flows.tcp_state import (
    LETTERS,
    Side,
    datagram_conn_state,
    letter,
    tcp_conn_state,
)
from tests.builders.captures import pcap, scripted
from tests.builders.engine import flows_in

SHARED = os.environ.get("EGRESS_AUDIT_SHARED", "")
TRACES = Path(SHARED, "corpus", "captures")
CONVERSATIONS = [
    (">S", "S0", "S"),
    (">S >S", "S0", "S"),
    (">S <SA >A", "S1", "ShA"),
    (">S <SA >A >PAd <A", "S1", "ShADa"),
    (">S <SA >A >PAd <A <PAd >A >FA <FA >A", "SF", "ShADadFf"),
    (">S <SA >A <FA >FA <A", "SF", "ShAfFa"),
    (">S <RA", "REJ", "Sr"),
    (">S <SA >A >FA", "S2", "ShAF"),
    (">S <SA >A <FA", "S3", "ShAf"),
    (">S <SA >A >R", "RSTO", "ShAR"),
    (">S <SA >A <R", "RSTR", "ShAr"),
    (">S <SA >A >FA >R", "RSTO", "ShAFR"),
    (">S <SA >A >FA >R <FA", "SF", "ShAFRf"),
    (">S <A >R <R", "REJ", "SaRr"),
    (">S <SA >A >PAd >R <R", "RSTR", "ShADRr"),
    (">S >R", "RSTOS0", "SR"),
    (">S <A >R", "RSTOS0", "SaR"),
    (">S <A >F >R", "OTH", "SaFR"),
    (">R", "OTH", "R"),
    ("<SA <R", "RSTRH", "^hr"),
    ("<SA <FA", "SHR", "^hf"),
    ("<SA >A", "S1", "^hA"),
    (">S >F", "SH", "SF"),
    (">PAd <A", "OTH", "Da"),
    ("<PAd >A", "OTH", "^dA"),
    ("<A >A", "OTH", "^aA"),
    (">S <SA >FR", "RSTO", "ShI"),
    (">S <SA >SF", "S2", "ShQ"),
]


@pytest.mark.parametrize(("script", "state", "history"), CONVERSATIONS)
def test_a_conversation_has_zeeks_state_and_history(script: str, state: str, history: str) -> None:
    (flow,) = flows_in(pcap(scripted(script)))
    assert (flow.conn_state, flow.history) == (state, history)


def test_the_conversations_end_in_every_state_there_is() -> None:
    assert {state for _, state, _ in CONVERSATIONS} == set(CONN_STATES)


@pytest.mark.skipif(not SHARED, reason="no corpus on this machine")
@pytest.mark.parametrize(
    ("trace", "state", "history"),
    [("syn-then-ack-then-rst", "RSTOS0", "SaR"), ("syn-then-stuff-then-rst", "OTH", "SaFR")],
)
def test_zeeks_own_traces_give_zeeks_own_words(trace: str, state: str, history: str) -> None:
    (path,) = TRACES.glob(f"zeek__*__{trace}.pcap")
    (flow,) = flows_in(path.read_bytes())
    assert (flow.conn_state, flow.history) == (state, history)


@pytest.mark.parametrize(
    ("flags", "payload", "expected"),
    [
        (0x02, False, "s"),
        (0x12, False, "h"),
        (0x10, False, "a"),
        (0x10, True, "d"),
        (0x18, True, "d"),
        (0x11, True, "f"),
        (0x14, False, "r"),
        (0x05, False, "i"),
        (0x03, False, "q"),
        (0x06, False, "q"),
        (0x00, False, ""),
        (0x00, True, "d"),
    ],
)
def test_every_kind_of_packet_has_its_letter(flags: int, payload: bool, expected: str) -> None:
    assert letter(flags, payload) == LETTERS[flags | payload << 8] == expected


def test_a_reset_of_both_sides_without_a_byte_is_a_refusal() -> None:
    assert tcp_conn_state(Side.RESET, Side.RESET, payload=False) == "REJ"


def test_a_reset_of_both_sides_after_data_is_the_responders() -> None:
    assert tcp_conn_state(Side.RESET, Side.RESET, payload=True) == "RSTR"


@pytest.mark.parametrize(
    ("proto", "orig", "resp", "state"),
    [(17, 1, 0, "S0"), (17, 1, 1, "SF"), (17, 0, 1, "SHR"), (1, 1, 1, "OTH"), (132, 1, 0, "OTH")],
)
def test_a_datagram_flow_is_judged_by_who_spoke(
    proto: int, orig: int, resp: int, state: str
) -> None:
    assert datagram_conn_state(proto, orig, resp) == state
