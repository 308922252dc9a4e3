"""What the lists know, as lines for people and as JSON."""

import json
from dataclasses import replace
from typing import Any

import pytest

from egress_audit.addresses import Scope
from egress_audit.model.catalogue import Entry
from egress_audit.model.destination import Absent, Confidence, Destination
from egress_audit.model.whois import AutonomousSystem, Kind, WhoIs
from egress_audit.report.whois import THE_SERVICE, whois_json, whois_markdown, whois_text
from tests.builders.catalogues import read_entry

NOTHING = WhoIs(
    asked="stats.acme.example",
    kind=Kind.HOST,
    port=Absent.NOT_FOUND,
    protocol=Absent.NOT_FOUND,
    endpoints=(),
    above=Absent.NOT_FOUND,
    resolver=Absent.NOT_FOUND,
    embeds=Absent.NOT_APPLICABLE,
    destination=Absent.NOT_APPLICABLE,
    autonomous_system=Absent.NOT_APPLICABLE,
    lists=(),
)
PLACE = Destination(
    scope=Scope.GLOBAL,
    located="US",
    located_confidence=Confidence.LOW,
    located_alt="CA",
    registered="US",
    controlled="CN",
    asn=64500,
    organisation="Acme Ltd.",
    operator="Acme",
    role="cloud",
)
FULL = read_entry(
    versions='">=1.29"',
    ports="[443/tcp]",
    trigger="at start",
    first="90s",
    every="4h",
    phases="[start, idle]",
    processes="[acme]",
    sends="a name",
    switch_off='{how: set QUIET=1, variables: {QUIET: "1", MORE: "2"}, fails: [in 1.1]}',
    stamps="[~/.acme]",
)


def text(*entries: Entry, width: int = 100, **changes: Any) -> str:
    return whois_text(replace(NOTHING, endpoints=entries, **changes), width=width)


def said(*entries: Entry, **changes: Any) -> str:
    """The text without its line breaks."""
    return " ".join(text(*entries, **changes).split())


def test_what_no_list_knows_is_not_called_harmless() -> None:
    assert "Not in the catalogue of endpoints. That does not mean harmless" in said()


@pytest.mark.parametrize("name", ["localhost", "app.localhost"])
def test_localhost_is_the_machine_itself(name: str) -> None:
    assert said(asked=name).startswith(f"{name} The machine itself")


def test_a_name_that_ends_alike_is_not_localhost() -> None:
    assert "The machine itself" not in said(asked="notlocalhost")


def test_a_known_name_above_is_told() -> None:
    assert "The catalogue knows acme.example, whose owner" in said(above="acme.example")


def test_an_entry_is_told_with_all_that_is_known_of_it() -> None:
    shown = said(FULL)
    for words in (
        "Acme server: telemetry",
        "Vendor Acme, under the jurisdiction of US",
        "Versions >=1.29; others are not covered",
        "When at start first after 90 s; every 4 h; phase start, idle",
        "Called by acme",
        "Sends a name",
        "Switch off set QUIET=1 MORE=2 But: in 1.1",
        "Silenced by ~/.acme, until that is old",
        "Fits stats.acme.example at 443/tcp",
        "Known read in code; confidence high",
        "Source read in acme 1.0",
        "Id acme-telemetry",
    ):
        assert words in shown


def test_versions_in_which_somebody_looked_are_told_where_no_bounds_are() -> None:
    entry = read_entry(seen_in='["0.33.0"]')
    assert "Versions seen in 0.33.0; others were not looked at" in said(entry)


def test_bounds_are_told_with_the_version_in_which_somebody_looked() -> None:
    entry = read_entry(versions='">=1.29"', seen_in='["1.31.1"]')
    assert "Versions >=1.29; seen in 1.31.1; others were not looked at" in said(entry)


def test_an_entry_without_more_is_told_without_empty_terms() -> None:
    shown = said(read_entry())
    assert "Switch off no way is known" in shown
    assert not {"Versions", "When", "Sends", "Silenced"} & set(shown.split())


def test_a_hosted_service_is_told_to_be_chosen_and_not_switched_off() -> None:
    assert f"Switch off {THE_SERVICE}" in said(read_entry(purpose="hosted-inference"))


def test_a_first_call_at_once_is_told() -> None:
    assert "When first after 0 s" in said(read_entry(first="0s"))


def test_of_several_entries_the_answer_is_one_of_them() -> None:
    shown = said(FULL, read_entry(purpose="auth"))
    assert "One of 2 things that the catalogue knows." in shown
    assert "1 Acme server: telemetry" in shown
    assert "2 Acme server: auth" in shown


