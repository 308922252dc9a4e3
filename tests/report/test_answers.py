"""Questions of a profile, answered from what was observed."""

from dataclasses import replace

import pytest

from egress_audit.addresses import Scope
from egress_audit.model.audit import Audit, Direction, Observation
from egress_audit.model.catalogue import Entry
from egress_audit.model.claim import Question
from egress_audit.model.destination import Absent, Confidence, Destination
from egress_audit.model.flow import NameSource
from egress_audit.model.run import Network
from egress_audit.report.answers import NOT_LET_OUT, NOWHERE, Extent, Observed, answer, answers
from tests.builders.audits import hub_lookup
from tests.builders.cases import contact, named, near, place, question, rest
from tests.builders.endpoints import entry, known
from tests.builders.runs import run

WHERE = Question("Where does it go?", "located")
UNDER_WHOM = Question("Under whose law?", "controlled")
TO_WHOM = Question("To whom?", "operator")
INVENTED = Destination(Scope.SIMULATED, *(Absent.SYNTHETIC,) * 9)
SPLIT = place(located_confidence=Confidence.LOW, located_alt="US")
AT_HOME = near(Scope.LOOPBACK)
UNKNOWN = Destination(Scope.GLOBAL, *(Absent.NOT_FOUND,) * 9)


def audit(*rows: Observation) -> Audit:
    return replace(hub_lookup(), observations=rows)


def said(asked: Question, seen: Audit) -> str:
    return answer(asked, seen).said


def to(address: str, there: Destination, *hosts: str) -> Observation:
    return contact(address, *map(named, hosts), destination=there)


def test_where_it_goes_is_told_by_country_with_the_names() -> None:
    seen = audit(
        to("45.9.0.1", place(), "a.example"),
        to("45.9.0.2", place(), "b.example"),
        to("45.9.0.3", place(located="US")),
    )
    assert said(WHERE, seen) == (
        "SE (2\N{NO-BREAK SPACE}destinations: a.example, b.example); "
        "US (1\N{NO-BREAK SPACE}destination: 45.9.0.3)."
    )


def test_under_whose_law_is_told_by_jurisdiction() -> None:
    assert said(UNDER_WHOM, audit(to("45.9.0.1", place(controlled="CN")))).startswith("CN (1")


def test_to_whom_is_told_by_operator() -> None:
    assert said(TO_WHOM, audit(to("45.9.0.1", place()))).startswith("Example (1")


def test_an_operator_that_no_table_has_is_told_by_the_holder_of_its_as() -> None:
    unlisted = place(operator=Absent.NOT_FOUND)
    assert said(TO_WHOM, audit(to("45.9.0.1", unlisted))).startswith("Example AB (1")


@pytest.mark.parametrize("asked", [UNDER_WHOM, TO_WHOM])
def test_a_front_is_told_to_be_one(asked: Question) -> None:
    told = said(asked, audit(to("45.9.0.1", place(role="cdn-front"))))
    assert ", of a front: who is behind it is not seen (1" in told


@pytest.mark.parametrize(
    ("there", "told"),
    [
        (UNKNOWN, "Not known (1"),
        (place(located_confidence=Confidence.NONE), "Not known, anycast or a front (1"),
        (place(located_confidence=Confidence.LOW), "Not known, nothing confirms: SE (1"),
        (SPLIT, "Not known, sources differ: SE or US (1"),
        (INVENTED, "Not known, the address was invented in the sandbox (1"),
    ],
)
def test_a_place_that_is_no_fact_is_not_told_as_one(there: Destination, told: str) -> None:
    assert said(WHERE, audit(to("45.9.0.1", there))).startswith(told)


@pytest.mark.parametrize("asked", [UNDER_WHOM, TO_WHOM])
def test_an_operator_of_whom_nothing_is_known_is_not_known(asked: Question) -> None:
    assert said(asked, audit(to("45.9.0.1", UNKNOWN))).startswith("Not known (1")


def test_what_is_not_known_stands_last() -> None:
    told = said(WHERE, audit(to("45.9.0.1", UNKNOWN), to("45.9.0.2", place(located="ZA"))))
    assert told.index("ZA") < told.index("not known")


