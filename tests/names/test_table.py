"""The ledger of names: what is kept, for how long, and that what is not kept is counted."""

from collections.abc import Callable

import pytest

from egress_audit.model.flow import Name, NameSource
from egress_audit.names import table
from egress_audit.names.table import (
    MAX_DETAILS,
    OTHER_TYPES,
    NameTable,
    Question,
)


def dns(host: str, ts_ns: int = 0, frame: int = 1) -> Name:
    return Name(host, NameSource.DNS_ANSWER, ts_ns, frame)


def asked(*questions: tuple[str, str, str]) -> Question:
    """The one question that comes of asking (host, qtype, resolver), a frame and a tick each."""
    names = NameTable()
    for number, (host, qtype, resolver) in enumerate(questions, 1):
        names.ask(host, qtype, resolver, frame=number, ts_ns=number * 10)
    (question,) = names.questions()
    return question


def test_aliases_are_kept_of_questions_and_those_beyond_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(table, "MAX_LED_ON", 3)
    names = NameTable()
    names.led_on("a.example", "early.example")
    names.ask("a.example", "A", "10.0.0.1", frame=1, ts_ns=1)
    names.led_on("a.example", "a.example", None)
    assert (names.aliases(), names.dropped) == ({}, 0)
    for number in (0, 1, 2, 3, 4, 0):
        names.led_on("a.example", f"{number}.example")
    assert names.aliases() == {"a.example": ("0.example", "1.example", "2.example")}
    assert names.dropped == 2


def test_a_cdn_that_leads_on_to_another_host_each_time_costs_no_name() -> None:
    names = NameTable()
    names.ask("a.example", "A", "10.0.0.1", frame=1, ts_ns=1)
    for number in range(MAX_DETAILS + 100):
        names.led_on("a.example", f"{number}.example")
    assert (len(names.aliases()["a.example"]), names.dropped) == (MAX_DETAILS + 100, 0)


def test_an_address_that_hosts_share_keeps_them_all_in_time_order() -> None:
    names = NameTable()
    for host, ts_ns in (("b.example", 20), ("a.example", 10), ("c.example", 30)):
        names.answer("1.2.3.4", dns(host, ts_ns))
    assert [name.host for name in names.answers_for("1.2.3.4")] == [
        "a.example",
        "b.example",
        "c.example",
    ]
    assert names.answers_for("1.2.3.5") == ()


def test_an_answer_counts_from_its_own_time_on() -> None:
    names = NameTable()
    names.answer("1.2.3.4", dns("a.example", 10))
    assert names.answers_for("1.2.3.4", before_ns=9) == ()
    assert names.answers_for("1.2.3.4", before_ns=10) == (dns("a.example", 10),)


@pytest.mark.parametrize("times", [(10, 20), (20, 10)])
def test_the_earliest_of_the_same_answer_is_kept(times: tuple[int, int]) -> None:
    names = NameTable()
    for ts_ns in times:
        names.answer("1.2.3.4", dns("a.example", ts_ns))
    assert names.answers_for("1.2.3.4") == (dns("a.example", 10),)


def test_addresses_beyond_the_bound_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_ADDRESSES", 2)
    names = NameTable()
    for last in (1, 2, 3, 1):
        names.answer(f"1.2.3.{last}", dns("a.example"))
    assert names.answers_for("1.2.3.3") == ()
    assert names.answers_dropped == 1


def test_names_beyond_the_bound_of_an_address_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_NAMES_PER_ADDRESS", 2)
    names = NameTable()
    for host in ("a", "b", "c", "a"):
        names.answer("1.2.3.4", dns(host))
    assert [name.host for name in names.answers_for("1.2.3.4")] == ["a", "b"]
    assert names.answers_dropped == 1


def unproven(host: str) -> Name:
    return Name(host, NameSource.DNS_UNPROVEN, 0, 1)


def known(names: NameTable, address: str = "1.2.3.4") -> list[tuple[str, bool]]:
    """The names that lead to an address, each with whether that is proven."""
    found = names.answers_for(address)
    return [(name.host, name.source is NameSource.DNS_ANSWER) for name in found]


