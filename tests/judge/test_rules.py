"""The rules that contradict a claim: for each what fires it, and what must not."""

from dataclasses import replace
from typing import Any

import pytest

from egress_audit.addresses import Scope
from egress_audit.judge.rules import RULES, findings
from egress_audit.model.audit import Direction, Frames
from egress_audit.model.catalogue import Purpose
from egress_audit.model.claim import Allow, Claim, Deny
from egress_audit.model.destination import Absent, Confidence
from egress_audit.model.flow import NameSource
from tests.builders.cases import (
    ALL,
    LAN,
    LOOPBACK,
    NO_CHINA,
    OFFLINE,
    OUTSIDE,
    case,
    claim,
    concluded,
    contact,
    fired,
    named,
    near,
    network,
    place,
    question,
    rest,
)
from tests.builders.endpoints import entry, known
from tests.builders.runs import attempt, run

IN_CHINA = place(located="CN", controlled="CN", operator="Example", role="state-telecom")
NO_TELECOM = claim(everything=True, deny=Deny(categories=frozenset({"state-telecom"})))
NO_EXAMPLE = claim(everything=True, deny=Deny(operators=frozenset({"Example"})))
DENIES = claim(
    everything=True,
    deny=Deny(hosts=("bad.example", "*.worse.example"), prefixes=(network("192.0.2.0/24"),)),
)
INSIDE = {"direction": Direction.INTERNAL}
NO_INBOUND = replace(OFFLINE, inbound="deny")


def test_ids_count_from_one_without_a_gap() -> None:
    assert [rule.id for rule in RULES] == [f"EA{n:03}" for n in range(1, len(RULES) + 1)]


def test_every_rule_says_what_fires_it_and_why() -> None:
    for rule in RULES:
        assert rule.title and rule.text.endswith(".") and rule.reason.endswith(".")


def test_a_capture_in_which_nothing_happens_has_no_findings() -> None:
    assert findings(case()) == ()


# EA001


def test_a_packet_to_an_address_outside_fires() -> None:
    assert fired(case(contact(OUTSIDE))) == ["EA001"]


@pytest.mark.parametrize("state", ["S0", "REJ", "SF", "OTH"])
def test_an_attempt_fires_whether_it_was_answered_or_not(state: str) -> None:
    assert fired(case(contact(OUTSIDE, conn_states={state: 1}))) == ["EA001"]


def test_a_packet_to_this_machine_does_not_fire() -> None:
    assert fired(case(contact(LOOPBACK, **INSIDE))) == []


def test_a_packet_to_an_allowed_prefix_does_not_fire() -> None:
    assert fired(case(contact(OUTSIDE), claim=claim(prefixes=("203.0.113.0/24",)))) == []


@pytest.mark.parametrize("address", ["100.64.0.9", "198.18.0.9", "2001:2::9"])
def test_a_providers_and_a_benchmark_network_are_never_the_local_one(address: str) -> None:
    near_things = claim(Scope.LAN, Scope.LINK_LOCAL, Scope.MULTICAST, Scope.BROADCAST)
    assert fired(case(contact(address), claim=near_things)) == ["EA001"]


def test_an_address_that_was_invented_for_a_name_is_outside() -> None:
    simulated = contact("198.18.0.9", destination=near(Scope.SIMULATED))
    assert fired(case(simulated, claim=claim(Scope.LAN, Scope.BENCHMARK))) == ["EA001"]


@pytest.mark.parametrize(
    "address", ["64:ff9b::cb00:7109", "::ffff:203.0.113.9", "2002:cb00:7109::1"]
)
def test_an_embedded_address_is_judged_as_such(address: str) -> None:
    assert fired(case(contact(address))) == ["EA001"]
    assert fired(case(contact(address), claim=claim(prefixes=("203.0.113.0/24",)))) == []


def test_a_private_address_behind_a_translator_is_not_ours() -> None:
    behind = contact("64:ff9b::10.0.0.1")
    assert fired(case(behind, claim=claim(Scope.LAN, prefixes=("10.0.0.0/8",)))) == ["EA001"]


