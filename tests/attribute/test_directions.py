"""The far side of each flow, and who began: the far side is judged, not the responder."""

from ipaddress import ip_network

import numpy as np
import pytest

from egress_audit.attribute.directions import DIRECTIONS, Far, far_sides
from egress_audit.attribute.own_addresses import sides_of
from egress_audit.model.audit import Direction
from tests.builders.captures import Frame, icmp, ip, pcap, scripted, udp, udp_exchange
from tests.builders.engine import run

OURS, STRANGER = "10.0.0.2", "192.0.2.1"


def far_of(frames: list[Frame], linktype: int = 1, ours: str = OURS) -> Far:
    """The far sides of the flows in some frames."""
    flows = run(pcap(frames, linktype)).flows
    return far_sides(flows, sides_of(flows, [ip_network(ours)]))


def direction_of(far: Far, row: int = 0) -> Direction:
    """The direction of one flow."""
    return DIRECTIONS[int(far.direction[row])]


@pytest.mark.parametrize(
    ("client", "server", "script", "direction"),
    [
        (OURS, STRANGER, ">S <SA >A", Direction.OUTBOUND),
        (STRANGER, OURS, ">S <SA >A", Direction.INBOUND),
        (STRANGER, OURS, ">S >S", Direction.RECEIVED),
        (STRANGER, OURS, "<A >A", Direction.OUTBOUND),
        (STRANGER, OURS, ">S <S", Direction.OUTBOUND),
        (OURS, STRANGER, "<SA", Direction.RECEIVED),
        (OURS, OURS, ">S <SA", Direction.INTERNAL),
        (STRANGER, "192.0.2.9", ">S <SA", Direction.OUTBOUND),
    ],
    ids=[
        "ours began it",
        "the far side began it and we answered",
        "the far side began it and we kept silent",
        "nobody saw the beginning",
        "both began it at once",
        "only their answer is there",
        "both ends are ours",
        "neither end is ours",
    ],
)
def test_who_began_decides_the_direction(
    client: str, server: str, script: str, direction: Direction
) -> None:
    assert direction_of(far_of(scripted(script, (client, 40000), (server, 443)))) is direction


def from_outside(script: str) -> Far:
    """The far side of a flow between addresses of ours that somebody beyond is known to begin."""
    flows = run(pcap(scripted(script, (OURS, 40000), (OURS, 443)))).flows
    sides = sides_of(flows, [ip_network(OURS)], "recorded")
    return far_sides(flows, sides, np.ones(len(flows), np.bool_))


@pytest.mark.parametrize(
    ("script", "direction"),
    [
        (">S <SA >A", Direction.INBOUND),
        (">S <R", Direction.INBOUND),
        (">S", Direction.RECEIVED),
    ],
)
def test_what_somebody_beyond_began_between_ours_is_inbound(
    script: str, direction: Direction
) -> None:
    assert direction_of(from_outside(script)) is direction


def test_of_such_a_flow_ours_is_the_responder_and_it_stayed_on_the_machine() -> None:
    far = from_outside(">S <SA >A")
    assert (far.pkts_out.tolist(), far.pkts_in.tolist()) == ([1], [2])
    assert (far.near_is_orig.tolist(), far.itself.tolist()) == ([False], [True])


def test_the_far_side_may_be_the_originator() -> None:
    far = far_of(scripted(">S <SA", (STRANGER, 40000), (OURS, 443)))
    assert far.lo.tolist() == [0xC0000201]


def test_the_port_of_a_far_client_is_nobodys_business() -> None:
    far = far_of(scripted(">S <SA", (STRANGER, 40000), (OURS, 443)))
    assert (far.port.tolist(), far.has_port.tolist()) == ([0], [False])


def test_the_port_of_a_far_server_is() -> None:
    far = far_of(scripted(">S <SA", (OURS, 40000), (STRANGER, 443)))
    assert (far.port.tolist(), far.has_port.tolist()) == ([443], [True])


def test_out_is_what_went_to_the_far_side_whoever_began() -> None:
    far = far_of(scripted(">S <SA >A", (STRANGER, 40000), (OURS, 443)))
    assert (far.pkts_out.tolist(), far.pkts_in.tolist()) == ([1], [2])


def test_an_icmp_type_stands_where_a_port_would() -> None:
    far = far_of([Frame(0, ip(OURS, STRANGER, icmp(8), 1))], 101)
    assert (far.port.tolist(), far.has_port.tolist()) == ([8], [True])