def test_aliases_lead_to_the_address_that_a_later_message_gives() -> None:
    names = NameTable()
    names.alias("b.example", dns("a.example"))
    names.alias("c.example", dns("b.example"))
    names.lead("1.2.3.4", dns("c.example", 30, 7))
    assert [(name.host, name.ts_ns, name.frame) for name in names.answers_for("1.2.3.4")] == [
        ("c.example", 30, 7),
        ("b.example", 30, 7),
        ("a.example", 30, 7),
    ]


def test_an_alias_of_another_host_does_not() -> None:
    names = NameTable()
    names.alias("other.example", dns("a.example"))
    names.lead("1.2.3.4", dns("c.example"))
    assert known(names) == [("c.example", True)]


def test_an_alias_leads_to_the_addresses_that_were_answered_before() -> None:
    names = NameTable()
    names.ask("c.example", "A", "10.0.0.1", frame=1, ts_ns=0)
    names.answered("c.example", "1.2.3.4")
    names.alias("b.example", dns("a.example"))
    names.alias("c.example", dns("b.example"))
    assert known(names) == [("b.example", True), ("a.example", True)]


@pytest.mark.parametrize(("alias", "end"), [(unproven, dns), (dns, unproven), (unproven, unproven)])
def test_a_way_is_as_certain_as_its_weakest_part(
    alias: Callable[[str], Name], end: Callable[[str], Name]
) -> None:
    names = NameTable()
    names.alias("b.example", dns("a.example"))
    names.alias("c.example", alias("b.example"))
    names.lead("1.2.3.4", end("c.example"))
    assert known(names)[1:] == [("b.example", False), ("a.example", False)]


def test_an_alias_is_as_certain_as_its_best_message() -> None:
    names = NameTable()
    for name in (unproven("a.example"), dns("a.example"), unproven("a.example")):
        names.alias("b.example", name)
    names.lead("1.2.3.4", dns("b.example"))
    assert known(names) == [("b.example", True), ("a.example", True)]


def test_aliases_in_a_circle_end() -> None:
    names = NameTable()
    names.alias("b.example", dns("a.example"))
    names.alias("a.example", dns("b.example"))
    names.lead("1.2.3.4", dns("b.example"))
    assert known(names) == [("b.example", True), ("a.example", True)]


@pytest.mark.parametrize(
    ("bound", "kept"), [("MAX_ALIASES", 2), ("MAX_LEADING", 2), ("MAX_JOINED", 2)]
)
def test_aliases_beyond_a_bound_are_counted(
    bound: str, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, bound, kept)
    names = NameTable()
    for letter in "abc":
        names.alias("z.example", dns(f"{letter}.example"))
    names.lead("1.2.3.4", dns("z.example"))
    names.lead("1.2.3.4", dns("z.example"))
    assert [host for host, _ in known(names)] == ["z.example", "a.example", "b.example"]
    assert names.dropped > 0


def test_what_an_alias_led_to_before_counts_for_no_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_JOINED", 1)
    names = NameTable()
    for _ in range(3):
        names.alias("b.example", dns("a.example"))
        names.lead("1.2.3.4", dns("b.example"))
    assert names.dropped == 0


def test_questions_for_one_host_are_one_record() -> None:
    question = asked(("a.example", "A", "9.9.9.9"), ("a.example", "AAAA", "1.1.1.1"))
    assert question.total == 2
    assert question.qtypes == {"A": 1, "AAAA": 1}
    assert question.resolvers == ["9.9.9.9", "1.1.1.1"]
    assert question.frames == [1, 2]
    assert (question.first_ts_ns, question.last_ts_ns) == (10, 20)


def test_a_clock_that_jumps_back_does_not_turn_the_times_around() -> None:
    names = NameTable()
    names.ask("a.example", "A", "9.9.9.9", frame=1, ts_ns=20)
    names.ask("a.example", "A", "9.9.9.9", frame=2, ts_ns=10)
    (question,) = names.questions()
    assert (question.first_ts_ns, question.last_ts_ns) == (10, 20)


