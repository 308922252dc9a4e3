"""Which addresses are ours: given, or guessed, and never one that nobody can own."""

from ipaddress import ip_network

import numpy as np
import pytest

from egress_audit.attribute.own_addresses import Sides, foreign_flows, inside, sides_of
from egress_audit.columns import U64, is_loopback
from egress_audit.model.protocols import ICMP, ICMPV6
from tests.builders.captures import UDP, Frame, ethernet, icmp, ip, pcap, udp, udp_exchange
from tests.builders.engine import decoded, run


def sides(frames: list[Frame], *given: str) -> Sides:
    """Which ends of the flows are ours."""
    return sides_of(run(pcap(frames)).flows, [ip_network(text) for text in given])


def asked(*pairs: tuple[str, str]) -> list[Frame]:
    """A question from each first address to each second one."""
    return [
        frame
        for port, (near, far) in enumerate(pairs, 40_000)
        for frame in udp_exchange((near, port), (far, 53), b"?")
    ]


def test_what_is_given_is_ours() -> None:
    found = sides(asked(("10.0.0.2", "192.0.2.1")), "192.0.2.0/24")
    assert (found.local_orig.tolist(), found.local_resp.tolist()) == ([False], [True])
    assert (found.own.how, found.own.prefixes) == ("given", ("192.0.2.0/24",))


def test_who_speaks_to_addresses_further_out_is_guessed_to_be_us() -> None:
    found = sides(asked(("10.0.0.2", "192.0.2.1"), ("10.0.0.2", "192.0.2.9")))
    assert found.local_orig.tolist() == [True, True]
    assert (found.own.how, found.own.prefixes) == ("guessed", ("10.0.0.2",))


def test_of_equally_near_ends_the_one_who_began_is_guessed() -> None:
    found = sides(asked(("192.0.2.9", "192.0.2.2")))
    assert found.own.prefixes == ("192.0.2.9",)


def test_of_equally_near_ends_the_busier_one_is_guessed() -> None:
    found = sides(asked(("192.0.2.9", "192.0.2.2"), ("192.0.2.8", "192.0.2.2")))
    assert found.own.prefixes == ("192.0.2.2",)


def test_the_nearer_end_is_ours_whoever_began() -> None:
    found = sides(asked(("192.0.2.9", "10.0.0.2")))
    assert (found.local_orig.tolist(), found.local_resp.tolist()) == ([False], [True])


def told(sender: str, receiver: str, kind: int, proto: int = ICMPV6) -> Frame:
    """An ICMP message."""
    return Frame(0, ethernet(ip(sender, receiver, icmp(kind), proto)))


@pytest.mark.parametrize(
    ("sender", "receiver", "proto", "kind"),
    [
        ("fd00::1", "fd00::2", ICMPV6, 136),
        ("10.0.0.1", "10.0.0.2", ICMP, 3),
        ("10.0.0.1", "10.0.0.2", ICMP, 0),
    ],
)
def test_of_an_answer_alone_the_receiver_is_guessed_who_must_have_asked(
    sender: str, receiver: str, proto: int, kind: int
) -> None:
    assert sides([told(sender, receiver, kind, proto)]).own.prefixes == (receiver,)


@pytest.mark.parametrize(("proto", "kind"), [(ICMPV6, 135), (ICMP, 8)])
def test_of_a_question_alone_the_sender_is_guessed(proto: int, kind: int) -> None:
    sender, receiver = ("fd00::1", "fd00::2") if proto == ICMPV6 else ("10.0.0.1", "10.0.0.2")
    assert sides([told(sender, receiver, kind, proto)]).own.prefixes == (sender,)


def test_an_answer_is_ours_if_we_began_everything_else() -> None:
    error = told("10.0.0.2", "10.0.0.1", 3, ICMP)
    assert sides([*asked(("10.0.0.2", "10.0.0.1")), error]).own.prefixes == ("10.0.0.2",)


def test_a_far_end_that_everybody_talks_to_does_not_become_ours() -> None:
    found = sides(asked(("10.0.0.2", "192.0.2.1"), ("192.168.1.2", "192.0.2.1")))
    assert found.own.prefixes == ("10.0.0.2", "192.168.1.2")


def test_a_metadata_service_is_far_though_its_range_is_near() -> None:
    found = sides(asked(("10.0.0.2", "169.254.169.254"), ("10.0.0.3", "169.254.169.254")))
    assert found.local_resp.tolist() == [False, False]


@pytest.mark.parametrize(
    ("service", "near"),
    [
        ("fd00:ec2::254", ("fd00::2", "fd00::3")),
        ("100.100.100.200", ("100.64.0.2", "100.64.0.3")),
        ("168.63.129.16", ("192.0.2.2", "192.0.2.3")),
    ],
)
def test_so_is_one_among_addresses_of_its_own_kind(service: str, near: tuple[str, ...]) -> None:
    found = sides(asked(*[(address, service) for address in near]))
    assert found.local_orig.tolist() == [True, True]
    assert found.local_resp.tolist() == [False, False]


def test_who_has_no_address_yet_and_asks_everybody_is_nobody_known() -> None:
    found = sides(asked(("0.0.0.0", "255.255.255.255")))
    assert (found.local_orig.tolist(), found.own.prefixes) == ([False], ())


