"""What readers found is put where the judge looks: by flow, by address, by question."""

from dataclasses import dataclass, replace

import pytest

from egress_audit.model.flow import NameSource
from egress_audit.names.hearing import HIDING_MARKS, NO_NAME, QUIC, Hearing, hellos_of
from egress_audit.names.plain_hello import PlainHello
from egress_audit.names.plain_request import PlainRequest
from egress_audit.names.reading import Reading, Spoken


@dataclass(frozen=True)
class Message:
    """What is said of some bytes where everything is known at once."""

    flow: int
    frame: int
    ts_ns: int
    sender: str
    receiver: str
    by_orig: bool = True
    from_resolver: bool = True
    from_dns_port: bool = True


MESSAGE = Message(flow=7, frame=3, ts_ns=1_000, sender="10.0.0.2", receiver="10.0.0.1")
WHEN = MESSAGE.flow, MESSAGE.frame, MESSAGE.ts_ns
SNI = Spoken("a.example", NameSource.TLS_SNI)
QUERY = Spoken("a.example", NameSource.DNS_QUERY, qtype="A")
ANSWER = Spoken(
    "a.example", NameSource.DNS_ANSWER, address="192.0.2.1", question=("a.example", "A")
)
ECHOED = Spoken("a.example", NameSource.DNS_ANSWER, qtype="A")


def heard(*readings: Reading) -> Hearing:
    """A hearing of some readings, all of the same message."""
    hearing = Hearing()
    for reading in readings:
        hearing.hear(reading, MESSAGE)
    return hearing


def test_a_name_is_kept_with_its_flow_and_frame() -> None:
    (name,) = heard(Reading((SNI,))).names.mentions.of(7)
    assert (name.host, name.source, name.frame, name.ts_ns) == (
        *("a.example", NameSource.TLS_SNI),
        *(3, 1_000),
    )


def test_a_name_that_is_no_question_asks_nothing() -> None:
    assert not list(heard(Reading((SNI,))).names.questions())


def test_a_question_is_kept_with_the_resolver_that_was_asked() -> None:
    (question,) = heard(Reading((QUERY,))).names.questions()
    assert (question.host, question.resolvers, question.frames) == ("a.example", ["10.0.0.1"], [3])


def test_an_answer_leads_from_its_address_to_its_name() -> None:
    hearing = answered(ECHOED, ANSWER)
    (name,) = hearing.names.answers_for("192.0.2.1")
    assert (name.host, name.source) == ("a.example", NameSource.DNS_ANSWER)
    (question,) = hearing.names.questions()
    assert question.addresses == ["192.0.2.1"]


@pytest.mark.parametrize("flow", [7, 8])
def test_an_answer_with_another_id_or_in_another_flow_proves_nothing(flow: int) -> None:
    hearing = answered(
        ECHOED,
        ANSWER,
        transaction=5 if flow != MESSAGE.flow else 6,
        back=replace(BACK, flow=flow, from_resolver=True),
    )
    (name,) = hearing.names.answers_for("192.0.2.1")
    assert (name.host, name.source) == ("a.example", NameSource.DNS_UNPROVEN)
    (question,) = hearing.names.questions()
    assert question.addresses == []


def test_a_resolver_of_this_machine_may_answer_from_a_port_that_was_translated() -> None:
    docker = replace(BACK, flow=8, sender="127.0.0.11", receiver="127.0.0.1", from_resolver=True)
    (name,) = answered(ECHOED, ANSWER, back=docker).names.answers_for("192.0.2.1")
    assert name.source is NameSource.DNS_ANSWER


def test_an_answer_with_another_id_proves_nothing_on_the_loopback_either() -> None:
    here = replace(BACK, sender="127.0.0.11", receiver="127.0.0.1", from_resolver=True)
    (name,) = answered(ECHOED, ANSWER, transaction=6, back=here).names.answers_for("192.0.2.1")
    assert name.source is NameSource.DNS_UNPROVEN


