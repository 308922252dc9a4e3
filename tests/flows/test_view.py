"""The finished table as columns, and a row of it as a flow."""

import pytest

from egress_audit.flows.community_id import community_id
from egress_audit.flows.view import flow_at
from egress_audit.model.destination import Absent
from tests.builders.captures import Frame, icmp, ip, ipv4, pcap, scripted, udp, udp_exchange
from tests.builders.engine import decoded, flows_in, run

ENDS = (bytes([10, 9, 0, 1]), bytes([198, 51, 100, 7]))
SESSION = ">S <SA >A >PAd <A <PAd >A >FA <FA >A"


def test_a_row_says_what_its_columns_say() -> None:
    (flow,) = flows_in(pcap(scripted(SESSION)))
    assert (flow.orig_h, flow.orig_p) == ("10.0.0.2", 40000)
    assert (flow.resp_h, flow.resp_p) == ("192.0.2.1", 443)
    assert (flow.orig_pkts, flow.resp_pkts, flow.proto) == (6, 4, 6)
    assert (flow.duration_ns, flow.missed_bytes) == (9_000_000, 0)


def test_the_far_end_is_the_one_that_is_not_ours() -> None:
    columns = run(pcap(scripted(SESSION))).flows
    assert flow_at(columns, 0, local_orig=True, local_resp=False).far_h == "192.0.2.1"
    assert flow_at(columns, 0, local_orig=False, local_resp=False).far_h is Absent.NOT_APPLICABLE


def test_ipv6_addresses_are_written_as_they_should_be() -> None:
    (flow,) = flows_in(pcap([Frame(0, ip("2001:db8::2", "ff02::fb", udp(5353, 5353), 17))], 101))
    assert (flow.orig_h, flow.resp_h) == ("2001:db8::2", "ff02::fb")


@pytest.mark.parametrize(
    ("script", "one_sided"),
    [
        (">S <SA >A", False),
        (">S >A", True),
        ("<SA <PAd", True),
        (">S", False),
        (">PAd", True),
        ("<R", True),
        ("<SA", True),
        (">S >S", False),
    ],
)
def test_a_connection_is_one_sided_if_one_side_acknowledges_what_nobody_saw(
    script: str, one_sided: bool
) -> None:
    assert run(pcap(scripted(script))).flows.one_sided.tolist() == [one_sided]


def test_a_question_without_an_answer_is_not_one_sided() -> None:
    frames = udp_exchange(("10.0.0.2", 40000), ("192.0.2.1", 53), b"?")
    assert run(pcap(frames)).flows.one_sided.tolist() == [False]


def test_an_answer_without_a_question_is() -> None:
    frames = udp_exchange(("192.0.2.1", 53), ("10.0.0.2", 40000), b"!")
    assert run(pcap(frames)).flows.one_sided.tolist() == [True]


@pytest.mark.parametrize(("kind", "one_sided"), [(0, True), (8, False), (3, False)])
def test_an_echo_reply_alone_is_one_sided(kind: int, one_sided: bool) -> None:
    frames = [Frame(0, ipv4("192.0.2.1", "10.0.0.2", icmp(kind), 1))]
    assert run(pcap(frames, 101)).flows.one_sided.tolist() == [one_sided]


def test_the_history_of_datagrams_says_who_sent_in_which_order() -> None:
    near, server = ("10.0.0.2", 40000), ("192.0.2.1", 53)
    both = flows_in(pcap(udp_exchange(near, server, b"?", b"!")))
    alone = flows_in(pcap(udp_exchange(near, server, b"?")))
    turned = flows_in(pcap(udp_exchange(server, near, b"!", b"?")))
    assert [flow.history for flow in (*both, *alone, *turned)] == ["Dd", "D", "^dD"]


def test_each_protocol_has_its_own_states() -> None:
    frames = [
        *scripted(">S <RA"),
        *udp_exchange(("10.0.0.2", 40000), ("192.0.2.1", 53), b"?", b"!"),
        *(Frame(0, b"\0" * 12 + b"\x08\0" + ipv4("10.0.0.2", "192.0.2.1", icmp(8), 1)),),
    ]
    assert [flow.conn_state for flow in flows_in(pcap(frames))] == ["REJ", "SF", "OTH"]


def test_no_flows_have_no_states() -> None:
    assert len(run(pcap([])).flows.conn_state) == 0


def test_a_flow_inside_of_a_tunnel_says_how_deep_and_its_tunnel_that_it_carries() -> None:
    inner = ip("10.9.0.1", "198.51.100.7", udp(1, 2), 17)
    columns = decoded(pcap([Frame(0, ip("10.0.0.2", "192.0.2.1", inner, 4))], 101)).flows
    flows = [flow_at(columns, row, local_orig=False, local_resp=False) for row in range(2)]
    assert [(flow.encap_depth, flow.carrier, flow.proto) for flow in flows] == [
        (0, True, 4),
        (1, False, 17),
    ]
    assert flows[1].community_id == community_id(17, *ENDS, 1, 2)