def test_questions_come_in_the_order_of_the_first() -> None:
    names = NameTable()
    for host in ("b.example", "a.example", "b.example"):
        names.ask(host, "A", "9.9.9.9", frame=1, ts_ns=0)
    assert [question.host for question in names.questions()] == ["b.example", "a.example"]


def test_details_of_a_question_beyond_the_bound_are_counted() -> None:
    many = [("a.example", f"TYPE{n}", f"10.0.0.{n}") for n in range(MAX_DETAILS + 2)]
    question = asked(*many)
    assert question.total == MAX_DETAILS + 2
    assert len(question.resolvers) == len(question.frames) == MAX_DETAILS
    assert question.qtypes[OTHER_TYPES] == 2


def test_hosts_beyond_the_bound_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_HOSTS", 1)
    names = NameTable()
    for host in ("a.example", "b.example", "a.example"):
        names.ask(host, "A", "9.9.9.9", frame=1, ts_ns=0)
    (question,) = names.questions()
    assert question.total == 2
    assert names.questions_dropped == 1


def test_a_question_remembers_its_answers_once_each() -> None:
    names = NameTable()
    names.ask("a.example", "A", "9.9.9.9", frame=1, ts_ns=0)
    for address in ("1.2.3.4", "1.2.3.5", "1.2.3.4"):
        names.answered("a.example", address)
    (question,) = names.questions()
    assert question.addresses == ["1.2.3.4", "1.2.3.5"]
    assert question.further_addresses == 0


def test_answers_beyond_the_bound_are_counted() -> None:
    names = NameTable()
    names.ask("a.example", "A", "9.9.9.9", frame=1, ts_ns=0)
    for last in range(MAX_DETAILS + 2):
        names.answered("a.example", f"1.2.3.{last}")
    (question,) = names.questions()
    assert len(question.addresses) == MAX_DETAILS
    assert question.further_addresses == 2


def test_an_answer_nobody_asked_for_makes_no_question() -> None:
    names = NameTable()
    names.answered("a.example", "1.2.3.4")
    assert list(names.questions()) == []


def test_only_a_query_that_was_seen_was_queried() -> None:
    names = NameTable()
    names.ask("a.example", "A", "9.9.9.9", frame=1, ts_ns=0, queried=False)
    assert names.was_asked("a.example", "A")
    assert not names.was_queried("a.example", "A")
    names.ask("a.example", "A", "9.9.9.9", frame=2, ts_ns=0)
    assert names.was_queried("a.example", "A")
    assert not names.was_queried("a.example", "AAAA")
    assert not names.was_queried("b.example", "A")


def test_an_alias_that_comes_later_leads_to_later_addresses_too() -> None:
    names = NameTable()
    names.alias("b.example", dns("a.example"))
    names.lead("1.2.3.4", dns("b.example"))
    names.alias("b.example", dns("z.example"))
    names.lead("5.6.7.8", dns("b.example"))
    assert {host for host, _ in known(names, "5.6.7.8")} == {"a.example", "b.example", "z.example"}


def test_an_alias_that_becomes_certain_is_still_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_ALIASES", 2)
    names = NameTable()
    for name in (unproven("a.example"), dns("a.example"), dns("c.example")):
        names.alias("b.example", name)
    assert names.answers_dropped == 0
    names.alias("b.example", dns("d.example"))
    assert names.answers_dropped == 1


def test_hosts_are_told_in_the_order_of_their_frames_whichever_was_heard_first() -> None:
    names = NameTable()
    for host, frame in (("b.example", 7), ("c.example", 9), ("a.example", 2), ("c.example", 1)):
        names.ask(host, "A", "1.1.1.1", frame, 1)
    hosts = [question.host for question in names.questions()]
    assert hosts == ["c.example", "a.example", "b.example"]


def test_of_types_beyond_the_bound_no_query_is_remembered() -> None:
    names = NameTable()
    for number in range(MAX_DETAILS + 1):
        names.ask("a.example", f"TYPE{number}", "1.1.1.1", 1, 1)
    assert names.was_queried("a.example", f"TYPE{MAX_DETAILS - 1}")
    assert not names.was_queried("a.example", f"TYPE{MAX_DETAILS}")
