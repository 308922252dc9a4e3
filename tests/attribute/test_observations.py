"""Flows summed into rows: what belongs together is one row, and nothing is left out of the sum."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_network

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from egress_audit.addresses import SPECIAL_PURPOSE, Scope, scope_of
from egress_audit.attribute.directions import far_sides
from egress_audit.attribute.observations import Observing, Senders, surely_global
from egress_audit.attribute.own_addresses import sides_of
from egress_audit.attribute.owners import Owned
from egress_audit.attribute.sums import MAX_FRAMES
from egress_audit.model.audit import Direction, Kind, NameUse, Observation
from egress_audit.model.destination import Absent, Destination
from egress_audit.model.flow import NameSource
from tests.builders.captures import Frame, pcap, scripted, udp_exchange
from tests.builders.engine import run

OURS = "10.0.0.2"


def destination_of(address: str) -> Destination:
    """The scope of an address, and nothing else."""
    return Destination(scope_of(address), *(Absent.NOT_LOADED,) * 9)


def contacts(
    frames: list[Frame],
    *,
    names: dict[int, str] | None = None,
    tls: set[int] | None = None,
    limit: int = 10_000,
    ours: str = OURS,
) -> list[Observation]:
    """The rows of some frames; `names`: host of a flow, by its row."""
    flows = run(pcap(frames)).flows
    hosts = sorted(set((names or {}).values()))
    sets = [(), *((NameUse(host, (NameSource.TLS_SNI,)),) for host in hosts)]
    number = np.zeros(len(flows), np.int32)
    for row, host in (names or {}).items():
        number[row] = hosts.index(host) + 1
    far = far_sides(flows, sides_of(flows, [ip_network(ours)]))
    observing = Observing(flows, far, number, sets, tls or set(), destination_of, limit)
    return observing.contacts()


def sessions(count: int, *, far: str = "192.0.2.1", script: str = ">S <SA >A") -> list[Frame]:
    """Connections from as many ports of ours."""
    return [
        frame
        for port in range(count)
        for frame in scripted(script, (OURS, 40_000 + port), (far, 443))
    ]


def test_flows_to_the_same_end_are_one_row() -> None:
    (row,) = contacts(sessions(5))
    assert (row.kind, row.flows, row.far_h, row.far_p) == (Kind.CONTACT, 5, "192.0.2.1", 443)
    assert (row.pkts_out, row.pkts_in) == (10, 5)
    assert row.conn_states == {"S1": 5}


def test_another_address_is_another_row() -> None:
    assert len(contacts(sessions(1) + sessions(1, far="192.0.2.9"))) == 2


def test_another_port_is_another_row() -> None:
    other = scripted(">S", (OURS, 9), ("192.0.2.1", 80))
    assert len(contacts(sessions(1) + other)) == 2


def test_another_protocol_is_another_row() -> None:
    other = udp_exchange((OURS, 9), ("192.0.2.1", 443), b"x")
    assert len(contacts(sessions(1) + other)) == 2


def test_another_name_is_another_row() -> None:
    rows = contacts(sessions(2), names={0: "a.example", 1: "b.example"})
    assert [row.names[0].host for row in rows] == ["a.example", "b.example"]


def test_another_direction_is_another_row() -> None:
    inbound = scripted(">S <SA", ("192.0.2.1", 40000), (OURS, 443))
    directions = [row.direction for row in contacts(sessions(1) + inbound)]
    assert directions == [Direction.OUTBOUND, Direction.INBOUND]


def test_rows_stand_in_the_order_of_their_first_flow() -> None:
    rows = contacts(sessions(1, far="192.0.2.9") + sessions(1, far="192.0.2.1"))
    assert [row.far_h for row in rows] == ["192.0.2.9", "192.0.2.1"]


def test_the_frames_kept_are_the_first_and_the_total_is_of_all() -> None:
    (row,) = contacts(sessions(30))
    assert row.frames.first == tuple(range(1, 3 * MAX_FRAMES, 3))
    assert row.frames.total == 30


def test_flows_with_a_hello_are_counted() -> None:
    (row,) = contacts(sessions(3), tls={0, 2})
    assert row.tls_flows == 2


def test_bytes_and_times_are_summed() -> None:
    (row,) = contacts(udp_exchange((OURS, 9), ("192.0.2.1", 53), b"12", b"1", step_ns=5_000))
    assert (row.ip_bytes_out, row.ip_bytes_in) == (30, 29)
    assert row.last_ts_ns - row.first_ts_ns == 5_000


@pytest.mark.parametrize("limit", [1, 3, 9])
def test_rows_beyond_the_limit_are_summed_and_nothing_is_lost(limit: int) -> None:
    frames = [f for end in range(1, 21) for f in sessions(1, far=f"192.0.2.{end}")]
    rows = contacts(frames, limit=limit)
    assert [row.kind for row in rows] == [Kind.CONTACT] * limit + [Kind.REST]
    assert sum(row.flows for row in rows) == 20
    assert rows[-1].rest_scopes == {Scope.DOCUMENTATION: 20 - limit}


def test_up_to_the_limit_there_is_no_rest() -> None:
    assert [row.kind for row in contacts(sessions(1), limit=1)] == [Kind.CONTACT]


def test_of_too_many_those_that_stay_at_home_go_first() -> None:
    home = udp_exchange(("127.0.0.1", 9), ("127.0.0.1", 53), b"x")
    rows = contacts(home + sessions(1), limit=1)
    assert (rows[0].far_h, rows[1].kind) == ("192.0.2.1", Kind.REST)


def test_so_do_those_between_addresses_of_ours() -> None:
    home = udp_exchange((OURS, 9), ("10.0.0.3", 53), b"x")
    rows = contacts(home + sessions(1), limit=1, ours="10.0.0.0/24")
    assert (rows[0].far_h, rows[1].direction) == ("192.0.2.1", Direction.INTERNAL)


def test_what_never_left_an_address_is_a_row_of_its_own() -> None:
    frames = [
        *udp_exchange((OURS, 9), (OURS, 53), b"x"),
        *udp_exchange(("10.0.0.3", 9), (OURS, 53), b"x"),
    ]
    rows = contacts(frames, ours="10.0.0.0/24")
    assert [row.destination.scope for row in rows] == [Scope.LOOPBACK, Scope.LAN]


def test_of_what_is_not_kept_it_counts_as_loopback_and_nothing_else() -> None:
    frames = [f for port in (53, 54) for f in udp_exchange(("8.8.8.8", 9), ("8.8.8.8", port), b"x")]
    rows = contacts(frames, limit=1, ours="8.8.8.8")
    assert rows[-1].rest_scopes == {Scope.LOOPBACK: 1}


def test_no_flows_are_no_rows() -> None:
    assert contacts([]) == []


def test_no_flows_of_known_senders_are_no_rows() -> None:
    flows = run(pcap([])).flows
    none = np.zeros(0, np.int32)
    owned = Owned(none, none, (Absent.NOT_FOUND,), ())
    far = far_sides(flows, sides_of(flows, [ip_network(OURS)]))
    senders = Senders(owned, none, ())
    observing = Observing(flows, far, none, [()], set(), destination_of, 10, senders)
    assert observing.contacts() == []


def surely(addresses: Sequence[IPv4Address | IPv6Address]) -> list[bool]:
    """`surely_global` of some addresses."""
    low = (1 << 64) - 1
    version = np.array([address.version for address in addresses], np.uint8)
    hi = np.array([int(address) >> 64 for address in addresses], np.uint64)
    lo = np.array([int(address) & low for address in addresses], np.uint64)
    return [bool(sure) for sure in surely_global(version, hi, lo)]


@given(st.ip_addresses())
@example(IPv4Address("192.0.0.9"))
@example(IPv6Address("2002:a00:1::"))
@example(IPv6Address("2000::"))
@example(IPv6Address("3fff:1000::"))
def test_what_is_surely_global_is_global(address: IPv4Address | IPv6Address) -> None:
    assert not surely([address])[0] or scope_of(address) is Scope.GLOBAL


def test_nothing_in_a_special_range_is_surely_global() -> None:
    networks = [ip_network(prefix) for prefix, scope, _ in SPECIAL_PURPOSE]
    inside = [n[place] for n in networks if str(n) not in ("::/0", "2000::/3") for place in (0, -1)]
    assert surely(inside) == [False] * len(inside)


@pytest.mark.parametrize("text", ["1.1.1.1", "151.101.0.1", "2606:4700::1", "3ffe::1"])
def test_the_ordinary_world_is_surely_global(text: str) -> None:
    address = IPv4Address(text) if "." in text else IPv6Address(text)
    assert surely([address]) == [True]


def test_the_rest_is_counted_by_the_scope_of_each_far_end() -> None:
    ends = ("1.1.1.1", "192.0.2.1", "192.0.2.1", "203.0.113.1", "2606:4700::1", "198.18.0.1")
    frames = [
        frame
        for port, end in enumerate(ends)
        for frame in udp_exchange(("fd00::2" if ":" in end else OURS, port), (end, 53), b"x")
    ]
    rest = [row for row in contacts(frames, limit=0) if row.direction is Direction.OUTBOUND]
    scopes: dict[Scope, int] = {}
    for row in rest:
        for scope, count in row.rest_scopes.items():
            scopes[scope] = scopes.get(scope, 0) + count
    assert sum(scopes.values()) == sum(row.flows for row in rest)
    assert scopes[Scope.DOCUMENTATION] == 3
    assert scopes[Scope.BENCHMARK] == 1


def test_what_stays_at_one_address_of_ours_is_loopback_in_the_rest_too() -> None:
    itself = udp_exchange((OURS, 9), (OURS, 53), b"x")
    (rest,) = contacts(itself, limit=0)
    assert rest.rest_scopes == {Scope.LOOPBACK: 1}