def test_many_entries_have_an_overview_before_them() -> None:
    shown = text(*(read_entry(product=f"P{number}") for number in range(4)))
    overview = shown.split("\n\n")[1]
    assert overview.splitlines() == [f"  {number + 1} P{number}: telemetry" for number in range(4)]


def test_few_entries_need_no_overview() -> None:
    assert text(FULL, FULL).count("Acme server: telemetry") == 2


def test_entries_of_several_vendors_are_told_as_such() -> None:
    assert "of several vendors" in said(FULL, read_entry(vendor="Other"))


def test_one_entry_is_not_taken_for_all_there_is() -> None:
    assert "one reason to call there; there may be others" in said(FULL)


def test_labels_are_told_as_labels() -> None:
    shown = said(read_entry(labels_only="true"))
    assert "These are labels" in shown
    assert "a label, on which no finding rests" in shown
    assert "label" not in said(read_entry())


def test_an_address_is_told_with_place_dissent_and_operator() -> None:
    shown = said(kind=Kind.ADDRESS, destination=PLACE)
    for words in (
        "Scope global",
        "Located US or CA (low confidence: sources differ)",
        "Registered US",
        "Controlled by CN, where the operator's parent company is",
        "AS AS64500 Acme Ltd.",
        "Operator Acme",
        "Role cloud",
    ):
        assert words in shown


@pytest.mark.parametrize(
    ("confidence", "words"),
    [
        (Confidence.HIGH, "Located US (high confidence: sources agree)"),
        (Confidence.LOW, "Located US (low confidence: nothing confirms it)"),
        (Confidence.NONE, "Located no one place: anycast"),
    ],
)
def test_a_place_is_told_as_surely_as_it_is_known(confidence: Confidence, words: str) -> None:
    place = replace(PLACE, located_alt=Absent.NOT_FOUND, located_confidence=confidence)
    assert words in said(kind=Kind.ADDRESS, destination=place)


def test_what_the_lists_lack_of_an_address_is_unknown() -> None:
    lacking = replace(
        PLACE, located=Absent.NOT_FOUND, controlled=Absent.NOT_FOUND, asn=Absent.NOT_FOUND
    )
    shown = said(kind=Kind.ADDRESS, destination=lacking)
    assert "Located unknown Registered US Controlled by unknown AS none: the lists have" in shown


def test_a_special_address_has_a_scope_and_no_place() -> None:
    destination = replace(PLACE, scope=Scope.LAN)
    shown = said(kind=Kind.ADDRESS, destination=destination)
    assert "Who is there depends on the network" in shown
    assert "local network" in shown
    assert "Located" not in shown


def test_a_resolver_is_told() -> None:
    assert "Answers DNS over HTTPS" in said(resolver="DNS over HTTPS")


def test_an_as_is_told_with_its_operator() -> None:
    system = AutonomousSystem(64500, "Acme Ltd.", "Acme", Absent.NOT_FOUND, "cloud", "US", "new")
    shown = said(kind=Kind.AS, asked="AS64500", autonomous_system=system)
    assert shown == (
        "AS64500 Autonomous system Organisation Acme Ltd. Operator Acme Jurisdiction unknown "
        "Category cloud Registered US Note new"
    )


def test_an_as_that_the_table_lacks_is_told_as_unknown() -> None:
    shown = said(kind=Kind.AS, asked="AS1", autonomous_system=Absent.NOT_FOUND)
    assert "Not in the table of operators. That does not mean harmless" in shown


def test_a_port_that_was_asked_for_is_told() -> None:
    assert text(port=443, protocol="tcp").startswith("stats.acme.example, port 443/tcp\n")


@pytest.mark.parametrize("width", [80, 100, 160])
def test_no_line_is_wider_than_it_may_be(width: int) -> None:
    shown = text(replace(FULL, source="word " * 60, sends="x" * 300), width=width)
    assert max(map(len, shown.splitlines())) <= width


def test_no_escape_of_a_list_reaches_the_terminal() -> None:
    hostile = replace(FULL, product="a\x1b[2J", source="b\x9b", sends="\u202ec")
    shown = text(hostile)
    assert "\x1b" not in shown and "\x9b" not in shown and "\u202e" not in shown


def test_colour_adds_no_word() -> None:
    found = replace(NOTHING, endpoints=(FULL,))
    plain = whois_text(found)
    assert whois_text(found, colour=True).replace("\x1b[1m", "").replace("\x1b[0m", "") == plain


