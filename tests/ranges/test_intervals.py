"""Ranges: most specific first, side by side, and without what no list is asked for."""

from ipaddress import ip_address, ip_network
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from egress_audit.addresses import SPECIAL_PURPOSE, Scope, scope_of
from egress_audit.ranges.intervals import (
    IPV4_END,
    NOT_IN_A_LIST,
    Range,
    flattened,
    joined,
    no_place,
    prefixes,
    without,
)

RANGES = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 12), st.sampled_from("abc")).map(
        lambda row: (row[0], row[0] + row[1], row[2])
    ),
    max_size=12,
)


def said(rows: list[Range[str]], number: int) -> str | None:
    return next((value for first, last, value in rows if first <= number <= last), None)


def test_of_nested_ranges_the_inner_one_answers() -> None:
    assert flattened([(0, 9, "all"), (3, 5, "part")]) == [
        (0, 2, "all"),
        (3, 5, "part"),
        (6, 9, "all"),
    ]


def test_a_part_that_was_joined_to_its_neighbour_still_answers() -> None:
    assert flattened([(0, 9, "JP"), (8, 40, "US")]) == [(0, 7, "JP"), (8, 40, "US")]


def test_of_equal_ranges_the_first_answers() -> None:
    assert flattened([(0, 9, "first"), (0, 9, "second")]) == [(0, 9, "first")]


def test_neighbours_that_say_the_same_are_one() -> None:
    assert flattened([(5, 9, "a"), (0, 4, "a")]) == [(0, 9, "a")]


def test_ipv4_and_ipv6_are_no_neighbours() -> None:
    assert len(flattened([(0, IPV4_END - 1, "a"), (IPV4_END, IPV4_END, "a")])) == 2


@given(RANGES)
def test_flattened_ranges_ascend_without_overlap(rows: list[Range[str]]) -> None:
    flat = flattened(rows)
    assert all(first <= last for first, last, _ in flat)
    assert all(one[1] < other[0] for one, other in pairwise(flat))


@given(RANGES)
def test_every_address_keeps_the_answer_of_the_range_that_begins_last(
    rows: list[Range[str]],
) -> None:
    flat = flattened(rows)
    for number in range(75):
        holding = [
            (-first, last, order, value)
            for order, (first, last, value) in enumerate(rows)
            if first <= number <= last
        ]
        assert said(flat, number) == (min(holding)[3] if holding else None)


@given(RANGES, RANGES)
def test_joined_lists_say_of_every_address_what_each_says(
    left: list[Range[str]], right: list[Range[str]]
) -> None:
    layers = [flattened(left), flattened(right)]
    side_by_side = list(joined(layers))
    for number in range(75):
        found = next((both for a, b, both in side_by_side if a <= number <= b), (None, None))
        assert found == tuple(said(layer, number) for layer in layers)


@given(RANGES, RANGES)
def test_nothing_is_left_in_the_holes_and_nothing_lost_beside_them(
    rows: list[Range[str]], holes: list[Range[str]]
) -> None:
    flat, empty = flattened(rows), flattened((a, b, "x") for a, b, _ in holes)
    left = without(flat, [(a, b, None) for a, b, _ in empty])
    for number in range(75):
        assert said(left, number) == (None if said(empty, number) else said(flat, number))


def test_no_list_is_kept_for_special_purpose_addresses() -> None:
    holes = no_place()
    for prefix, scope, _ in SPECIAL_PURPOSE:
        network = ip_network(prefix)
        if network.version == 6 and int(network[0]) < IPV4_END:
            continue  # in an MMDB these are the numbers of IPv4
        hidden = any(a <= int(network[0]) <= b for a, b, _ in holes)
        assert hidden is (scope is not Scope.GLOBAL or prefix in NOT_IN_A_LIST), prefix


def test_6to4_is_looked_up_by_the_address_it_carries() -> None:
    assert any(a <= int(ip_address("2002:808:808::1")) <= b for a, b, _ in no_place())
    assert scope_of("2002:808:808::1") is Scope.GLOBAL


@given(st.integers(0, 2**128 - 1), st.integers(0, 2**128 - 1))
def test_prefixes_make_up_their_range(one: int, other: int) -> None:
    first, last = sorted((one, other))
    at = first
    for number, free in prefixes(first, last):
        assert number == at and number % (1 << free) == 0
        at += 1 << free
    assert at == last + 1