@pytest.mark.parametrize("direction", [Direction.INBOUND, Direction.RECEIVED])
def test_what_others_began_is_not_our_contact(direction: Direction) -> None:
    assert fired(case(contact(OUTSIDE, direction=direction))) == []


# EA002


def test_a_name_that_was_asked_for_fires_connected_or_not() -> None:
    assert fired(case(question("example.org"))) == ["EA002"]


@pytest.mark.parametrize("resolver", ["127.0.0.53", LAN, "8.8.8.8"])
def test_a_question_fires_whoever_carried_it(resolver: str) -> None:
    asked = question("example.org", resolvers=(resolver,))
    assert fired(case(asked, claim=claim(Scope.LAN))) == ["EA002"]


@pytest.mark.parametrize("host", ["localhost", "app.localhost", "1.0.0.127.in-addr.arpa"])
def test_a_question_for_the_machine_itself_does_not_fire(host: str) -> None:
    assert fired(case(question(host))) == []


def test_a_question_for_an_allowed_name_does_not_fire() -> None:
    assert fired(case(question("example.org"), claim=claim(hosts=("example.org",)))) == []


def test_a_question_for_a_neighbour_of_an_allowed_name_fires() -> None:
    assert fired(case(question("notexample.org"), claim=claim(hosts=("*.example.org",)))) == [
        "EA002"
    ]


# EA003


@pytest.mark.parametrize("address", [LAN, "fe80::7", "224.0.0.251", "255.255.255.255", "fd00::7"])
def test_a_packet_to_the_local_network_fires(address: str) -> None:
    assert fired(case(contact(address, proto=17))) == ["EA003"]


def test_a_packet_to_an_allowed_local_network_does_not_fire() -> None:
    assert fired(case(contact(LAN), claim=claim(Scope.LAN))) == []


@pytest.mark.parametrize(("proto", "kind"), [(58, 135), (58, 143), (2, Absent.NOT_APPLICABLE)])
def test_what_kernels_send_on_the_link_does_not_fire(proto: int, kind: Any) -> None:
    group = "224.0.0.22" if proto == 2 else "ff02::16"
    assert fired(case(contact(group, proto=proto, far_p=kind, ip_bytes_out=40))) == []


def test_a_ping_on_the_link_fires() -> None:
    assert fired(case(contact("ff02::1", proto=58, far_p=128))) == ["EA003"]


def test_neighbour_discovery_of_a_host_far_away_fires() -> None:
    assert fired(case(contact("2001:db8::9", proto=58, far_p=135))) == ["EA001"]


def test_the_hosts_own_address_counts_as_the_machine() -> None:
    assert fired(case(contact("10.0.0.2", destination=near(Scope.LOOPBACK), **INSIDE))) == []


def test_another_address_of_ours_is_another_machine_for_all_we_know() -> None:
    assert fired(case(contact("10.0.0.9", **INSIDE))) == ["EA003"]


# EA004

METADATA = ["169.254.169.254", "fd00:ec2::254", "168.63.129.16", "100.100.100.200"]


@pytest.mark.parametrize("address", METADATA)
@pytest.mark.parametrize(
    "allows",
    [
        OFFLINE,
        claim(everything=True),
        claim(Scope.LAN, Scope.LINK_LOCAL, Scope.CGNAT),
        claim(prefixes=("0.0.0.0/0", "::/0")),
    ],
    ids=["offline", "any", "near scopes", "every prefix"],
)
def test_a_metadata_service_fires_unless_it_is_allowed_by_name(address: str, allows: Claim) -> None:
    assert fired(case(contact(address), claim=allows)) == ["EA004"]


@pytest.mark.parametrize("address", METADATA)
def test_a_metadata_service_does_not_fire_where_the_profile_names_it(address: str) -> None:
    assert fired(case(contact(address), claim=claim(Scope.METADATA_SERVICE))) == []


def test_an_allowed_host_does_not_open_the_metadata_service() -> None:
    proven = named("a.example", NameSource.DNS_ANSWER)
    there = case(contact(METADATA[0], proven), claim=claim(hosts=("a.example",)))
    assert fired(there) == ["EA004"]


# EA005


