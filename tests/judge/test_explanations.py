"""A finding in three sentences."""

from typing import Any

import pytest

from egress_audit.judge.explanations import (
    LONGEST,
    MOST_EXPLAINED,
    THE_SERVICE,
    explanation,
    explanations,
    explanations_of,
)
from egress_audit.model.audit import Match
from egress_audit.model.catalogue import Entry, Switch, Verified
from egress_audit.model.destination import Absent
from egress_audit.model.versions import ProductVersion
from tests.builders.cases import case, question
from tests.builders.endpoints import entry, known
from tests.builders.runs import owner, ran, run

HOST = "stats.acme.example"
WHOLE = "egress-audit whois stats.acme.example:443"
NEWS = entry("acme-news", "update-check", product="Acme app", switch=Absent.NOT_FOUND)


def explained(*entries: Entry) -> tuple[str, ...]:
    judged = case(question(HOST, **known(HOST, *entries)), entries=entries)
    return explanation(judged, next(judged.questions()).endpoints)


def switched(**changes: Any) -> Entry:
    return entry(switch=Switch("ACME_QUIET=1", **changes))


def test_an_entry_says_who_why_and_how_it_is_switched_off() -> None:
    assert explained(entry()) == (
        "who: Acme server; at the other end: Acme (SE)",
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
        "who: one of 2: Acme server, Acme app; at the other end: Acme (SE)",
        "why: telemetry or update-check",
        "how to switch it off: Acme server: ACME_QUIET=1; Acme app: no switch is known",
    )


def test_the_same_switch_of_several_is_told_once() -> None:
    both = explained(entry(), entry("acme-more", product="Acme app"))
    assert both[2] == "how to switch it off: ACME_QUIET=1"


def test_of_several_that_fit_the_first_failing_case_is_told_and_the_others_counted() -> None:
    first, second = switched(fails=("a", "b")), entry("acme-more", switch=Switch("X", fails=("c",)))
    told = explained(first, second)[2]
    assert told.endswith(f"; but note, of ACME_QUIET=1: a; 2 more cases: {WHOLE}")


def test_of_several_that_fit_what_silences_most_is_told_first_and_the_last_are_counted() -> None:
    ways = [
        entry(f"acme-{n}", product=f"P{n}", switch=Switch("", ((f"V{max(n, 2)}", "1"),)))
        for n in range(1, 7)
    ]
    told = explained(*ways)[2]
    assert told.startswith("how to switch it off: P1, P2: V2=1; P3: V3=1;")
    assert told.endswith(f"; 2 more ways: {WHOLE}")


def test_of_several_the_product_with_most_entries_is_named_first() -> None:
    more = entry("acme-more", product="Acme app")
    assert explained(entry(), NEWS, more)[0].startswith("who: one of 2: Acme app, Acme server")


def test_of_several_what_was_seen_running_is_told_before_what_was_read() -> None:
    ran = entry("acme-ran", product="Acme app", verified=Verified.RAN)
    assert explained(entry(), ran)[0].startswith("who: one of 2: Acme app, Acme server")


def test_one_case_beyond_those_told_is_one_case() -> None:
    told = explained(switched(fails=("a", "b", "c", "d")))[2]
    assert told.endswith(f"; but note: a; b; c; 1 more case: {WHOLE}")


def test_a_hosted_service_is_told_to_be_chosen_and_not_switched_off() -> None:
    hosted = entry(purpose="hosted-inference", switch=Absent.NOT_FOUND)
    assert explained(hosted)[2] == f"how to switch it off: {THE_SERVICE}"


def test_an_entry_for_the_very_name_is_told_without_one_for_all_names_below_the_domain() -> None:
    anything = entry("acme-any", product="anything of Acme's", hosts=("*.acme.example",))
    assert explained(entry(), anything) == explained(entry())


def test_an_entry_for_all_names_below_the_domain_is_told_beside_one_of_another_vendor() -> None:
    anything = entry("other", product="Other app", vendor="Other", hosts=("*.acme.example",))
    assert explained(entry(), anything)[0].startswith("who: one of 2: Acme server, Other app;")


def test_a_label_for_the_very_name_leaves_what_accuses() -> None:
    label = entry("acme-label", product="Acme app", labels_only=True)
    anything = entry(hosts=("*.acme.example",))
    assert explained(label, anything)[1:] == explained(anything)[1:]


