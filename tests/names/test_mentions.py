"""Names said in flows: which are kept, in which order, and that what is not kept is counted."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.model.flow import Name, NameSource
from egress_audit.names import mentions
from egress_audit.names.mentions import MAX_NAMES_PER_FLOW, SOURCES, Mentions

SNI = NameSource.TLS_SNI


def sni(host: str, frame: int = 1, *, outer: bool = False) -> Name:
    return Name(host, SNI, frame * 10, frame, outer)


def test_a_flow_has_the_names_spoken_in_it() -> None:
    names = Mentions()
    names.add(7, sni("a.example"))
    names.add(7, sni("b.example"))
    assert names.of(7) == (sni("a.example"), sni("b.example"))
    assert names.of(8) == ()


def test_the_first_of_the_same_name_and_source_is_kept() -> None:
    names = Mentions()
    names.add(7, sni("a.example", frame=1))
    names.add(7, sni("a.example", frame=2))
    assert names.of(7) == (sni("a.example", frame=1),)
    assert names.dropped == 0


def test_the_same_name_from_another_source_is_kept_too() -> None:
    names = Mentions()
    names.add(7, sni("a.example"))
    names.add(7, Name("a.example", NameSource.HTTP_HOST, 0, 1))
    assert len(names.of(7)) == 2


def test_names_beyond_the_bound_of_a_flow_are_counted() -> None:
    names = Mentions()
    for number in range(MAX_NAMES_PER_FLOW + 3):
        names.add(7, sni(f"{number}.example"))
    assert len(names.of(7)) == MAX_NAMES_PER_FLOW
    assert names.dropped == 3


def test_flows_come_in_their_order_whichever_spoke_first() -> None:
    names = Mentions()
    for flow in (9, 3, 9, 5):
        names.add(flow, sni("a.example"))
    assert [flow for flow, _ in names.flows()] == [3, 5, 9]


def test_a_name_that_is_said_openly_is_no_outer_name_any_more() -> None:
    names = Mentions()
    for outer in (True, False, True):
        names.add(1, Name("a.example", NameSource.TLS_SNI, 1, 1, outer=outer))
    assert [name.outer for name in names.of(1)] == [False]


def test_names_beyond_the_bound_of_all_flows_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mentions, "MAX_NAMES", 2)
    names = Mentions()
    for flow in (1, 2, 3, 1):
        names.add(flow, sni("a.example"))
    assert [flow for flow, _ in names.flows()] == [1, 2]
    assert names.dropped == 1


NAMES = st.builds(
    Name,
    st.sampled_from(("a.example", "b.example", "c.example")),
    st.just(SNI),
    st.just(7),
    st.integers(1, 9),
    st.booleans(),
)
SAID = st.lists(st.tuples(st.integers(0, 4), NAMES), max_size=9)


def frames_apart(said: list[tuple[int, Name]]) -> list[tuple[int, Name]]:
    """The same, each in a frame of its own."""
    return [(flow, replace(name, frame=frame)) for frame, (flow, name) in enumerate(said)]


@given(SAID.map(frames_apart), st.randoms(use_true_random=False))
def test_what_is_kept_is_the_same_in_whatever_order_it_is_added(
    said: list[tuple[int, Name]], order: Random
) -> None:
    one, other = Mentions(), Mentions()
    for flow, name in said:
        one.add(flow, name)
    for flow, name in order.sample(said, len(said)):
        other.add(flow, name)
    assert [*one.flows()] == [*other.flows()]


@given(SAID, SAID)
def test_names_that_are_added_together_are_as_if_one_by_one(
    before: list[tuple[int, Name]], said: list[tuple[int, Name]]
) -> None:
    one, other = Mentions(), Mentions()
    for flow, name in [*before, *said]:
        one.add(flow, name)
    for flow, name in before:
        other.add(flow, name)
    fields = ([name.host, name.outer, name.frame, name.ts_ns] for _, name in said)
    hosts, outer, frames, ts_ns = zip(*fields, strict=True) if said else ((),) * 4
    other.add_each([flow for flow, _ in said], hosts, SNI, outer, frames, ts_ns)
    assert [*one.flows()] == [*other.flows()]


def test_where_hosts_were_said_is_in_the_order_of_flows_and_frames() -> None:
    names = Mentions()
    for flow, host, frame in ((2, "a", 4), (1, "b", 3), (2, "b", 2), (1, "c", 1)):
        names.add(flow, sni(host, frame))
    found = [(flow, name.host) for flow, name in names.saying({"a", "b", "d"})]
    assert found == [(1, "b"), (2, "b"), (2, "a")]


def test_flows_of_one_name_and_of_several_are_told_apart() -> None:
    names = Mentions()
    for flow, host in ((4, "a"), (2, "a"), (2, "b"), (1, "b")):
        names.add(flow, sni(host, outer=flow == 1))
    single = names.single()
    assert single.flow.tolist() == [4, 1]
    assert [names.hosts[host] for host in single.host] == ["a", "b"]
    assert [SOURCES[source] for source in single.source] == [SNI, SNI]
    assert (single.outer.tolist(), single.frame.tolist()) == ([0, 1], [1, 1])
    assert [flow for flow, _ in names.several()] == [2]