@pytest.mark.parametrize(
    "source",
    [
        NameSource.HTTP_CONNECT,
        NameSource.SOCKS,
        NameSource.HTTP_HOST,
        NameSource.TLS_SNI,
        NameSource.QUIC_SNI,
        NameSource.HTTP2_AUTHORITY,
    ],
)
def test_a_name_outside_through_this_machine_fires(source: NameSource) -> None:
    assert fired(case(contact(LOOPBACK, named("evil.example", source), **INSIDE))) == ["EA005"]


def test_a_name_outside_through_an_allowed_network_fires() -> None:
    proxied = contact(LAN, named("evil.example", NameSource.HTTP_CONNECT))
    assert fired(case(proxied, claim=claim(Scope.LAN))) == ["EA005"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "llama"])
def test_a_name_of_the_machine_does_not_fire(host: str) -> None:
    assert fired(case(contact(LOOPBACK, named(host, NameSource.HTTP_HOST), **INSIDE))) == []


@pytest.mark.parametrize("host", ["8.8.8.8", "2001:4860:4860::8888"])
@pytest.mark.parametrize("source", [NameSource.HTTP_CONNECT, NameSource.HTTP_HOST])
def test_an_address_in_place_of_a_name_is_judged_as_an_address(
    host: str, source: NameSource
) -> None:
    assert fired(case(contact(LOOPBACK, named(host, source), **INSIDE))) == ["EA005"]


def test_a_proxy_may_be_asked_for_an_address_that_is_allowed() -> None:
    proxied = contact(LOOPBACK, named(LAN, NameSource.HTTP_CONNECT), **INSIDE)
    assert fired(case(proxied, claim=claim(Scope.LAN))) == []


def test_a_proxy_may_not_be_asked_for_the_metadata_service() -> None:
    proxied = contact(LOOPBACK, named(METADATA[0], NameSource.HTTP_CONNECT), **INSIDE)
    assert fired(case(proxied, claim=claim(everything=True))) == ["EA005"]


def test_a_dotless_name_fires_where_a_proxy_is_asked_for_it() -> None:
    proxied = contact(LOOPBACK, named("ai", NameSource.HTTP_CONNECT), **INSIDE)
    assert fired(case(proxied)) == ["EA005"]


@pytest.mark.parametrize("source", [NameSource.DNS_ANSWER, NameSource.PCAPNG_NRB])
def test_a_name_that_others_hold_to_lead_there_was_not_spoken(source: NameSource) -> None:
    assert fired(case(contact(LOOPBACK, named("evil.example", source), **INSIDE))) == []


# EA006


def test_a_contact_in_a_denied_country_fires() -> None:
    assert "EA006" in fired(case(contact("45.9.0.1", destination=IN_CHINA), claim=NO_CHINA))


@pytest.mark.parametrize(
    "changes",
    [
        {"located": "HK"},
        {"located_confidence": Confidence.LOW, "located_alt": "SG"},
        {"located_confidence": Confidence.NONE},
        {"located": Absent.NOT_FOUND, "located_confidence": Absent.NOT_FOUND},
    ],
    ids=["another code", "sources differ", "anycast", "no data"],
)
def test_a_contact_that_may_be_elsewhere_does_not_fire(changes: dict[str, Any]) -> None:
    there = contact("45.9.0.1", destination=replace(IN_CHINA, controlled="SE", **changes))
    assert fired(case(there, claim=NO_CHINA)) == []


def test_a_name_that_leads_to_a_denied_country_fires_without_a_contact() -> None:
    asked = replace(question("a.example", "45.9.0.1"), answer_destinations=(IN_CHINA,))
    assert fired(case(asked, claim=NO_CHINA)) == ["EA006", "EA007"]


# EA007


def test_an_operator_under_a_denied_jurisdiction_fires_wherever_it_stands() -> None:
    abroad = contact("45.9.0.1", destination=place(controlled="CN"))
    assert fired(case(abroad, claim=NO_CHINA)) == ["EA007"]


def test_an_operator_under_another_does_not_fire() -> None:
    assert fired(case(contact("45.9.0.1", destination=place()), claim=NO_CHINA)) == []


