"""The sentence under test."""

from dataclasses import replace
from ipaddress import ip_network

from egress_audit.addresses import Scope
from egress_audit.country_codes import COUNTRY_CODES, EUROPEAN_UNION
from egress_audit.model.audit import Audit, Owner
from egress_audit.model.catalogue import Purpose
from egress_audit.model.claim import Allow, AppliesTo, Deny, Question
from egress_audit.model.destination import Absent
from egress_audit.report.claim_section import claim_section
from tests.builders.audits import OFFLINE, asserted_silence, hub_lookup

NONE = Absent.NOT_FOUND


def terms(audit: Audit | None = None) -> dict[str, str]:
    section = claim_section(audit or hub_lookup())
    return {entry.term: entry.lines[0] for entry in section.entries}


def test_the_statement_stands_with_its_profile_and_source() -> None:
    assert OFFLINE.statement in terms()["Sentence"]
    assert terms()["Profile"] == f"offline: {OFFLINE.source}"


def test_a_capture_without_owners_is_never_called_the_program() -> None:
    assert terms()["Subject"] == "this capture: nothing in it says which program sent"


def test_processes_that_a_capture_names_are_said_not_to_be_trusted() -> None:
    owner = Owner(7, 0, "curl", NONE, NONE, NONE, "comments of ptcpdump")
    audit = hub_lookup()
    named = replace(audit, observations=(replace(audit.observations[0], owner=owner),))
    assert "that could be trusted; the processes that it names are shown" in terms(named)["Subject"]


def test_a_subject_that_is_known_is_not_doubted() -> None:
    assert terms(replace(hub_lookup(), subject="llama-server"))["Subject"] == "llama-server"


def test_what_holding_means_is_told_only_when_it_holds() -> None:
    assert "Means" not in terms()
    assert terms(asserted_silence())["Does not mean"] == OFFLINE.holds_does_not_mean


def test_the_systems_that_the_claim_speaks_of_are_named() -> None:
    claim = replace(OFFLINE, applies_to=AppliesTo(("DeepSeek-R1",), ("ollama",)))
    assert terms(replace(hub_lookup(), claim=claim))["Applies to"] == "DeepSeek-R1, ollama"


def test_what_of_the_catalogue_a_claim_allows_and_denies_is_named() -> None:
    endpoints = Allow(endpoints=("ollama-update", "vendor:Ollama"))
    purposes = Deny(purposes=frozenset({Purpose.TELEMETRY, Purpose.ANALYTICS}))
    claim = replace(OFFLINE, allow=endpoints, deny=purposes)
    told = terms(replace(hub_lookup(), claim=claim))
    assert told["Allows"] == "endpoints ollama-update, vendor:Ollama"
    assert told["Denies"] == "purposes analytics, telemetry"


def test_a_claim_that_allows_the_machine_alone_says_nothing_of_it() -> None:
    assert not {"Allows", "Denies"} & set(terms())


def test_whatever_else_it_allows_and_denies_is_told_key_by_key() -> None:
    allow = Allow(
        scopes=frozenset({Scope.LOOPBACK, Scope.LAN}),
        hosts=("a.example",),
        prefixes=(ip_network("192.0.2.0/24"),),
        controlled=frozenset({"SE", "DE"}),
        operators=frozenset({"Hetzner"}),
    )
    deny = Deny(
        hosts=("*.bad.example",),
        located=frozenset({"CN"}),
        categories=frozenset({"cdn"}),
        operators=frozenset({"Tencent"}),
    )
    claim = replace(OFFLINE, allow=allow, deny=deny)
    section = claim_section(replace(hub_lookup(), claim=claim))
    told = {entry.term: entry.lines for entry in section.entries}
    assert told["Allows"] == (
        "scopes lan",
        "hosts a.example",
        "prefixes 192.0.2.0/24",
        "controlled from DE, SE",
        "operators Hetzner",
    )
    assert told["Denies"] == (
        "hosts *.bad.example",
        "located in CN",
        "operators Tencent",
        "categories cdn",
    )


def test_of_many_values_some_are_told_and_the_others_counted() -> None:
    many = frozenset(sorted(COUNTRY_CODES)[:27])
    claim = replace(OFFLINE, allow=Allow(True, located=many, controlled=EUROPEAN_UNION))
    section = claim_section(replace(hub_lookup(), claim=claim))
    (lines,) = (entry.lines for entry in section.entries if entry.term == "Allows")
    assert lines[0] == "everything that it does not deny"
    assert lines[1].endswith(" … and 15 more")
    assert lines[2] == "controlled from the EU (27 countries)"


def test_questions_stand_there_with_their_answers_whatever_the_verdict() -> None:
    asked = Question("How long is it kept?", "cannot", "Ask the operator.")
    told = claim_section(replace(hub_lookup(), claim=replace(OFFLINE, questions=(asked,)))).entries[
        -1
    ]
    assert told.lines == ("How long is it kept?", "No capture can say. Ask the operator.")
