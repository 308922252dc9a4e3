"""Whose law the vendors are under that a name may be of, and when that is open."""

from dataclasses import replace
from typing import Any

import pytest

from egress_audit.judge.vendors import are_under, vendors_in_doubt
from egress_audit.model.audit import Match
from egress_audit.model.claim import Claim, Deny
from egress_audit.model.destination import Absent
from tests.builders.cases import NO_CHINA, OUTSIDE, case, claim, question
from tests.builders.endpoints import entry, known

HOST = "stats.acme.example"
SWEDISH = entry("acme-sweden")
CHINESE = entry("acme-china", jurisdiction="CN")
LABEL = entry("acme-label", jurisdiction="CN", labels_only=True)
OPEN = entry("acme-open", jurisdiction=Absent.NOT_FOUND)


def nordic(*hosts: str) -> Claim:
    bare = claim(hosts=hosts)
    return replace(bare, allow=replace(bare.allow, controlled=frozenset({"FI", "SE"})))


def in_doubt(*entries: Any, claim: Any = NO_CHINA) -> list[str]:
    asked = question(HOST, OUTSIDE, **known(HOST, *entries))
    return list(vendors_in_doubt(case(asked, claim=claim, entries=entries)))


def test_a_name_is_surely_of_vendors_who_are_all_under_one_law() -> None:
    match = Match(HOST, ("acme-china", "acme-label"))
    judged = case(entries=(CHINESE, LABEL, SWEDISH))
    assert are_under(judged, match, {"CN"})
    assert not are_under(judged, Match(HOST, ("acme-china", "acme-sweden")), {"CN"})
    assert not are_under(judged, Match(HOST, ("acme-label",)), {"CN"})


@pytest.mark.parametrize(
    "entries", [(LABEL,), (SWEDISH, LABEL), (CHINESE, SWEDISH), (CHINESE, OPEN)]
)
def test_a_vendor_that_only_may_be_under_a_denied_law_is_in_doubt(entries: Any) -> None:
    assert in_doubt(*entries) == [HOST]


@pytest.mark.parametrize("entries", [(SWEDISH,), (OPEN,), (CHINESE,), (CHINESE, LABEL)])
def test_one_that_surely_is_or_is_not_known_to_be_is_not(entries: Any) -> None:
    assert in_doubt(*entries) == []


def test_a_label_of_all_names_around_says_nothing_where_another_entry_knows_just_this_one() -> None:
    around = replace(LABEL, hosts=("*.acme.example",))
    assert in_doubt(SWEDISH, around) == []
    assert in_doubt(around) == [HOST]


def test_so_is_one_that_may_be_under_no_law_that_is_allowed() -> None:
    assert in_doubt(LABEL, claim=nordic()) == [HOST]
    assert in_doubt(SWEDISH, OPEN, claim=nordic()) == []
    assert in_doubt(CHINESE, claim=nordic()) == []


def test_a_name_that_the_claim_allows_otherwise_is_not_in_doubt() -> None:
    assert in_doubt(LABEL, claim=nordic(HOST)) == []


def test_a_denied_law_is_in_doubt_however_the_name_is_allowed() -> None:
    allowed = claim(hosts=(HOST,), deny=Deny(controlled=frozenset({"CN"})))
    assert in_doubt(LABEL, claim=allowed) == [HOST]


def test_laws_do_not_matter_to_other_claims() -> None:
    assert in_doubt(LABEL, claim=claim(everything=True)) == []
