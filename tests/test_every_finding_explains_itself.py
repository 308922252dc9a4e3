"""Whatever contradicts a claim, or leaves its purposes open, explains itself in every format."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from egress_audit.judge.case import Tried
from egress_audit.judge.rules import RULES, findings
from egress_audit.model.audit import Audit, Direction, Match, Verdict
from egress_audit.model.catalogue import Purpose
from egress_audit.model.claim import AppliesTo, Deny
from egress_audit.model.destination import Absent
from egress_audit.model.flow import NameSource
from egress_audit.report.beside import Envelope
from egress_audit.report.markdown import escaped
from egress_audit.report.renderers import RENDERERS, Presentation
from tests.builders.audits import hub_lookup, silent_capture
from tests.builders.cases import (
    LAN,
    LOOPBACK,
    OFFLINE,
    OUTSIDE,
    case,
    claim,
    contact,
    named,
    place,
    question,
    spots,
)
from tests.builders.endpoints import entry, known
from tests.builders.runs import attempt, owner, run

HOST = "stats.acme.example"
STATS = entry()
NEWS = entry("acme-news", "update-check", product="Acme app", versions=">=2")
KNOWN = known(HOST, STATS)
IN_CHINA = place(located="CN", controlled="CN", role="state-telecom")


def denying(**changes: Any) -> Any:
    return claim(everything=True, deny=Deny(**changes))


def only_in(*countries: str) -> Any:
    bare = claim()
    return replace(bare, allow=replace(bare.allow, located=frozenset(countries)))


CONTACT = contact(OUTSIDE, named(HOST), **KNOWN)
IN_A_DENIED_PLACE = contact(OUTSIDE, destination=IN_CHINA, **KNOWN)
CHINA = frozenset({"CN"})
TRIED: dict[str, Any] = {
    "run": run(attempts=(attempt(OUTSIDE),)),
    "tried": {Tried(OUTSIDE, 443): (Match(OUTSIDE, ("acme-stats",)),)},
    "places": {OUTSIDE: IN_CHINA},
}
FIRES: Mapping[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "EA001": ((CONTACT,), {}),
    "EA002": ((question(HOST, **KNOWN),), {}),
    "EA003": ((contact(LAN, **KNOWN),), {}),
    "EA004": ((contact("169.254.169.254", **KNOWN),), {}),
    "EA005": (
        (contact(LOOPBACK, named(HOST, NameSource.HTTP_CONNECT), **KNOWN),),
        {},
    ),
    "EA006": ((IN_A_DENIED_PLACE,), {"claim": denying(located=CHINA)}),
    "EA007": ((IN_A_DENIED_PLACE,), {"claim": denying(controlled=CHINA)}),
    "EA008": ((IN_A_DENIED_PLACE,), {"claim": denying(categories=frozenset({"state-telecom"}))}),
    "EA009": ((CONTACT,), {"claim": denying(hosts=(HOST,))}),
    "EA010": (
        (contact(OUTSIDE, direction=Direction.INBOUND, **KNOWN),),
        {"claim": replace(OFFLINE, inbound="deny")},
    ),
    "EA012": ((), TRIED),
    "EA013": ((CONTACT,), {"claim": denying(purposes=frozenset({Purpose.TELEMETRY}))}),
    "EA014": ((CONTACT,), {"claim": denying(controlled=frozenset({"SE"}))}),
    "EA015": ((IN_A_DENIED_PLACE,), {"claim": only_in("SE")}),
    "EA006 of an attempt": ((), TRIED | {"claim": denying(located=CHINA)}),
    "EA007 of an attempt": ((), TRIED | {"claim": denying(controlled=CHINA)}),
    "EA008 of an attempt": (
        (),
        TRIED | {"claim": denying(categories=frozenset({"state-telecom"}))},
    ),
    "EA009 of an attempt": (
        (),
        TRIED | {"claim": denying(prefixes=claim(prefixes=("203.0.113.0/24",)).allow.prefixes)},
    ),
    "EA013 of an attempt": (
        (),
        TRIED | {"claim": denying(purposes=frozenset({Purpose.TELEMETRY}))},
    ),
    "EA014 of an attempt": ((), TRIED | {"claim": denying(controlled=frozenset({"SE"}))}),
    "EA015 of an attempt": ((), TRIED | {"claim": only_in("SE")}),
}
"""By rule: rows of what the catalogue knows, and what makes a case of them."""
NOT_ABOUT_ONE_PLACE = {"EA011"}
"""What is summed in a last row has neither name nor address."""

NO_TELEMETRY = denying(purposes=frozenset({Purpose.TELEMETRY}))
OPEN: Mapping[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "purpose-undecided": (
        (question(HOST, **known(HOST, STATS, replace(NEWS, versions=""))),),
        {"claim": NO_TELEMETRY},
    ),
    "purpose-unknown": ((question(HOST, **known(HOST, NEWS)),), {"claim": NO_TELEMETRY}),
    "callers-later": (
        (),
        {
            "claim": claim(applies_to=AppliesTo(runtimes=("acme server",))),
            "timed": (replace(STATS, first_ns=10**18),),
            "run": run(ended_by="observed"),
        },
    ),
    "callers-after-end": (
        (),
        {
            "claim": claim(applies_to=AppliesTo(runtimes=("acme server",))),
            "timed": (replace(STATS, first_ns=10**18),),
            "run": run(),
        },
    ),
    "caller-unknown": (
        (
            question(
                HOST,
                owner=replace(owner(), exe="/usr/bin/python3", cmdline="python3"),
                **known(HOST, replace(STATS, processes=("acmed",))),
            ),
        ),
        {
            "claim": claim(endpoints=("product:Acme server",)),
            "entries": (replace(STATS, processes=("acmed",)),),
        },
    ),
}


def shown(word: str, audit: Audit) -> str:
    """The audit in one format, without the line breaks of its layout."""
    text = "".join(RENDERERS[word](audit, Presentation(Envelope("1", ("a.pcap",)))))
    return " ".join(text.split())


def in_format(word: str, line: str) -> str:
    """A line as one format writes it."""
    if word == "json":
        return json.dumps(line, ensure_ascii=False)
    return escaped(line) if word == "markdown" else line


def explained(what: tuple[tuple[Any, ...], dict[str, Any]]) -> Any:
    rows, changes = what
    return case(*rows, **({"entries": (STATS, NEWS)} | changes))


def test_every_rule_that_is_about_one_place_is_looked_at() -> None:
    assert {rule.id for rule in RULES} - NOT_ABOUT_ONE_PLACE == {name[:5] for name in FIRES}


@pytest.mark.parametrize("word", RENDERERS)
@pytest.mark.parametrize("name", FIRES)
def test_a_finding_about_a_known_place_says_who_and_why_and_how_to_stop_it(
    name: str, word: str
) -> None:
    judged = explained(FIRES[name])
    (finding,) = (one for one in findings(judged) if one.rule == name[:5])
    assert [line.partition(":")[0] for line in finding.explanation] == [
        "who",
        "why",
        "how to switch it off",
    ]
    audit = replace(
        hub_lookup(), findings=(finding,), observations=judged.observations, endpoints=(STATS,)
    )
    text = shown(word, audit)
    assert all(in_format(word, line) in text for line in finding.explanation)


@pytest.mark.parametrize("name", FIRES)
def test_a_finding_about_an_unknown_place_has_nothing_to_explain(name: str) -> None:
    rows, changes = FIRES[name]
    strangers = tuple(replace(row, endpoints=()) for row in rows)
    judged = case(*strangers, **(changes | {"tried": {}}))
    assert [one for one in findings(judged) if one.explanation] == []


@pytest.mark.parametrize("word", RENDERERS)
@pytest.mark.parametrize("name", OPEN)
def test_an_open_point_about_a_known_place_says_who_and_why_and_how_to_stop_it(
    name: str, word: str
) -> None:
    spot = spots(explained(OPEN[name]))[name]
    assert spot.material and len(spot.explanation) == 3
    audit = replace(
        silent_capture(), verdict=Verdict.INCONCLUSIVE, blind_spots=(spot,), assertions=()
    )
    text = shown(word, audit)
    assert all(in_format(word, line) in text for line in spot.explanation)


def test_an_open_point_about_an_unknown_place_has_nothing_to_explain() -> None:
    judged = case(question(HOST), claim=NO_TELEMETRY, run=Absent.NOT_APPLICABLE)
    assert spots(judged)["purpose-unknown"].explanation == ()