# EA008


def test_an_operator_of_a_denied_category_fires() -> None:
    assert fired(case(contact("45.9.0.1", destination=IN_CHINA), claim=NO_TELECOM)) == ["EA008"]


def test_a_name_that_leads_to_a_denied_category_fires() -> None:
    asked = replace(question("a.example", "45.9.0.1"), answer_destinations=(IN_CHINA,))
    assert fired(case(asked, claim=NO_TELECOM)) == ["EA008"]


def test_an_operator_of_another_category_does_not_fire() -> None:
    assert fired(case(contact("45.9.0.1", destination=place()), claim=NO_TELECOM)) == []


def test_a_denied_operator_fires() -> None:
    assert fired(case(contact("45.9.0.1", destination=place()), claim=NO_EXAMPLE)) == ["EA008"]


def test_another_operator_does_not_fire() -> None:
    there = place(operator="Another")
    assert fired(case(contact("45.9.0.1", destination=there), claim=NO_EXAMPLE)) == []


# EA009


@pytest.mark.parametrize(
    "source", [NameSource.TLS_SNI, NameSource.HTTP_HOST, NameSource.PCAPNG_NRB, NameSource.SOCKS]
)
def test_a_denied_name_fires_however_it_is_known(source: NameSource) -> None:
    there = contact(OUTSIDE, named("a.worse.example", source))
    assert fired(case(there, claim=DENIES)) == ["EA009"]


def test_a_denied_name_that_was_only_asked_for_fires() -> None:
    assert fired(case(question("bad.example"), claim=DENIES)) == ["EA009"]


@pytest.mark.parametrize("address", ["192.0.2.9", "::ffff:192.0.2.9", "64:ff9b::c000:209"])
def test_a_denied_prefix_fires_also_when_it_is_embedded(address: str) -> None:
    assert fired(case(contact(address), claim=DENIES)) == ["EA009"]


@pytest.mark.parametrize("address", ["64:ff9b:1::c000:209", "::ffff:0:c000:209"])
def test_a_denied_prefix_fires_where_a_translator_may_lead_there(address: str) -> None:
    denies = claim(everything=True, deny=DENIES.deny)
    assert fired(case(contact(address), claim=denies)) == ["EA009"]
    assert fired(case(question("a.example", address), claim=denies)) == ["EA009"]
    elsewhere = address.replace("209", "309")
    assert fired(case(contact(elsewhere), claim=denies)) == []


def test_an_allowed_prefix_covers_nothing_behind_a_translator_of_ones_own() -> None:
    allows = claim(prefixes=("192.0.2.0/24",))
    assert fired(case(contact("64:ff9b:1::c000:209"), claim=allows)) == ["EA001"]


def test_a_proxy_that_is_asked_for_a_denied_address_fires() -> None:
    proxied = contact(LOOPBACK, named("192.0.2.9", NameSource.HTTP_CONNECT), **INSIDE)
    assert fired(case(proxied, claim=DENIES)) == ["EA009"]


def test_a_name_that_leads_into_a_denied_prefix_fires() -> None:
    assert fired(case(question("a.example", "192.0.2.9"), claim=DENIES)) == ["EA009"]


@pytest.mark.parametrize("host", ["notbad.example", "worse.example", "a.bad.example"])
def test_a_name_beside_a_denied_one_does_not_fire(host: str) -> None:
    there = contact(OUTSIDE, named(host))
    assert fired(case(there, question(host), claim=DENIES)) == []


# EA010


def test_an_answered_flow_from_outside_fires_where_inbound_is_denied() -> None:
    stranger = contact(OUTSIDE, direction=Direction.INBOUND)
    assert fired(case(stranger, claim=NO_INBOUND)) == ["EA010"]


@pytest.mark.parametrize("wanted", ["allow", "report"])
def test_an_answered_flow_from_outside_does_not_fire_otherwise(wanted: str) -> None:
    stranger = contact(OUTSIDE, direction=Direction.INBOUND)
    assert fired(case(stranger, claim=replace(OFFLINE, inbound=wanted))) == []


