"""The names of a flow: said in it, leading to its far end, or recorded by the file's writer."""

from dataclasses import replace
from ipaddress import ip_address

import numpy as np

from egress_audit.model.audit import NameUse
from egress_audit.model.evidence import HostRecord
from egress_audit.model.flow import Name, NameSource
from egress_audit.names.flow_names import MAX_HOSTS_OF_FLOW, MAX_RECORDED, FarEnds, FlowNames
from egress_audit.names.table import NameTable
from tests.builders.work import steps_of

FAR = ("192.0.2.1", "2001:db8::1", "192.0.2.9")
SNI, ANSWERED, RECORDED = NameSource.TLS_SNI, NameSource.DNS_ANSWER, NameSource.PCAPNG_NRB


def ends(*far: str, ts_ns: int = 5_000) -> FarEnds:
    """Flows to some addresses, all at one time."""
    numbers = [(ip_address(text).version, int(ip_address(text))) for text in far]
    return FarEnds(
        version=np.array([version for version, _ in numbers], np.uint8),
        hi=np.array([number >> 64 for _, number in numbers], np.uint64),
        lo=np.array([number & (1 << 64) - 1 for _, number in numbers], np.uint64),
        ts_ns=np.full(len(far), ts_ns, np.int64),
    )


def name(host: str, source: NameSource, ts_ns: int = 1_000) -> Name:
    """A name as it was spoken."""
    return Name(host, source, ts_ns, 1)


def test_what_was_said_comes_first_then_what_was_answered_then_what_was_recorded() -> None:
    table = NameTable()
    table.mentions.add(0, name("said.example", SNI))
    table.answer(FAR[0], name("answered.example", ANSWERED))
    names = FlowNames(table, ends(*FAR), [HostRecord(FAR[0], ("recorded.example",))])
    assert [(said.host, said.source) for said in names.of(0)] == [
        ("said.example", SNI),
        ("answered.example", ANSWERED),
        ("recorded.example", RECORDED),
    ]


def test_an_answer_that_came_after_the_flow_began_names_nothing() -> None:
    table = NameTable()
    table.answer(FAR[0], name("late.example", ANSWERED, 6_000))
    assert FlowNames(table, ends(*FAR)).of(0) == ()


def test_an_answer_for_another_address_names_nothing() -> None:
    table = NameTable()
    table.answer(FAR[2], name("other.example", ANSWERED))
    assert FlowNames(table, ends(*FAR)).of(0) == ()


def test_flows_with_the_same_names_share_their_set() -> None:
    table = NameTable()
    table.answer(FAR[0], name("a.example", ANSWERED))
    numbers, sets = FlowNames(table, ends(FAR[0], FAR[2], FAR[0])).far_names()
    assert numbers.tolist() == [1, 0, 1]
    assert sets == [(), (NameUse("a.example", (ANSWERED,)),)]


def test_a_host_known_in_two_ways_is_one_use() -> None:
    table = NameTable()
    table.mentions.add(0, name("a.example", SNI))
    table.answer(FAR[0], name("a.example", ANSWERED))
    _, sets = FlowNames(table, ends(*FAR)).far_names()
    assert sets[1] == (NameUse("a.example", (SNI, ANSWERED)),)


def test_a_question_asked_of_a_resolver_is_not_the_resolvers_name() -> None:
    table = NameTable()
    table.mentions.add(0, name("asked.example", NameSource.DNS_QUERY))
    names = FlowNames(table, ends(*FAR))
    assert [said.host for said in names.of(0)] == ["asked.example"]
    assert names.far_names()[0].tolist() == [0, 0, 0]


def test_a_longer_address_is_named_by_its_own_answers_only() -> None:
    table = NameTable()
    table.answer(FAR[1], name("six.example", ANSWERED))
    numbers, sets = FlowNames(table, ends(FAR[1], "2001:db8:0:9::1", "0.0.0.1")).far_names()
    assert numbers.tolist() == [1, 0, 0]
    assert len(sets) == 2


def test_two_records_of_one_address_add_up() -> None:
    records = [HostRecord(FAR[0], ("a.example",)), HostRecord(FAR[0], ("b.example",))]
    names = FlowNames(NameTable(), ends(*FAR), records)
    assert [said.host for said in names.of(0)] == ["a.example", "b.example"]


def test_flows_without_any_name_have_the_empty_set() -> None:
    numbers, sets = FlowNames(NameTable(), ends(*FAR)).far_names()
    assert (numbers.tolist(), sets) == ([0, 0, 0], [()])


def crowded(hosts: int = 1_024) -> NameTable:
    """Many hosts that share one address, one more with each nanosecond."""
    table = NameTable()
    for number in range(hosts):
        table.answer(FAR[0], name(f"h{number}.example", ANSWERED, number))
    return table


