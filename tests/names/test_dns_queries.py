"""A query is remembered with its flow, direction, ID and question, until many others came."""

import pytest

from egress_audit.names.dns_queries import Queries

QUERY = (7, True, 5, "a.example", "A")


def test_a_query_that_was_taken_is_there() -> None:
    queries = Queries()
    queries.take(*QUERY)
    assert queries.has(*QUERY)


@pytest.mark.parametrize(
    "other",
    [
        (8, True, 5, "a.example", "A"),
        (7, False, 5, "a.example", "A"),
        (7, True, 6, "a.example", "A"),
        (7, True, None, "a.example", "A"),
        (7, True, 5, "b.example", "A"),
        (7, True, 5, "a.example", "AAAA"),
    ],
)
def test_what_differs_in_anything_is_another_query(
    other: tuple[int, bool, int | None, str, str | None],
) -> None:
    queries = Queries()
    queries.take(*QUERY)
    assert not queries.has(*other)


@pytest.mark.parametrize("side", [(7, True), (7, False), (8, True)])
def test_a_side_that_asked_anything_is_known(side: tuple[int, bool]) -> None:
    queries = Queries()
    queries.take(*QUERY)
    assert queries.has_any(*side) is (side == (7, True))


def test_a_side_that_asked_is_forgotten_with_its_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("egress_audit.names.dns_queries.MAX_QUERIES", 4)
    queries = Queries()
    for flow in range(5):
        queries.take(flow, True, 1, "a.example", "A")
    assert [flow for flow in range(5) if queries.has_any(flow, True)] == [2, 3, 4]


def test_the_oldest_queries_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("egress_audit.names.dns_queries.MAX_QUERIES", 4)
    queries = Queries()
    for number in (1, 2, 3, 3, 3, 1, 4):
        queries.take(7, True, number, "a.example", "A")
    known = [number for number in range(5) if queries.has(7, True, number, "a.example", "A")]
    assert known == [1, 3, 4]
