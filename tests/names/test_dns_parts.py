"""What the parts of a message say together, put in by hand."""

from egress_audit.model.flow import NameSource
from egress_audit.names.dns_parts import MAX_SPOKEN, Parts
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