@pytest.mark.parametrize(("kind", "direction"), [(9, Direction.OUTBOUND), (13, Direction.INBOUND)])
def test_whoever_is_told_what_it_asks_for_next_has_begun(kind: int, direction: Direction) -> None:
    asks = {9: 10, 13: 14}[kind]
    frames = [
        Frame(0, ip(STRANGER, OURS, icmp(kind), 1)),
        Frame(0, ip(OURS, STRANGER, icmp(asks), 1)),
    ]
    assert direction_of(far_of(frames, 101)) is direction


def unreachable(sender: str, receiver: str, kind: int = 3, size: int = 0) -> Frame:
    """An ICMP error with so many bytes."""
    return Frame(0, ip(sender, receiver, icmp(kind, 3, bytes(size)), 1))


def test_our_error_to_one_who_spoke_first_is_an_answer() -> None:
    probe = Frame(0, ip(STRANGER, OURS, udp(40000, 9999), 17))
    far = far_of([probe, unreachable(OURS, STRANGER)], 101)
    assert direction_of(far, 1) is Direction.INBOUND


def test_our_error_to_one_who_never_spoke_is_egress() -> None:
    assert direction_of(far_of([unreachable(OURS, STRANGER)], 101)) is Direction.OUTBOUND


@pytest.mark.parametrize(
    ("size", "direction"), [(548, Direction.INBOUND), (549, Direction.OUTBOUND)]
)
def test_an_answer_is_no_longer_than_an_error_may_be(size: int, direction: Direction) -> None:
    probe = Frame(0, ip(STRANGER, OURS, udp(40000, 9999), 17))
    assert (
        direction_of(far_of([probe, unreachable(OURS, STRANGER, size=size)], 101), 1) is direction
    )


def test_one_packet_is_answered_by_one_error() -> None:
    probe = Frame(0, ip(STRANGER, OURS, udp(40000, 9999), 17))
    errors = [unreachable(OURS, STRANGER, kind) for kind in (3, 11)]
    far = far_of([probe, *errors], 101)
    assert [direction_of(far, row) for row in (1, 2)] == [Direction.INBOUND, Direction.OUTBOUND]


def test_what_was_answered_otherwise_is_not_answered_by_an_error_too() -> None:
    asked = Frame(0, ip(STRANGER, OURS, udp(40000, 9999), 17))
    answered = Frame(0, ip(OURS, STRANGER, udp(9999, 40000), 17))
    far = far_of([asked, answered, unreachable(OURS, STRANGER)], 101)
    assert direction_of(far, 1) is Direction.OUTBOUND


def test_our_error_to_one_whom_we_addressed_first_is_egress() -> None:
    frames = [Frame(0, ip(OURS, STRANGER, udp(40000, 53), 17)), unreachable(OURS, STRANGER)]
    assert direction_of(far_of(frames, 101), 1) is Direction.OUTBOUND


def test_our_echo_to_one_who_spoke_first_is_egress_all_the_same() -> None:
    probe = Frame(0, ip(STRANGER, OURS, udp(40000, 9999), 17))
    far = far_of([probe, Frame(0, ip(OURS, STRANGER, icmp(8), 1))], 101)
    assert direction_of(far, 1) is Direction.OUTBOUND


def test_a_flow_from_an_address_of_ours_to_itself_never_left() -> None:
    assert far_of(udp_exchange((OURS, 1), (OURS, 2), b"x")).itself.tolist() == [True]


def test_a_flow_between_two_addresses_of_ours_may_have() -> None:
    frames = udp_exchange((OURS, 1), ("10.0.0.3", 2), b"x")
    assert far_of(frames, ours="10.0.0.0/24").itself.tolist() == [False]


@pytest.mark.parametrize("ours_began", [True, False])
def test_of_a_flow_with_somebody_else_one_side_is_ours(ours_began: bool) -> None:
    first, second = (OURS, STRANGER) if ours_began else (STRANGER, OURS)
    far = far_of(udp_exchange((first, 5399), (second, 5400), b"x", b"y"))
    assert (far.is_ours(0, by_orig=True), far.is_ours(0, by_orig=False)) == (
        *(ours_began, not ours_began),
    )


def test_between_two_addresses_of_ours_both_sides_are() -> None:
    far = far_of(udp_exchange(("127.0.0.1", 5399), ("127.0.0.1", 5400), b"x", b"y"))
    assert far.is_ours(0, by_orig=True)
    assert far.is_ours(0, by_orig=False)


def test_where_it_is_only_a_guess_which_side_is_ours_either_may_be() -> None:
    flows = run(pcap(udp_exchange(("10.0.0.2", 5399), ("10.0.0.1", 5400), b"x", b"y"))).flows
    guessed, given = sides_of(flows, []), sides_of(flows, [ip_network("10.0.0.2/32")])
    said = [far_sides(flows, sides).is_ours(0, by_orig=False) for sides in (guessed, given)]
    assert said == [True, False]