@pytest.mark.parametrize(
    "row",
    [
        contact("192.168.1.7", destination=near(Scope.LAN)),
        contact("45.9.0.1", destination=place(), direction=Direction.INBOUND),
        question("localhost"),
        contact("127.0.0.1", named("127.0.0.1", NameSource.HTTP_HOST), destination=AT_HOME),
        contact("127.0.0.1", named("a.example"), destination=AT_HOME),
    ],
    ids=["the local network", "what others began", "an own name", "a local server", "said there"],
)
def test_what_stays_or_came_in_is_no_destination(row: Observation) -> None:
    assert said(WHERE, audit(row)).startswith("Nowhere: ")


@pytest.mark.parametrize(
    "row",
    [
        question("a.example"),
        contact("127.0.0.1", named("a.example", NameSource.HTTP_CONNECT), destination=AT_HOME),
        contact("127.0.0.1", named("a.example", NameSource.HTTP2_AUTHORITY), destination=AT_HOME),
    ],
    ids=["a question", "through a proxy", "through a proxy of HTTP/2"],
)
def test_what_somebody_else_was_asked_for_is_not_nowhere(row: Observation) -> None:
    told = said(WHERE, audit(row))
    assert told == "Not known: resolvers or proxies were asked for a.example."


def test_contacts_beyond_the_rows_are_not_nowhere() -> None:
    assert said(WHERE, audit(rest(global_=1))).startswith("Not known: there are more contacts")


def test_many_places_are_summed() -> None:
    codes = ("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI")
    rows = (to(f"45.9.0.{n}", place(located=code)) for n, code in enumerate(codes))
    assert said(WHERE, audit(*rows)).endswith("; and 2 more.")


def test_what_a_capture_cannot_say_is_said_to_be_so() -> None:
    asked = Question("How long is it kept?", "cannot", "Ask the operator.")
    assert said(asked, audit()) == "No capture can say. Ask the operator."


def test_what_the_profile_adds_stands_behind_the_answer() -> None:
    asked = replace(WHERE, text="As far as lists know.")
    assert said(asked, audit(to("45.9.0.1", place()))).endswith(". As far as lists know.")


# Whose names were used


ACME, LABEL = entry(), entry("other-label", vendor="Other", labels_only=True)


def naming(*entries: Entry) -> Audit:
    seen = contact("45.9.0.1", named("stats.acme.example"), destination=place(controlled="US"))
    return replace(audit(replace(seen, **known("stats.acme.example", *entries))), endpoints=entries)


@pytest.mark.parametrize("asked", [UNDER_WHOM, TO_WHOM])
def test_the_vendor_that_a_name_belongs_to_is_told_beside_the_operator(asked: Question) -> None:
    assert said(asked, naming(ACME)).endswith("; by name: Acme (SE).")


def test_a_vendor_of_unknown_jurisdiction_is_told_without_one() -> None:
    unknown = replace(ACME, jurisdiction=Absent.NOT_FOUND)
    assert said(TO_WHOM, naming(unknown)).endswith("; by name: Acme.")


def test_where_data_goes_no_name_says() -> None:
    assert "by name" not in said(WHERE, naming(ACME))


def test_a_name_that_may_be_one_of_several_vendors_tells_none() -> None:
    assert "by name" not in said(TO_WHOM, naming(ACME, entry("other", vendor="Other")))


def test_a_label_says_nothing_beside_what_is_known_better() -> None:
    assert said(TO_WHOM, naming(ACME, LABEL)).endswith("; by name: Acme (SE).")


def test_a_label_alone_names_as_well() -> None:
    assert said(TO_WHOM, naming(LABEL)).endswith("; by name: Other (SE).")


def asking(*entries: Entry) -> Audit:
    seen = replace(question("stats.acme.example"), **known("stats.acme.example", *entries))
    return replace(audit(seen), endpoints=entries)


def test_a_name_that_was_asked_for_and_not_contacted_is_told_as_that() -> None:
    assert said(TO_WHOM, asking(ACME)).endswith("; asked for by name alone: Acme (SE).")