def test_an_answer_shows_a_question_that_the_capture_does_not_have() -> None:
    (question,) = heard(Reading((ECHOED,))).names.questions()
    assert (question.host, question.total, question.resolvers) == ("a.example", 1, ["10.0.0.2"])


def test_an_answer_to_a_question_that_was_seen_asks_it_no_second_time() -> None:
    (question,) = heard(Reading((QUERY,)), Reading((ECHOED,))).names.questions()
    assert question.total == 1


def believed(hearing: Hearing) -> list[str]:
    return [name.host for name in hearing.names.answers_for("192.0.2.1")]


def test_an_answer_from_anybody_but_a_resolver_is_not_believed() -> None:
    hearing = heard(Reading((QUERY,)))
    hearing.hear(Reading((ECHOED, ANSWER)), replace(MESSAGE, from_resolver=False))
    assert believed(hearing) == []
    hearing.hear(Reading((ECHOED, ANSWER)), MESSAGE)
    assert believed(hearing) == ["a.example"]


def test_an_answer_that_nobody_asked_for_is_not_believed_however_often_it_comes() -> None:
    hearing = heard(Reading((ECHOED, ANSWER)), Reading((ECHOED, ANSWER)))
    assert believed(hearing) == []
    assert [question.host for question in hearing.names.questions()] == ["a.example"]


@pytest.mark.parametrize("question", [("a.example", "AAAA"), ("b.example", "A"), None])
def test_an_answer_to_another_question_is_not_believed(question: tuple[str, str] | None) -> None:
    assert believed(heard(Reading((QUERY, replace(ANSWER, question=question))))) == []


def test_a_name_on_the_way_from_the_question_is_believed() -> None:
    alias = replace(ANSWER, host="cdn.example")
    assert believed(heard(Reading((QUERY, alias)))) == ["cdn.example"]


def aliases(*words: Spoken) -> dict[str, list[str]]:
    led = answered(ECHOED, *words).names.aliases()
    return {host: list(others) for host, others in led.items()}


def test_the_hosts_that_an_answer_leads_on_to_are_kept_with_the_question() -> None:
    alias, end = replace(ANSWER, host="cdn.example"), replace(ANSWER, address=None)
    assert aliases(ANSWER, alias) == {"a.example": ["cdn.example"]}
    assert aliases(replace(end, leads_to="b.example")) == {"a.example": ["b.example"]}


@pytest.mark.parametrize("flow", [MESSAGE.flow, 8])
def test_an_answer_with_another_id_or_in_another_flow_leads_on_to_no_host(flow: int) -> None:
    back = replace(BACK, flow=flow, from_resolver=True)
    alias = replace(ANSWER, host="cdn.example")
    assert answered(ECHOED, alias, transaction=6, back=back).names.aliases() == {}


def test_what_leads_to_no_other_host_has_no_alias() -> None:
    other = replace(ANSWER, host="cdn.example", question=("b.example", "A"))
    server = replace(ANSWER, host="mx.example", source=NameSource.DNS_UNPROVEN)
    assert aliases(ANSWER, other, server) == {}


NAMES_SERVER = Spoken("ns.example", NameSource.DNS_ANSWER, qtype="A", owner=True, beside=True)
IN_THE_ANSWER = replace(NAMES_SERVER, beside=False)
RESPONSE = frozenset({"dns", "dns-response"})
BACK = replace(MESSAGE, sender="10.0.0.1", receiver="10.0.0.2", by_orig=False, from_resolver=False)
"""Of the flow of MESSAGE the other way, from a port that is not the DNS's alone."""


def answered(*words: Spoken, transaction: int | None = 5, back: Message = BACK) -> Hearing:
    """QUERY was asked with the ID 5, and these words came back; then all is settled as ours."""
    hearing = Hearing()
    hearing.hear(Reading((QUERY,), frozenset({"dns"}), transaction=5), MESSAGE)
    hearing.hear(Reading(words, RESPONSE, transaction=transaction), back)
    hearing.settle(lambda flow, by_orig: True)
    return hearing


