"""A name that was asked for is a row of its own, whoever carried the question."""

from egress_audit.addresses import Scope
from egress_audit.attribute.observations import NOWHERE
from egress_audit.attribute.questions import questions
from egress_audit.model.audit import Kind, NameUse, Observation
from egress_audit.model.destination import Absent, Destination
from egress_audit.model.flow import Name, NameSource
from egress_audit.names.table import NameTable


def asked(table: NameTable) -> list[Observation]:
    """The rows of all questions in a table."""

    def destination_of(address: str) -> Destination:
        return Destination(Scope.GLOBAL, *(Absent.NOT_LOADED,) * 9)

    return questions(table.questions(), destination_of)


def one_question() -> NameTable:
    """A table in which one host was asked for twice, and answered once."""
    table = NameTable()
    table.ask("a.example", "A", "10.0.0.1", 9, 2_000)
    table.ask("a.example", "AAAA", "8.8.8.8", 3, 1_000)
    table.answer("192.0.2.1", Name("a.example", NameSource.DNS_ANSWER, 3_000, 10))
    table.answered("a.example", "192.0.2.1")
    return table


def test_a_question_is_one_row_with_its_name() -> None:
    (row,) = asked(one_question())
    assert (row.kind, row.names) == (
        Kind.QUESTION,
        (NameUse("a.example", (NameSource.DNS_QUERY,)),),
    )


def test_a_question_goes_to_no_address() -> None:
    (row,) = asked(one_question())
    assert (row.far_h, row.destination) == (Absent.NOT_APPLICABLE, NOWHERE)


def test_its_types_resolvers_and_frames_are_kept() -> None:
    (row,) = asked(one_question())
    assert row.questions == {"A": 1, "AAAA": 1}
    assert row.resolvers == ("10.0.0.1", "8.8.8.8")
    assert (row.frames.first, row.frames.total) == ((3, 9), 2)


def test_the_time_is_from_the_first_to_the_last() -> None:
    (row,) = asked(one_question())
    assert (row.first_ts_ns, row.last_ts_ns) == (1_000, 2_000)


def test_every_answer_has_its_destination() -> None:
    (row,) = asked(one_question())
    assert row.answers == ("192.0.2.1",)
    assert [place.scope for place in row.answer_destinations] == [Scope.GLOBAL]


def test_rows_stand_in_the_order_of_the_first_question() -> None:
    table = NameTable()
    for host in ("b.example", "a.example", "b.example"):
        table.ask(host, "A", "10.0.0.1", 1, 1)
    assert [row.names[0].host for row in asked(table)] == ["b.example", "a.example"]


def test_no_questions_are_no_rows() -> None:
    assert asked(NameTable()) == []