def test_a_flow_is_given_the_last_hosts_of_many_and_the_rest_is_counted() -> None:
    names = FlowNames(crowded(), ends(FAR[0], FAR[2]))
    numbers, sets = names.far_names()
    assert numbers.tolist() == [1, 0]
    last = range(1_023, 1_023 - MAX_HOSTS_OF_FLOW, -1)
    assert [use.host for use in sets[1]] == [f"h{n}.example" for n in last]
    assert names.cut == 1_024 - MAX_HOSTS_OF_FLOW


def test_an_answer_that_comes_again_moves_no_host() -> None:
    table = crowded(2)
    table.answer(FAR[0], name("h0.example", ANSWERED, 7))
    uses = FlowNames(table, ends(FAR[0])).far_names()[1][1]
    assert [use.host for use in uses] == ["h1.example", "h0.example"]


def test_the_name_that_was_asked_for_stands_before_what_it_is_an_alias_of() -> None:
    table = crowded(1)
    table.alias("end.example", name("asked.example", ANSWERED, 7))
    table.lead(FAR[0], name("end.example", ANSWERED, 7))
    uses = FlowNames(table, ends(FAR[0])).far_names()[1][1]
    assert [use.host for use in uses] == ["asked.example", "end.example", "h0.example"]


def test_what_was_said_in_a_flow_is_never_cut() -> None:
    table = crowded()
    for number in range(100):
        table.mentions.add(0, name(f"said{number}.example", SNI))
    table.mentions.add(0, name("h900.example", SNI))
    names = FlowNames(table, ends(FAR[0]))
    uses = names.far_names()[1][1]
    assert len(uses) == 101
    assert uses[-1] == NameUse("h900.example", (SNI, ANSWERED))
    assert names.cut == 1_023


def test_two_flows_at_different_times_have_the_answers_of_their_own_time() -> None:
    times = FarEnds(
        np.array([4, 4], np.uint8),
        np.zeros(2, np.uint64),
        np.full(2, int(ip_address(FAR[0])), np.uint64),
        np.array([0, 1]),
    )
    names = FlowNames(crowded(), times)
    numbers, sets = names.far_names()
    assert [len(sets[number]) for number in numbers.tolist()] == [1, 2]
    assert names.cut == 0


def test_a_host_that_was_recorded_and_answered_is_counted_once() -> None:
    table = crowded(40)
    records = [HostRecord(FAR[0], ("h0.example", "h39.example", "new.example"))]
    names = FlowNames(table, ends(FAR[0]), records)
    assert names.far_names()[1][1][0] == NameUse("h39.example", (ANSWERED, RECORDED))
    assert names.cut == 41 - MAX_HOSTS_OF_FLOW


def test_a_host_recorded_and_answered_only_later_is_there_as_recorded() -> None:
    table = NameTable()
    table.answer(FAR[0], name("a.example", ANSWERED, 9_000))
    names = FlowNames(table, ends(FAR[0]), [HostRecord(FAR[0], ("a.example",))])
    assert names.far_names()[1][1] == (NameUse("a.example", (RECORDED,)),)
    assert names.cut == 0


def test_the_records_of_one_address_are_bounded() -> None:
    records = [HostRecord(FAR[0], (f"a{n}.example", f"b{n}.example")) for n in range(1_000)]
    names = FlowNames(NameTable(), ends(FAR[0]), records)
    assert len(names.of(0)) == MAX_RECORDED
    assert names.cut == 2_000 - MAX_RECORDED


def steps_to_name(times: range) -> int:
    """What it takes to name flows that begin at some times, of which every other one says more."""
    table, count = crowded(), len(times)
    for row in range(0, count, 2):
        table.mentions.add(row, name("said.example", SNI))
    far = replace(ends(*FAR[:1] * count), ts_ns=np.array(times))
    return steps_of(FlowNames(table, far).far_names)


def test_flows_between_which_nothing_was_answered_are_named_once_for_all() -> None:
    few, many = (steps_to_name(range(5_000, 5_000 + flows)) for flows in (100, 1_100))
    assert many - few < 1_000 * MAX_HOSTS_OF_FLOW


def test_no_flow_walks_all_the_hosts_of_a_crowded_address() -> None:
    early, late = (steps_to_name(range(begin, begin + 400)) for begin in (100, 600))
    assert late < 1.5 * early


def test_the_outer_name_of_an_encrypted_hello_is_said_and_names_no_far_end() -> None:
    table = NameTable()
    table.mentions.add(0, Name("cover.example", SNI, 1_000, 7, outer=True))
    names = FlowNames(table, ends(*FAR))
    assert [said.host for said in names.of(0)] == ["cover.example"]
    assert names.far_names()[1] == [()]
    assert names.telling_frames(np.array([3, 4, 5])).tolist() == [3, 4, 5]