def hosts(hearing: Hearing) -> list[str]:
    return [question.host for question in hearing.names.questions()]


def test_what_a_resolver_adds_unasked_asks_nothing() -> None:
    hearing = heard(Reading((NAMES_SERVER,)))
    hearing.settle(lambda flow, by_orig: True)
    assert hosts(hearing) == []


def test_what_anybody_else_adds_unasked_is_asked_for() -> None:
    hearing = Hearing()
    hearing.hear(Reading((NAMES_SERVER,)), replace(MESSAGE, from_resolver=False))
    hearing.settle(lambda flow, by_orig: (flow, by_orig) == (7, True))
    (question,) = hearing.names.questions()
    assert (question.host, question.resolvers) == ("ns.example", [MESSAGE.receiver])
    assert [name.host for name in hearing.names.mentions.of(7)] == ["ns.example"]


def test_what_the_far_side_adds_unasked_is_not() -> None:
    hearing = Hearing()
    hearing.hear(Reading((NAMES_SERVER, IN_THE_ANSWER)), replace(MESSAGE, from_resolver=False))
    hearing.settle(lambda flow, by_orig: False)
    assert hosts(hearing) == []


@pytest.mark.parametrize("owner", [NAMES_SERVER, IN_THE_ANSWER])
def test_what_an_answer_adds_to_a_query_that_was_seen_asks_nothing(owner: Spoken) -> None:
    assert hosts(answered(ECHOED, owner)) == ["a.example"]


@pytest.mark.parametrize(
    ("transaction", "back", "question"),
    [
        (6, BACK, ECHOED),
        (5, replace(BACK, flow=8), ECHOED),
        (5, replace(BACK, by_orig=True), ECHOED),
        (5, BACK, replace(ECHOED, qtype="AAAA")),
    ],
)
def test_what_answers_another_query_may_be_the_senders_invention(
    transaction: int, back: Message, question: Spoken
) -> None:
    hearing = answered(question, NAMES_SERVER, transaction=transaction, back=back)
    assert hosts(hearing) == ["a.example", "ns.example"]


@pytest.mark.parametrize(
    ("back", "asked"),
    [
        (replace(BACK, from_resolver=True), []),
        (replace(BACK, from_resolver=True, flow=8), ["ns.example"]),
        (replace(BACK, from_resolver=True, by_orig=True), ["ns.example"]),
        (BACK, ["ns.example"]),
    ],
)
def test_a_resolver_that_was_asked_may_say_what_it_likes_in_its_answers(
    back: Message, asked: list[str]
) -> None:
    hearing = answered(IN_THE_ANSWER, transaction=6, back=back)
    assert hosts(hearing) == ["a.example", *asked]


def test_names_beyond_those_that_can_wait_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("egress_audit.names.hearing.MAX_DOUBTFUL", 1)
    others = [replace(NAMES_SERVER, host=f"{letter}.example") for letter in "xyy"]
    hearing = answered(NAMES_SERVER, NAMES_SERVER, *others, transaction=6)
    assert hosts(hearing) == ["a.example", "ns.example"]
    assert hearing.names.dropped == 3


def sources(hearing: Hearing, address: str = "192.0.2.1") -> list[NameSource]:
    return [name.source for name in hearing.names.answers_for(address)]


@pytest.mark.parametrize(
    ("from_dns_port", "source"),
    [(True, NameSource.DNS_ANSWER), (False, NameSource.DNS_UNPROVEN)],
)
def test_an_answer_to_a_query_that_was_seen_proves_only_from_the_port_of_the_dns(
    from_dns_port: bool, source: NameSource
) -> None:
    back = replace(BACK, from_dns_port=from_dns_port)
    hearing = answered(ECHOED, ANSWER, back=back)
    assert sources(hearing) == [source]
    (question,) = hearing.names.questions()
    assert question.addresses == (["192.0.2.1"] if from_dns_port else [])


def test_an_answer_with_another_id_leads_nowhere() -> None:
    assert sources(answered(ECHOED, ANSWER, transaction=6)) == []


