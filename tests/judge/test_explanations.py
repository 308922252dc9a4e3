"""A finding in three sentences."""

from typing import Any

from egress_audit.judge.explanations import LONGEST, explanation
from egress_audit.model.catalogue import Entry, Switch
from egress_audit.model.destination import Absent
from tests.builders.cases import case, question
from tests.builders.endpoints import entry, known

HOST = "stats.acme.example"
NEWS = entry("acme-news", "update-check", product="Acme app", switch=Absent.NOT_FOUND)


def explained(*entries: Entry) -> tuple[str, ...]:
    judged = case(question(HOST, **known(HOST, *entries)), entries=entries)
    return explanation(judged, next(judged.questions()))


def switched(**changes: Any) -> Entry:
    return entry(switch=Switch("ACME_QUIET=1", **changes))


def test_an_entry_says_who_why_and_how_it_is_switched_off() -> None:
    assert explained(entry()) == (
        "who: Acme server, of Acme (SE)",
        "why: telemetry, at start; sends how often it was used",
        "how to switch it off: ACME_QUIET=1 before it starts",
    )


def test_what_the_catalogue_does_not_know_is_not_explained() -> None:
    assert explained() == ()


def test_a_switch_is_told_with_the_cases_in_which_it_fails() -> None:
    fails = ("as a service", "in old versions")
    assert explained(switched(fails=fails))[2] == (
        "how to switch it off: ACME_QUIET=1; but note: as a service; in old versions"
    )


def test_without_a_switch_it_says_so() -> None:
    assert explained(NEWS)[2] == "how to switch it off: no switch is known"


def test_a_product_that_is_called_as_its_vendor_is_named_once() -> None:
    assert explained(entry(product="Acme"))[0] == "who: Acme (SE)"


def test_where_none_of_several_has_a_switch_it_is_said_once() -> None:
    other = entry("acme-more", product="Acme server", switch=Absent.NOT_FOUND)
    assert explained(NEWS, other)[2] == "how to switch it off: no switch is known"


def test_several_that_fit_are_one_of_them() -> None:
    assert explained(entry(), NEWS) == (
        "who: one of 2: Acme server, Acme app, of Acme (SE)",
        "why: telemetry or update-check",
        "how to switch it off: ACME_QUIET=1 for Acme server; no switch is known for Acme app",
    )


def test_the_same_switch_of_several_is_told_once() -> None:
    both = explained(entry(), entry("acme-more", product="Acme app"))
    assert both[2] == "how to switch it off: ACME_QUIET=1 for Acme server, Acme app"


def test_of_several_that_fit_the_first_failing_case_is_told_and_the_others_counted() -> None:
    first, second = switched(fails=("a", "b")), entry("acme-more", switch=Switch("X", fails=("c",)))
    told = explained(first, second)[2]
    assert told.endswith("; but note, of ACME_QUIET=1: a; 2 more such cases")


def test_of_several_that_fit_what_silences_most_is_told_first_and_the_last_are_counted() -> None:
    ways = [
        entry(f"acme-{n}", product=f"P{n}", switch=Switch("", ((f"V{max(n, 2)}", "1"),)))
        for n in range(1, 7)
    ]
    told = explained(*ways)[2]
    assert told.startswith("how to switch it off: V2=1 for P1, P2; V3=1 for P3;")
    assert told.endswith("2 more in the document")


def test_of_several_the_product_with_most_entries_is_named_first() -> None:
    more = entry("acme-more", product="Acme app")
    assert explained(entry(), NEWS, more)[0].startswith("who: one of 2: Acme app, Acme server")


def test_a_label_says_that_it_is_no_evidence() -> None:
    label = entry(labels_only=True)
    assert explained(label)[0].endswith("(general knowledge, no evidence)")


def test_a_label_is_not_told_beside_an_entry_that_accuses() -> None:
    label = entry("acme-label", product="Acme app", labels_only=True)
    assert explained(entry(), label) == explained(entry())


def test_a_long_text_is_cut() -> None:
    assert max(map(len, explained(entry(sends="x" * 1000)))) < LONGEST + 60