def test_names_below_one_domain_are_explained_alike() -> None:
    cdn = entry(hosts=("*.acme.example",), switch=Switch("X", fails=("a", "b", "c", "d")))
    told = {
        explanation(judged, next(judged.questions()).endpoints)
        for host in ("a.acme.example", "b.acme.example")
        for judged in (case(question(host, **known(host, cdn)), entries=(cdn,)),)
    }
    assert len(told) == 1


def test_a_label_says_that_it_is_no_evidence() -> None:
    label = entry(labels_only=True)
    assert explained(label)[0].endswith("(general knowledge, no evidence)")


def test_a_label_below_a_domain_is_not_told_beside_an_entry_that_accuses() -> None:
    label = entry("acme-label", product="Acme app", hosts=("*.example",), labels_only=True)
    assert explained(entry(), label) == explained(entry())


def test_a_host_that_serves_anybody_may_have_been_called_by_any_other_program() -> None:
    label = entry("acme-label", product="anything", labels_only=True)
    who, *rest = explained(entry(), label)
    assert who == "who: Acme server, or any other program; at the other end: Acme (SE)"
    assert tuple(rest) == explained(entry())[1:]


def test_so_do_names_below_a_domain_that_serves_anybody() -> None:
    below = ("*.acme.example",)
    label = entry("acme-label", product="anything", hosts=below, labels_only=True)
    assert explained(entry(hosts=below), label)[0].startswith(
        "who: Acme server, or any other program;"
    )


def test_a_label_around_the_names_of_one_product_says_nothing_of_others() -> None:
    label = entry("acme-label", product="anything", hosts=("*.example",), labels_only=True)
    assert "any other program" not in explained(entry(hosts=("*.acme.example",)), label)[0]


@pytest.mark.parametrize(
    ("exe", "is_said"),
    [("/usr/bin/acmed", False), ("/usr/bin/other", True), ("/usr/bin/python3", True), ("", True)],
)
def test_where_the_program_is_known_to_call_there_nobody_else_is_meant(
    exe: str, is_said: bool
) -> None:
    label = entry("acme-label", product="anything", labels_only=True)
    daemon = entry(processes=("acmed", "python3"))
    judged = case(question(HOST, **known(HOST, daemon, label)), entries=(daemon, label))
    who = explanation(judged, next(judged.questions()).endpoints, exe)[0]
    assert ("any other program" in who) is is_said


def test_a_long_text_is_cut() -> None:
    assert max(map(len, explained(entry(sends="x" * 1000)))) < LONGEST + 60


# Versions

OLD = entry("acme-old", product="acme", versions="<2")
NEW = entry("acme-new", "update-check", product="acme", versions=">=2")


def by_version(
    one_of: tuple[Entry, ...], outside: tuple[Entry, ...], *versions: ProductVersion
) -> str:
    """Who it was, where what ran leaves some entries outside."""
    ids = [tuple(one.id for one in entries) for entries in (one_of, outside)]
    row = question(HOST, owner=owner(), endpoints=(Match(HOST, *ids),))
    judged = case(row, entries=(*one_of, *outside), run=run(), versions=versions)
    return explanation(judged, next(judged.questions()).endpoints, owner().exe)[0]


def test_a_version_that_no_entry_of_its_product_covers_is_said() -> None:
    assert by_version((NEW,), (NEW,), ran("acme", "1.5")) == (
        "who: acme; at the other end: Acme (SE); not covered: acme 1.5 (known of >=2)"
    )


def test_it_is_said_of_a_product_beside_another() -> None:
    other = entry(product="Other")
    assert by_version((other,), (NEW,), ran("acme", "1.5")) == (
        "who: Other; at the other end: Acme (SE); not covered: acme 1.5 (known of >=2)"
    )


def test_a_version_that_another_entry_covers_is_not() -> None:
    assert by_version((OLD,), (NEW,), ran("acme", "1.5", "stated")) == (
        "who: acme; at the other end: Acme (SE)"
    )


def test_of_several_the_one_that_was_loaded_stands_first() -> None:
    other = entry(product="Other")
    assert by_version((other, OLD), (), ran("acme", "1.5")) == (
        "who: one of 2: acme (1.5 was loaded), Other; at the other end: Acme (SE)"
    )