def test_an_unproven_address_is_kept_as_such_wherever_it_comes_from() -> None:
    server = replace(ANSWER, host="srv.example", source=NameSource.DNS_UNPROVEN)
    assert sources(answered(ECHOED, server)) == [NameSource.DNS_UNPROVEN]


def test_an_unproven_address_of_a_question_that_was_not_seen_is_not_kept() -> None:
    assert sources(heard(Reading((replace(ANSWER, source=NameSource.DNS_UNPROVEN),)))) == []


@pytest.mark.parametrize("asked", [True, False])
def test_an_alias_leads_on_to_what_another_message_answers(asked: bool) -> None:
    alias = replace(ANSWER, address=None, leads_to="cdn.example")
    end = Spoken("cdn.example", NameSource.DNS_QUERY, qtype="A")
    question = (end.host, "A")
    address = replace(ANSWER, host="cdn.example", question=question)
    hearing = heard(Reading((QUERY,) * asked), Reading((alias,)), Reading((end, address)))
    assert believed(hearing) == ["cdn.example", *["a.example"] * asked]


@pytest.mark.parametrize(
    ("address", "also"),
    [("::ffff:192.0.2.1", True), ("::ffff:0:c000:201", False), ("2001:db8::1", False)],
)
def test_a_mapped_address_leads_to_the_ipv4_one_as_well(address: str, also: bool) -> None:
    hearing = heard(Reading((QUERY, replace(ANSWER, address=address))))
    assert [name.host for name in hearing.names.answers_for(address)] == ["a.example"]
    assert list(hearing.names.addresses()) == [address, *["192.0.2.1"] * also]


def test_names_already_taken_are_not_taken_again() -> None:
    hearing = Hearing()
    hearing.hear(Reading((QUERY,)), MESSAGE)
    hearing.hear(Reading((QUERY, QUERY)), MESSAGE, heard=1)
    (question,) = hearing.names.questions()
    assert question.total == 2


@pytest.mark.parametrize("mark", ["no-sni", "ech", "socks"])
def test_a_protocol_that_hides_the_name_is_counted_by_flow(mark: str) -> None:
    hearing = heard(Reading(marks=frozenset({mark})), Reading(marks=frozenset({mark})))
    assert hearing.hiding == {HIDING_MARKS[mark]: {7}}


@pytest.mark.parametrize("marks", [{"http"}, {"http", "absolute-form"}, {"http2"}])
def test_requests_are_read_and_hide_nothing(marks: set[str]) -> None:
    assert not heard(Reading(marks=frozenset(marks))).hiding


def test_a_hello_with_a_name_hides_nothing() -> None:
    hearing = heard(Reading((SNI,), frozenset({"tls"})))
    assert (hearing.hiding, hearing.tls) == ({}, {7})


def test_a_hello_without_a_name_is_a_hello() -> None:
    assert heard(Reading(marks=frozenset({"tls", "no-sni"}))).tls == {7}


def test_a_tls_record_that_is_no_hello_is_none() -> None:
    assert heard(Reading(marks=frozenset({"tls"}))).tls == set()


def test_a_quic_hello_with_a_name_makes_its_flow_legible() -> None:
    quic = frozenset({"quic"})
    hearing = heard(Reading(marks=quic), Reading((SNI,), quic), Reading(marks=quic))
    assert (hearing.legible, hearing.flows_hiding(), hearing.tls) == ({7}, {}, set())


def test_a_quic_flow_in_which_no_name_was_read_hides_it() -> None:
    assert heard(Reading(marks=frozenset({"quic"}))).flows_hiding() == {QUIC: {7}}


@pytest.mark.parametrize("mark", ["no-sni", "ech"])
def test_a_nameless_quic_hello_hides_its_name_under_the_word_of_quic_alone(mark: str) -> None:
    quic = frozenset({"quic"})
    hearing = heard(Reading((SNI,), quic), Reading(marks=quic | {mark}))
    assert hearing.flows_hiding() == {QUIC: {7}}