def test_programs_get_all_of_it_as_json() -> None:
    record = json.loads(whois_json(replace(NOTHING, endpoints=(FULL,))))
    assert record["asked"] == "stats.acme.example"
    assert record["endpoints"][0]["id"] == "acme-telemetry"
    assert record["endpoints"][0]["switch"]["variables"] == [["QUIET", "1"], ["MORE", "2"]]
    assert record["destination"] == {"absent": "not-applicable"}


def test_an_unknown_jurisdiction_is_absent_and_not_empty() -> None:
    unknown, known = read_entry(vendor="Other"), read_entry(vendor="Other", jurisdiction="SE")
    record = json.loads(whois_json(replace(NOTHING, endpoints=(unknown, known))))
    assert [entry["jurisdiction"] for entry in record["endpoints"]] == [
        {"absent": "not-found"},
        "SE",
    ]
    assert "Vendor Other, under a jurisdiction that is not known" in said(unknown)


def test_an_unknown_holder_of_an_as_is_absent_and_not_empty() -> None:
    system = AutonomousSystem(64500, Absent.NOT_FOUND, "Acme", "SE", "cloud", "SE", "")
    found = replace(NOTHING, kind=Kind.AS, autonomous_system=system)
    record = json.loads(whois_json(found))
    assert record["autonomous_system"]["organisation"] == {"absent": "not-found"}
    assert "Organisation unknown" in " ".join(whois_text(found).split())


def test_markdown_tells_what_the_text_does() -> None:
    found = replace(NOTHING, endpoints=(FULL,))
    told = whois_markdown(found)
    assert told.startswith("# stats.acme.example\n\nThe catalogue knows one reason")
    assert "## Acme server: telemetry\n\n- **Vendor**: Acme, under the jurisdiction of US\n" in told
    assert "- **Switch off**: set QUIET=1<br>MORE=2<br>But: in 1.1\n" in told
    assert told.endswith("telemetry\n") and "\n- 1" not in told


def test_many_entries_have_an_overview_in_markdown_too() -> None:
    many = tuple(replace(FULL, id=f"e{n}", product=f"P{n}") for n in range(4))
    assert "- 1 P0: telemetry\n- 2 P1: telemetry\n" in whois_markdown(
        replace(NOTHING, endpoints=many)
    )


def test_no_list_can_write_markdown_of_its_own() -> None:
    hostile = replace(FULL, product="[a](https://b.example)", sends="<img src=x> @acme")
    told = whois_markdown(replace(NOTHING, endpoints=(hostile,)))
    assert "## \\[a\\](https://<!-- -->b.example): telemetry" in told
    assert "\\<img src=x\\> @<!-- -->acme" in told


NOTED = replace(FULL, note="All of Acme is one host.")


def test_what_is_to_be_known_of_a_vendor_is_told_below_it() -> None:
    assert "Vendor Acme, under the jurisdiction of US All of Acme is one host. Versions" in said(
        NOTED
    )
    assert "All of Acme" not in said(FULL)


def test_of_several_entries_of_a_vendor_it_is_told_once() -> None:
    other = replace(NOTED, id="acme-two", product="Two")
    assert said(NOTED, other).count("All of Acme is one host.") == 1
    record = json.loads(whois_json(replace(NOTHING, endpoints=(NOTED, other))))
    assert [entry["note"] for entry in record["endpoints"]] == [NOTED.note] * 2


def test_entries_for_one_purpose_of_one_product_are_told_apart_by_their_occasion() -> None:
    twins = [read_entry(id=f"acme-{n}", trigger=f"at occasion {n}") for n in range(2)]
    others = [read_entry(id="other", product="Other"), read_entry(id="third", product="Third")]
    shown = text(*twins, *others).splitlines()
    assert "  1 Acme server: telemetry, at occasion 0" in shown
    assert "  2 Acme server: telemetry, at occasion 1" in shown
    assert "  3 Other: telemetry" in shown


def test_an_occasion_that_is_not_known_gives_way_to_the_id() -> None:
    twins = [read_entry(id=f"acme-{n}") for n in range(4)]
    assert "  4 Acme server: telemetry, acme-3" in text(*twins).splitlines()


def test_an_address_that_embeds_another_says_which_the_answer_is_of() -> None:
    shown = said(kind=Kind.ADDRESS, destination=PLACE, embeds="8.8.8.8")
    assert "Embeds 8.8.8.8: the answer is that of this IPv4 address" in shown
    assert "Embeds" not in said(kind=Kind.ADDRESS, destination=PLACE)


def test_a_resolver_is_told_with_what_is_not_read_of_it() -> None:
    shown = said(resolver="DNS over HTTPS (known resolver)")
    assert "(known resolver); which names it is asked for, egress-audit does not read" in shown