@pytest.mark.parametrize("known", [ran("acme", "1.5", "stated"), ran("acme", processes=(3,))])
def test_one_that_was_not_seen_in_the_sender_does_not(known: ProductVersion) -> None:
    other = entry(product="Other")
    assert by_version((other, OLD), (), known).startswith("who: one of 2: Other, acme;")


def test_a_version_of_any_length_is_cut() -> None:
    told = by_version((NEW,), (NEW,), ran("acme", "1." + "0" * 4000))
    assert len(told) < 150 and "…" in told


def test_one_whose_version_is_not_known_was_loaded() -> None:
    assert by_version((OLD,), (), ran("acme")).startswith("who: acme (it was loaded);")


SEEN = entry("acme-seen", product="acme", seen_in=("2.0.0", "2.1"))


@pytest.mark.parametrize(
    ("ran_in", "told"),
    [
        (ran("acme", "1.5"), "; not covered: acme 1.5 (known of 2.0.0, 2.1)"),
        (ran("acme", "1.5", "stated"), "; not covered: acme 1.5 (known of 2.0.0, 2.1)"),
        (ran("acme"), "; not covered: acme in an unknown version (known of 2.0.0, 2.1)"),
        (ran("acme", "2"), ""),
        (ran("acme", "v2.1.0"), ""),
        (ran("other", "1.5"), ""),
    ],
)
def test_a_version_in_which_nobody_looked_is_not_covered(ran_in: ProductVersion, told: str) -> None:
    assert by_version((SEEN,), (), ran_in).partition("Acme (SE)")[2] == told


@pytest.mark.parametrize(
    ("version", "told"),
    [("9.9", "; not covered: acme 9.9 (known of >=2, seen in 2.1)"), ("2.1", "")],
)
def test_an_open_bound_covers_no_version_that_nobody_has_seen(version: str, told: str) -> None:
    both = entry("acme-both", product="acme", versions=">=2", seen_in=("2.1",))
    assert by_version((both,), (), ran("acme", version)).partition("Acme (SE)")[2] == told


def test_of_two_entries_of_a_product_that_do_not_cover_a_version_one_is_told() -> None:
    told = by_version((NEW, SEEN), (NEW,), ran("acme", "1.5"))
    assert told.count("not covered: acme 1.5") == told.count("acme 1.5") == 1


def test_where_another_entry_knows_the_product_in_any_version_it_is_covered() -> None:
    anything = entry("acme-any", product="acme")
    assert "not covered" not in by_version((SEEN, anything), (), ran("acme", "1.5"))


# Of a blind spot, which is about several


def matches(*names: str, by: str = "acme-stats") -> list[Match]:
    return [Match(name, (by,)) for name in names]


def test_one_name_is_explained_as_that_of_a_finding() -> None:
    judged = case(entries=(entry(),))
    assert explanations(judged, matches(HOST)) == explained(entry())


def test_names_that_are_explained_alike_are_explained_once() -> None:
    judged = case(entries=(entry(),))
    assert explanations(judged, matches(HOST, "b.example")) == explained(entry())


def test_of_several_that_differ_each_says_of_which_it_speaks() -> None:
    judged = case(entries=(entry(), NEWS))
    both = [*matches(HOST, "b.example"), *matches("c.example", by="acme-news")]
    told = explanations(judged, both)
    assert len(told) == 6
    assert told[0].startswith(f"{HOST}, b.example, who: Acme server;")
    assert told[3].startswith("c.example, who: Acme app;")


def test_what_the_catalogue_does_not_know_is_left_out_and_the_last_ones_too() -> None:
    entries = tuple(entry(f"acme-{n}", product=f"P{n}") for n in range(9))
    several = [match for n in range(9) for match in matches(f"{n}.example", by=f"acme-{n}")]
    judged = case(entries=entries)
    assert len(explanations(judged, several)) == 3 * MOST_EXPLAINED
    assert explanations(judged, [Match("x.example", ())]) == ()


def test_callers_are_explained_each_by_itself() -> None:
    assert explanations_of([entry()]) == explained(entry())
    assert len(explanations_of([entry(), NEWS])) == 6