def test_a_nameless_hello_of_dtls_hides_its_name_as_in_tls() -> None:
    assert heard(Reading(marks=frozenset({"dtls", "no-sni"}))).flows_hiding() == {NO_NAME: {7}}


PRINTER = Reading((Spoken("printer.local", NameSource.MDNS, qtype="A"),), frozenset({"names-read"}))


def test_a_name_asked_of_the_link_is_kept_and_asks_no_resolver() -> None:
    hearing = Hearing()
    hearing.hear(PRINTER, replace(MESSAGE, receiver="224.0.0.251"))
    assert [name.source for name in hearing.names.mentions.of(7)] == [NameSource.MDNS]
    assert (list(hearing.names.questions()), hearing.legible) == ([], {7})


def test_the_same_name_asked_of_one_machine_is_a_question() -> None:
    (question,) = heard(PRINTER).names.questions()
    assert (question.host, question.resolvers) == ("printer.local", ["10.0.0.1"])


@pytest.mark.parametrize("host", ["a.example", ""])
@pytest.mark.parametrize("outer", [False, True])
def test_a_hello_is_heard_as_its_reading_is(host: str, outer: bool) -> None:
    marks = {"tls", *(["ech"] if outer else []), *([] if host else ["no-sni"])}
    said = (Spoken(host, NameSource.TLS_SNI, outer=outer),) if host else ()
    long, short = heard(Reading(said, frozenset(marks))), Hearing()
    short.hear_hellos(hellos_of([(*WHEN, PlainHello(host=host, outer=outer))]))
    assert (short.tls, short.hiding) == (long.tls, long.hiding)
    assert short.names.mentions.of(7) == long.names.mentions.of(7)


@pytest.mark.parametrize("host", ["a.example", ""])
@pytest.mark.parametrize("outer", [False, True])
def test_a_hello_of_quic_is_heard_as_its_reading_is(host: str, outer: bool) -> None:
    marks = {"quic", *(["ech"] if outer else []), *([] if host else ["no-sni"])}
    said = (Spoken(host, NameSource.QUIC_SNI, outer=outer),) if host else ()
    unnamed = Reading(marks=frozenset({"quic"}))
    long, short = heard(unnamed, Reading(said, frozenset(marks))), heard(unnamed)
    short.hear_initials([(*WHEN, PlainHello(host=host, outer=outer))])
    assert short.flows_hiding() == long.flows_hiding()
    assert (short.tls, short.legible) == (long.tls, long.legible)
    assert short.names.mentions.of(7) == long.names.mentions.of(7)


def test_a_request_is_heard_as_its_reading_is() -> None:
    said = Spoken("a.example", NameSource.HTTP_HOST)
    long, short = heard(Reading((said,), frozenset(("http",)))), Hearing()
    short.hear_requests([(*WHEN, PlainRequest("a.example", 40))])
    assert short.names.mentions.of(7) == long.names.mentions.of(7)
    assert not (short.tls or short.hiding)


def test_hellos_are_heard_together_as_one_by_one() -> None:
    said = [PlainHello(host="a"), PlainHello(), PlainHello(outer=True), PlainHello(0, "b", True)]
    hellos = [(flow, flow + 10, flow * 1_000, hello) for flow, hello in enumerate([*said, *said])]
    one, other = Hearing(), Hearing()
    one.hear_hellos(hellos_of(hellos))
    for hello in hellos:
        other.hear_hellos(hellos_of([hello]))
    assert (one.tls, [*one.hiding.items()]) == (other.tls, [*other.hiding.items()])
    assert [*one.names.mentions.flows()] == [*other.names.mentions.flows()]
    assert [len(flows) for flows in one.hiding.values()] == [4, 4]


def test_no_hello_says_nothing() -> None:
    hearing = Hearing()
    hearing.hear_hellos(hellos_of([]))
    assert (hearing.tls, hearing.hiding, len(hearing.names.mentions)) == (set(), {}, 0)
