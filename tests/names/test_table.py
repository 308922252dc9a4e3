"""The ledger of names: what is kept, for how long, and that what is not kept is counted."""

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
    assert question.further_resolvers == 2
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
