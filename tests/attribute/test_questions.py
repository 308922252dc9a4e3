"""A name that was asked for is a row of its own, whoever carried the question."""

from egress_audit.addresses import Scope
from egress_audit.attribute.observations import NOWHERE
from egress_audit.attribute.questions import questions
from egress_audit.model.audit import Direction, Kind, NameUse, Observation
from egress_audit.model.destination import Absent, Destination
from egress_audit.model.flow import Name, NameSource
from egress_audit.names.table import NameTable


def asked(table: NameTable, limit: int = 10_000) -> list[Observation]:
    """The rows of all questions in a table."""

    def destination_of(address: str) -> Destination:
        return Destination(Scope.GLOBAL, *(Absent.NOT_LOADED,) * 9)

    return questions(table.questions(), destination_of, limit)


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


def many_questions(count: int) -> NameTable:
    """A table in which as many hosts were asked for, twice each, and answered."""
    table = NameTable()
    for number in range(count):
        table.ask(f"host{number}.example", "A", "10.0.0.1", 2 * number + 1, 1_000 * number)
        table.ask(f"host{number}.example", "A", "10.0.0.1", 2 * number + 2, 1_000 * number + 1)
        table.answered(f"host{number}.example", "192.0.2.1")
    return table


def test_names_beyond_the_limit_are_counted_in_one_row() -> None:
    *kept, rest = asked(many_questions(50), limit=3)
    assert [row.names[0].host for row in kept] == [f"host{number}.example" for number in range(3)]
    assert (rest.kind, rest.direction, rest.names) == (Kind.REST, Direction.OUTBOUND, ())
    assert (rest.rest_scopes, rest.pkts_out, rest.flows) == ({Scope.NAME: 47}, 94, 0)
    assert (rest.frames.first, rest.frames.total) == (tuple(range(7, 27)), 94)
    assert (rest.first_ts_ns, rest.last_ts_ns) == (3_000, 49_001)


def test_up_to_the_limit_every_name_is_a_row() -> None:
    assert [row.kind for row in asked(many_questions(3), limit=3)] == [Kind.QUESTION] * 3


def test_answers_are_looked_up_for_the_rows_that_are_kept_alone() -> None:
    looked_up: list[str] = []

    def destination_of(address: str) -> Destination:
        looked_up.append(address)
        return NOWHERE

    questions(many_questions(5).questions(), destination_of, 2)
    assert looked_up == ["192.0.2.1"] * 2
