"""What the parts of a message say together, put in by hand."""

import pytest

from egress_audit.model.flow import NameSource
from egress_audit.names.dns_parts import MAX_ALIASES, MAX_SPOKEN, Parts
from egress_audit.names.reading import Spoken


def test_a_query_asks_for_the_owners_of_its_records_too() -> None:
    parts = Parts()
    parts.questions.append(("a.example", "A"))
    parts.own("b.example", 1, beside=True)
    assert [(word.host, word.source) for word in parts.asked()] == [
        ("a.example", NameSource.DNS_QUERY),
        ("b.example", NameSource.DNS_QUERY),
    ]


def test_an_owner_is_beside_only_if_all_its_records_are() -> None:
    parts = Parts()
    for host, sections in (("a.example", (True, False)), ("b.example", (True, True))):
        for beside in sections:
            parts.own(host, 1, beside)
    assert [(word.host, word.beside) for word in parts.answers(whole=True)] == [
        ("a.example", False),
        ("b.example", True),
    ]


def test_a_server_without_a_question_leads_nowhere() -> None:
    parts = Parts()
    parts.serve("a.example")
    parts.add("a.example", b"\1\2\3\4")
    assert parts.answers(whole=True) == []


def test_the_address_of_a_server_answers_the_first_question() -> None:
    parts = Parts()
    parts.questions += [("q.example", "MX"), ("r.example", "MX")]
    parts.serve("a.example")
    parts.add("a.example", b"\1\2\3\4")
    (word,) = parts.answers(whole=True)[2:]
    assert word == Spoken(
        *("a.example", NameSource.DNS_UNPROVEN), address="1.2.3.4", question=("q.example", "MX")
    )


def test_addresses_beyond_what_one_message_may_speak_are_left_out() -> None:
    parts = Parts()
    parts.questions.append(("q.example", "MX"))
    parts.serve("a.example")
    for _ in range(MAX_SPOKEN + 5):
        parts.add("a.example", b"\1\2\3\4")
    assert len(parts.answers(whole=True)) == MAX_SPOKEN + 1


def ends(parts: Parts, *, whole: bool = True) -> list[tuple[str, str]]:
    return [(word.host, word.leads_to) for word in parts.answers(whole=whole) if word.leads_to]


def chain() -> Parts:
    """a.example → b.example → c.example, and the question for the first."""
    parts = Parts()
    parts.questions.append(("a.example", "A"))
    parts.alias("a.example", "b.example")
    parts.alias("b.example", "c.example")
    return parts


def test_aliases_without_an_address_lead_to_the_host_at_their_end() -> None:
    assert ends(chain()) == [("b.example", "c.example"), ("a.example", "c.example")]


def test_aliases_with_an_address_lead_to_that_alone() -> None:
    parts = chain()
    parts.add("c.example", b"\1\2\3\4")
    assert ends(parts) == []


def test_where_records_are_missing_no_end_is_known() -> None:
    assert ends(chain(), whole=False) == []


def test_aliases_of_another_host_than_was_asked_for_lead_nowhere() -> None:
    parts = chain()
    parts.alias("x.example", "y.example")
    assert ends(parts) == ends(chain())


def test_aliases_in_a_circle_lead_nowhere() -> None:
    parts = chain()
    parts.alias("c.example", "a.example")
    assert ends(parts) == []


@pytest.mark.parametrize(("count", "cut"), [(MAX_ALIASES, False), (MAX_ALIASES + 1, True)])
def test_more_ends_than_are_followed_leave_a_mark(count: int, cut: bool) -> None:
    parts = Parts()
    parts.questions.append(("a.example", "A"))
    for number in range(count):
        parts.alias("a.example", f"b{number}.example")
    assert len(ends(parts)) == MAX_ALIASES
    assert parts.cut is cut
