"""ICMP messages that answer are told from those that begin something."""

import pytest

from egress_audit.attribute.icmp import is_icmp_answer, is_icmp_error
from egress_audit.columns import FlowColumns
from egress_audit.model.protocols import ICMP, ICMPV6
from tests.builders.captures import Frame, icmp, ip, pcap
from tests.builders.engine import decoded


def flow(proto: int, kind: int) -> FlowColumns:
    """One message as a flow."""
    ends = ("10.0.0.1", "10.0.0.2") if proto == ICMP else ("fd00::1", "fd00::2")
    return decoded(pcap([Frame(0, ip(*ends, icmp(kind), proto))], 101)).flows


@pytest.mark.parametrize(("proto", "kind"), [(ICMP, 0), (ICMPV6, 129), (ICMPV6, 136)])
def test_replies_and_advertisements_answer(proto: int, kind: int) -> None:
    assert is_icmp_answer(flow(proto, kind)).tolist() == [True]


@pytest.mark.parametrize(("proto", "kind"), [(ICMP, 8), (ICMPV6, 128), (ICMPV6, 135), (17, 0)])
def test_questions_do_not(proto: int, kind: int) -> None:
    assert is_icmp_answer(flow(proto, kind)).tolist() == [False]


@pytest.mark.parametrize(("proto", "kind"), [(ICMP, 3), (ICMP, 11), (ICMPV6, 1), (ICMPV6, 4)])
def test_errors_quote_what_they_answer(proto: int, kind: int) -> None:
    assert is_icmp_error(flow(proto, kind)).tolist() == [True]


@pytest.mark.parametrize(("proto", "kind"), [(ICMP, 5), (ICMP, 0), (ICMPV6, 136), (17, 3)])
def test_other_messages_are_no_errors(proto: int, kind: int) -> None:
    assert is_icmp_error(flow(proto, kind)).tolist() == [False]