@pytest.mark.parametrize("never", ["224.0.0.251", "255.255.255.255", "127.0.0.1", "0.0.0.0"])
def test_an_address_that_nobody_can_own_is_never_guessed(never: str) -> None:
    found = sides(asked(("10.0.0.2", never), ("10.0.0.3", never), ("10.0.0.4", never)))
    assert never not in found.own.prefixes


def test_each_ip_version_is_guessed_by_itself() -> None:
    found = sides(asked(("10.0.0.2", "192.0.2.1"), ("2001:db8::2", "2001:db8::1")))
    assert found.own.prefixes == ("10.0.0.2", "2001:db8::2")


def test_loopback_is_ours_whatever_is_given() -> None:
    found = sides(asked(("127.0.0.1", "127.0.0.2")), "10.0.0.0/8")
    assert found.local_orig.tolist() == found.local_resp.tolist() == [True]


def test_no_flows_give_no_guess() -> None:
    assert sides([]).own.prefixes == ()


def numbers(*values: int) -> U64:
    """Halves of addresses."""
    return np.array(values, np.uint64)


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("10.0.0.0/8", True),
        ("10.1.2.3/32", True),
        ("10.1.2.4/32", False),
        ("0.0.0.0/0", True),
        ("::/0", False),
    ],
)
def test_a_prefix_holds_what_it_holds(prefix: str, found: bool) -> None:
    version = np.array([4], np.uint8)
    assert inside(ip_network(prefix), version, numbers(0), numbers(0x0A010203)).tolist() == [found]


@pytest.mark.parametrize(
    ("prefix", "found"),
    [("2001:db8::/32", True), ("2001:db8::2/128", True), ("2001:db8::3/128", False)],
)
def test_a_prefix_of_the_longer_addresses_holds_what_it_holds(prefix: str, found: bool) -> None:
    address = numbers(0x20010DB8 << 32), numbers(2)
    assert inside(ip_network(prefix), np.array([6], np.uint8), *address).tolist() == [found]


def test_loopback_is_a_block_in_one_version_and_an_address_in_the_other() -> None:
    version = np.array([4, 4, 6, 6, 4], np.uint8)
    low = numbers(0x7F000001, 0x7FFFFFFF, 1, 2, 1)
    found = is_loopback(version, numbers(0, 0, 0, 0, 0), low)
    assert found.tolist() == [True, True, True, False, False]


def test_loopback_mapped_into_the_longer_addresses_is_loopback() -> None:
    low = numbers(0xFFFF_7F00_0001, 0xFFFF_0A00_0001)
    found = is_loopback(np.array([6, 6], np.uint8), numbers(0, 0), low)
    assert found.tolist() == [True, False]


@pytest.mark.parametrize(("given", "foreign"), [(["10.0.0.2"], 1), (["10.0.0.2", "10.9.0.1"], 0)])
def test_a_flow_inside_of_our_tunnel_is_foreign_until_its_address_is_given(
    given: list[str], foreign: int
) -> None:
    inner = ip("10.9.0.1", "198.51.100.7", udp(1, 2), UDP)
    flows = decoded(pcap([Frame(0, ip("10.0.0.2", "192.0.2.1", inner, 4))], 101)).flows
    assert foreign_flows(flows, sides_of(flows, [ip_network(text) for text in given])) == foreign


def test_with_guessed_addresses_it_is_judged_by_its_end_further_out() -> None:
    inner = ip("10.9.0.1", "198.51.100.7", udp(1, 2), UDP)
    flows = decoded(pcap([Frame(0, ip("10.0.0.2", "192.0.2.1", inner, 4))], 101)).flows
    assert sides_of(flows, []).local_orig.tolist() == [True, True]


@pytest.mark.parametrize(
    ("far", "given", "unsure"),
    [
        ("10.0.0.1", [], True),
        ("9.9.9.9", [], False),
        ("10.0.0.1", ["10.0.0.2/32"], False),
        ("10.0.0.1", ["10.0.0.3/32"], True),
    ],
)
def test_which_end_is_ours_is_unsure_where_it_is_a_guess_or_none_is(
    far: str, given: list[str], unsure: bool
) -> None:
    frames = udp_exchange(("10.0.0.2", 5399), (far, 5400), b"x")
    assert sides(frames, *given).unsure.tolist() == [unsure]


@pytest.mark.parametrize(
    ("ends", "foreign"),
    [
        (("192.168.1.2", "100.64.0.1"), 1),
        (("100.64.0.1", "192.168.1.2"), 1),
        (("192.168.1.2", "9.9.9.9"), 1),
        (("192.168.1.2", "192.168.1.3"), 0),
        (("10.0.0.2", "9.9.9.9"), 0),
    ],
)
def test_a_flow_of_others_is_foreign_if_it_leads_beyond_the_local_network(
    ends: tuple[str, str], foreign: int
) -> None:
    flows = run(pcap(asked(ends))).flows
    assert foreign_flows(flows, sides_of(flows, [ip_network("10.0.0.2")])) == foreign
    assert foreign_flows(flows, sides_of(flows, [ip_network("10.0.0.2")], "recorded")) == 0