def test_a_knock_that_nobody_answered_does_not_fire() -> None:
    knock = contact(OUTSIDE, direction=Direction.RECEIVED)
    assert fired(case(knock, claim=NO_INBOUND)) == []


# EA011


def test_a_contact_outside_beyond_the_rows_fires() -> None:
    assert fired(case(rest(loopback=7, global_=2))) == ["EA011"]


@pytest.mark.parametrize("direction", [Direction.INBOUND, Direction.RECEIVED, Direction.INTERNAL])
def test_rows_that_were_not_begun_towards_outside_do_not_fire(direction: Direction) -> None:
    assert fired(case(rest(direction, global_=2))) == []


def test_rows_of_allowed_scopes_do_not_fire() -> None:
    assert fired(case(rest(lan=2), claim=claim(Scope.LAN))) == []


@pytest.mark.parametrize(
    "allows",
    [claim(everything=True), claim(hosts=("a.example",)), claim(prefixes=("203.0.113.0/24",))],
    ids=["any", "a host", "a prefix"],
)
def test_rows_that_may_all_be_allowed_leave_it_open(allows: Claim) -> None:
    assert concluded(case(rest(documentation=2), claim=allows)).value == "INCONCLUSIVE"


def test_a_metadata_service_beyond_the_rows_fires_even_where_any_is_allowed() -> None:
    assert fired(case(rest(metadata_service=1), claim=claim(everything=True))) == ["EA011"]


# All of them

IN_SWEDEN = replace(claim(), allow=Allow(located=frozenset({"SE"})))
DENIED_PURPOSE = claim(everything=True, deny=Deny(purposes=frozenset({Purpose.TELEMETRY})))
OF_CHINA = entry(jurisdiction="CN")

FIRES: dict[str, dict[str, Any]] = {
    "EA001": {"rows": (contact(OUTSIDE),)},
    "EA002": {"rows": (question(),)},
    "EA003": {"rows": (contact(LAN),)},
    "EA004": {"rows": (contact(METADATA[0]),)},
    "EA005": {"rows": (contact(LOOPBACK, named("a.example")),)},
    "EA006": {"rows": (contact("45.9.0.1", destination=IN_CHINA),), "claim": NO_CHINA},
    "EA007": {"rows": (contact("45.9.0.1", destination=IN_CHINA),), "claim": NO_CHINA},
    "EA008": {"rows": (contact("45.9.0.1", destination=IN_CHINA),), "claim": NO_TELECOM},
    "EA009": {"rows": (question("bad.example"),), "claim": DENIES},
    "EA010": {"rows": (contact(direction=Direction.INBOUND),), "claim": NO_INBOUND},
    "EA011": {"rows": (rest(global_=1),)},
    "EA012": {"run": run(attempts=(attempt(),))},
    "EA013": {
        "rows": (question("a.example", **known("a.example", entry())),),
        "claim": DENIED_PURPOSE,
        "entries": (entry(),),
    },
    "EA014": {
        "rows": (question("a.example", **known("a.example", OF_CHINA)),),
        "claim": NO_CHINA,
        "entries": (OF_CHINA,),
    },
    "EA015": {"rows": (contact("45.9.0.1", destination=IN_CHINA),), "claim": IN_SWEDEN},
}


def made(rows: tuple[Any, ...] = (), **changes: Any) -> Any:
    return case(*rows, **changes)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_no_assertion_lifts_a_finding(rule: Any) -> None:
    with_all = made(asserted=ALL, **FIRES[rule.id])
    assert rule.id in fired(with_all)
    assert concluded(with_all).value == "VIOLATED"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_loss_does_not_excuse_a_violation(rule: Any) -> None:
    assert concluded(made(one_way_flows=1, gap_flows=1, **FIRES[rule.id])).value == "VIOLATED"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_finding_points_to_its_observation_and_frames(rule: Any) -> None:
    there = made(**FIRES[rule.id])
    found = next(finding for finding in findings(there) if finding.rule == rule.id)
    assert found.observations == tuple(seen.id for seen in there.observations)
    assert found.frames == (there.observations[0].frames if there.observations else Frames((), 0))
    assert found.message and not found.message.endswith(".")