def test_a_name_that_was_contacted_is_not_told_again_as_asked_for() -> None:
    rows = (*naming(ACME).observations, *asking(ACME).observations)
    both = replace(naming(ACME), observations=rows)
    assert said(TO_WHOM, both).endswith("; by name: Acme (SE).")


# In a sandbox


def sandboxed(network: Network, *rows: Observation) -> Audit:
    return replace(audit(*rows), run=run(network=network, resolvers=("10.87.0.1",)))


def test_the_resolver_of_our_sandbox_is_no_place_that_data_goes_to() -> None:
    seen = contact("10.87.0.1", far_p=53, destination=INVENTED)
    assert said(WHERE, sandboxed(Network.SEALED, seen)).startswith("Nowhere: ")


def test_another_service_at_that_address_is_one() -> None:
    seen = contact("10.87.0.1", far_p=443, destination=INVENTED)
    assert said(WHERE, sandboxed(Network.SEALED, seen)).startswith("Not known, the address was")


def test_a_sandbox_that_let_nothing_out_says_so() -> None:
    assert said(WHERE, sandboxed(Network.SEALED)) == f"{NOT_LET_OUT}."


def test_a_run_on_the_open_network_that_sent_nothing_went_nowhere() -> None:
    assert said(WHERE, sandboxed(Network.OPEN)) == f"{NOWHERE}."


# For programs


def test_each_question_has_an_answer_in_the_order_of_the_profile() -> None:
    seen = audit(to("45.9.0.1", place()))
    asking_both = replace(seen, claim=replace(seen.claim, questions=(TO_WHOM, WHERE)))
    assert [told.ask for told in answers(asking_both)] == [TO_WHOM.ask, WHERE.ask]


def test_destinations_are_grouped_by_what_is_known_of_them() -> None:
    seen = audit(to("45.9.0.1", place()), to("45.9.0.2", UNKNOWN), to("45.9.0.3", place()))
    assert answer(WHERE, seen).observed == (
        Observed("SE", "", ("45.9.0.1", "45.9.0.3")),
        Observed(Absent.NOT_FOUND, "", ("45.9.0.2",)),
    )


def test_no_country_of_a_source_that_another_contradicts_is_given_as_one() -> None:
    (observed,) = answer(WHERE, audit(to("45.9.0.1", SPLIT))).observed
    assert observed.told is Absent.NOT_FOUND
    assert observed.beside == "sources differ: SE or US"


def test_vendors_by_name_are_told_apart_from_operators_by_address() -> None:
    contacted, asked = answer(TO_WHOM, naming(ACME)), answer(TO_WHOM, asking(ACME))
    assert (contacted.by_name, contacted.asked_by_name) == (("Acme (SE)",), ())
    assert (asked.by_name, asked.asked_by_name) == ((), ("Acme (SE)",))


FRONT = place(role="cdn-front")


@pytest.mark.parametrize(
    ("asked", "rows", "extent"),
    [
        (WHERE, (to("45.9.0.1", place()),), Extent.WHOLE),
        (WHERE, (), Extent.WHOLE),
        (WHERE, (to("45.9.0.1", place()), to("45.9.0.2", UNKNOWN)), Extent.PART),
        (UNDER_WHOM, (to("45.9.0.1", FRONT),), Extent.PART),
        (WHERE, (to("45.9.0.1", SPLIT),), Extent.NOT),
        (WHERE, (question("a.example"),), Extent.NOT),
        (Question("How long is it kept?", "cannot", "Ask."), (), Extent.NOT),
    ],
    ids=["all known", "nowhere", "some", "a front", "sources differ", "elsewhere", "never"],
)
def test_how_much_of_a_question_is_answered(
    asked: Question, rows: tuple[Observation, ...], extent: Extent
) -> None:
    assert answer(asked, audit(*rows)).answered is extent


def test_a_name_that_was_asked_for_answers_a_part() -> None:
    assert answer(TO_WHOM, asking(ACME)).answered is Extent.PART


def test_what_a_sandbox_kept_in_is_no_answer() -> None:
    assert answer(WHERE, sandboxed(Network.SEALED)).answered is Extent.NOT
