"""What a claim allows: hosts by proof, addresses by scope and prefix, names by who is asked."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.addresses import Scope
from egress_audit.judge.permission import (
    address_allowed,
    host_matches,
    in_prefixes,
    is_own_name,
    literal_address,
    name_allowed,
    names_beyond,
    names_elsewhere,
    of_denied_operator,
)
from egress_audit.model.audit import NameUse
from egress_audit.model.claim import Claim, Deny
from egress_audit.model.destination import Absent
from egress_audit.model.flow import NameSource
from tests.builders.cases import (
    LAN,
    LOOPBACK,
    OFFLINE,
    OUTSIDE,
    claim,
    contact,
    named,
    near,
    network,
    place,
)

ANSWERED = NameSource.DNS_ANSWER
ONE_HOST = claim(hosts=("good.example",))


@pytest.mark.parametrize("host", ["a.example", "b.a.example"])
def test_a_suffix_matches_on_label_boundaries(host: str) -> None:
    assert host_matches(host, ["*.example"])
    assert not host_matches(f"{host}x", ["*.example"])


def test_a_suffix_does_not_match_its_own_name() -> None:
    assert not host_matches("a.example", ["*.a.example"])


labels = st.lists(st.sampled_from(("a", "b", "")), max_size=4).map(".".join)


@given(labels, st.lists(st.tuples(st.sampled_from(("", "*.")), labels).map("".join), max_size=4))
def test_patterns_that_are_filed_match_as_each_alone_would(host: str, patterns: list[str]) -> None:
    alone = (
        host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern
        for pattern in patterns
    )
    assert host_matches(host, patterns) == any(alone)


def test_a_plain_pattern_matches_itself_alone() -> None:
    assert host_matches("a.example", ["a.example"])
    assert not host_matches("b.a.example", ["a.example"])


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost.", "x.localhost", "a-b.c_d.localhost"),
        *("127.in-addr.arpa", "9.0.0.127.in-addr.arpa", "1." + "0." * 31 + "ip6.arpa"),
    ],
)
def test_names_of_the_machine_itself(host: str) -> None:
    assert is_own_name(host)


@pytest.mark.parametrize(
    "host",
    [
        *("notlocalhost", "localhost.example", "9.0.0.128.in-addr.arpa", "localhost..", ""),
        *("a b.localhost", r"a\x40b.localhost", "evil.example/.localhost", "u@.localhost"),
        *(".localhost", "a..localhost", "évil.localhost", r"evil.example\x00.localhost"),
        *("stolen.127.in-addr.arpa", "1.2.3.4.127.in-addr.arpa", "1234.127.in-addr.arpa"),
        *("127.in-addr.arpa.evil.example", "x." + "1." + "0." * 31 + "ip6.arpa"),
        *("2." + "0." * 31 + "ip6.arpa", "٣.127.in-addr.arpa", "localhost\n"),
    ],
)
def test_names_that_only_resemble_it(host: str) -> None:
    assert not is_own_name(host)


def test_no_name_is_allowed_by_an_allowed_address() -> None:
    assert not name_allowed("example.org", claim(prefixes=("203.0.113.0/24",)).allow)


@pytest.mark.parametrize(
    ("address", "prefix", "inside"),
    [
        ("203.0.113.9", "203.0.113.0/24", True),
        ("203.0.112.9", "203.0.113.0/24", False),
        ("::ffff:203.0.113.9", "203.0.113.0/24", True),
        ("2001:db8::1", "203.0.113.0/24", False),
        ("203.0.113.9", "::/0", False),
        ("2001:db8::1", "2001:db8::/32", True),
        ("64:ff9b::cb00:7109", "64:ff9b::/96", True),
    ],
)
def test_a_prefix_holds_an_address_or_the_one_embedded_in_it(
    address: str, prefix: str, inside: bool
) -> None:
    assert in_prefixes(address, [network(prefix)]) is inside


# A host allow needs a proof


@pytest.mark.parametrize("proof", [NameSource.DNS_ANSWER, NameSource.SANDBOX_DNS])
def test_an_answer_for_the_address_allows_its_host(proof: NameSource) -> None:
    assert address_allowed(contact(OUTSIDE, named("good.example", proof)), ONE_HOST)


@pytest.mark.parametrize(
    "said",
    [
        NameSource.TLS_SNI,
        NameSource.QUIC_SNI,
        NameSource.HTTP_HOST,
        NameSource.HTTP_CONNECT,
        NameSource.HTTP2_AUTHORITY,
        NameSource.SOCKS,
        NameSource.PCAPNG_NRB,
        NameSource.MDNS,
        NameSource.LLMNR,
        NameSource.DNS_UNPROVEN,
    ],
)
def test_what_the_program_or_the_files_holder_writes_never_allows(said: NameSource) -> None:
    assert not address_allowed(contact(OUTSIDE, named("good.example", said)), ONE_HOST)


def test_where_answer_and_spoken_name_agree_the_host_is_allowed() -> None:
    both = named("good.example", ANSWERED, NameSource.TLS_SNI)
    assert address_allowed(contact(OUTSIDE, both), ONE_HOST)


def test_where_they_disagree_the_worse_counts() -> None:
    there = contact(OUTSIDE, named("good.example", ANSWERED), named("evil.example"))
    assert not address_allowed(there, ONE_HOST)


def test_another_host_at_the_same_address_that_nobody_named_is_no_matter() -> None:
    there = contact(OUTSIDE, named("good.example", ANSWERED), named("other.example", ANSWERED))
    assert address_allowed(there, ONE_HOST)


def test_a_record_in_the_file_does_not_speak_against_it() -> None:
    recorded = named("cdn.example", NameSource.PCAPNG_NRB)
    assert address_allowed(contact(OUTSIDE, named("good.example", ANSWERED), recorded), ONE_HOST)


@pytest.mark.parametrize("sources", [(), (ANSWERED,), (NameSource.PCAPNG_NRB,)])
def test_an_unproven_answer_does_not_speak_against_it(sources: tuple[NameSource, ...]) -> None:
    unproven = named("cdn.example", NameSource.DNS_UNPROVEN, *sources)
    assert address_allowed(contact(OUTSIDE, named("good.example", ANSWERED), unproven), ONE_HOST)


def test_a_row_without_an_address_is_allowed_by_scope_alone() -> None:
    lost = contact(far_h=LAN)
    nowhere = type(lost)(
        **{f: getattr(lost, f) for f in lost.__slots__} | {"far_h": Absent.NOT_APPLICABLE}
    )
    assert address_allowed(nowhere, claim(Scope.LAN))
    assert not address_allowed(nowhere, claim(everything=True))


METADATA = "169.254.169.254"


@pytest.mark.parametrize(
    "allows", [ONE_HOST, claim(everything=True), claim(prefixes=("169.254.0.0/16",))]
)
def test_a_metadata_service_is_allowed_by_its_scope_alone(allows: Claim) -> None:
    there = contact(METADATA, named("good.example", ANSWERED))
    assert not address_allowed(there, allows, granted={METADATA, "good.example"})
    assert address_allowed(there, claim(Scope.METADATA_SERVICE))


def test_an_address_that_our_dns_invented_lies_in_no_prefix_of_the_world() -> None:
    allows = claim(prefixes=("198.18.0.0/15",))
    assert not address_allowed(contact("198.18.0.7", destination=near(Scope.SIMULATED)), allows)
    assert address_allowed(contact("198.18.0.7", destination=near(Scope.GLOBAL)), allows)


# Names through carriers


@pytest.mark.parametrize("host", [LOOPBACK, "127.9.9.9", "::1"])
def test_a_loopback_address_in_place_of_a_name_is_the_machine(host: str) -> None:
    seen = contact(LOOPBACK, named(host, NameSource.HTTP_HOST))
    assert names_beyond(seen, OFFLINE) == []


def test_so_it_is_where_the_claim_allows_no_loopback() -> None:
    nothing = replace(OFFLINE, allow=replace(OFFLINE.allow, scopes=frozenset()))
    uses = [named(host, NameSource.HTTP_HOST) for host in (LOOPBACK, LAN)]
    assert names_beyond(contact(OUTSIDE, *uses), nothing) == uses[1:]


def test_the_far_address_in_place_of_a_name_says_nothing_more() -> None:
    seen = contact(LAN, named(LAN, NameSource.HTTP_HOST))
    assert names_beyond(seen, claim(prefixes=("192.168.1.0/24",))) == []


def test_each_name_beyond_is_told() -> None:
    uses = (named("a.example"), named("localhost"), named("b.example", NameSource.HTTP_HOST))
    beyond = names_beyond(contact(LOOPBACK, *uses), OFFLINE)
    assert [use.host for use in beyond] == ["a.example", "b.example"]


@pytest.mark.parametrize(
    ("host", "address"),
    [("8.8.8.8", True), ("2001:db8::1", True), ("example.org", False), ("ai", False), ("", False)],
)
def test_what_is_an_address_and_what_a_name(host: str, address: bool) -> None:
    assert (literal_address(host) is not None) is address


@pytest.mark.parametrize("host", ["127.0.0.1", LAN, "localhost"])
def test_a_proxy_that_is_asked_for_something_near_leads_nowhere_else(host: str) -> None:
    assert names_elsewhere(contact(LOOPBACK, NameUse(host, (NameSource.HTTP_CONNECT,)))) == []


def test_a_name_with_a_dot_that_is_said_to_a_near_address_may_lead_on() -> None:
    said = contact(LAN, named("printer"), named("a.example"))
    assert [use.host for use in names_elsewhere(said)] == ["a.example"]


def test_a_proxy_that_is_asked_for_an_address_outside_leads_there() -> None:
    seen = contact(LOOPBACK, named("45.9.0.1", NameSource.HTTP_CONNECT))
    assert [use.host for use in names_elsewhere(seen)] == ["45.9.0.1"]


@pytest.mark.parametrize("source", [NameSource.HTTP_HOST, NameSource.HTTP2_AUTHORITY])
def test_a_request_may_be_to_a_proxy_that_leads_on(source: NameSource) -> None:
    seen = contact(OUTSIDE, named("evil.example", source))
    assert [use.host for use in names_elsewhere(seen)] == ["evil.example"]


def test_a_server_name_does_not_lead_on() -> None:
    assert names_elsewhere(contact(OUTSIDE, named("evil.example", NameSource.TLS_SNI))) == []


@pytest.mark.parametrize("host", ["printer", "2130706433", "0x2d090001"])
def test_a_proxy_may_be_asked_by_a_name_without_a_dot(host: str) -> None:
    seen = contact(LOOPBACK, named(host, NameSource.HTTP_CONNECT))
    assert [use.host for use in names_beyond(seen, OFFLINE)] == [host]
    assert [use.host for use in names_elsewhere(seen)] == [host]


@pytest.mark.parametrize("host", ["printer", "2130706433"])
def test_a_host_without_a_dot_says_no_more_than_the_address(host: str) -> None:
    seen = contact(LOOPBACK, named(host, NameSource.HTTP_HOST))
    assert names_beyond(seen, OFFLINE) == []


# Operators

TELECOM = Deny(categories=frozenset({"state-telecom"}))
EXAMPLE = Deny(operators=frozenset({"Example"}))


@pytest.mark.parametrize(
    ("role", "is_one"),
    [("state-telecom", True), ("cloud", False), ("cdn-front", None), ("proxy", None)],
)
def test_a_front_of_another_category_is_unknown(role: str, is_one: bool | None) -> None:
    assert of_denied_operator(place(role=role), TELECOM) is is_one


def test_a_front_is_of_its_own_category() -> None:
    fronts = Deny(categories=frozenset({"cdn-front"}))
    assert of_denied_operator(place(role="cdn-front"), fronts) is True


@pytest.mark.parametrize("scope", [Scope.CGNAT, Scope.RESERVED, Scope.SIMULATED, Scope.NAME])
def test_what_no_list_knows_may_be_of_any_category(scope: Scope) -> None:
    assert of_denied_operator(near(scope), TELECOM) is None


def test_the_local_network_is_of_none() -> None:
    assert of_denied_operator(near(Scope.LAN), TELECOM) is False


@pytest.mark.parametrize(
    ("operator", "role", "is_one"),
    [
        ("Example", "cloud", True),
        ("Example", "cdn-front", True),
        ("Another", "cloud", False),
        ("Another", "cdn-front", None),
        (Absent.NOT_FOUND, Absent.NOT_FOUND, None),
    ],
)
def test_an_operator_can_be_denied_by_its_name(
    operator: str | Absent, role: str | Absent, is_one: bool | None
) -> None:
    assert of_denied_operator(place(operator=operator, role=role), EXAMPLE) is is_one


def test_of_operator_and_category_one_is_enough() -> None:
    either = Deny(operators=frozenset({"Example"}), categories=frozenset({"state-telecom"}))
    assert of_denied_operator(place(operator="Another", role="state-telecom"), either) is True
    assert of_denied_operator(place(operator="Another"), either) is False


@pytest.mark.parametrize("host", ["2071789569", "0x7b7d0001", "017337200001"])
def test_an_address_in_one_number_leads_away_from_where_it_is_said(host: str) -> None:
    seen = contact(LOOPBACK, named(host, NameSource.HTTP_HOST))
    assert [use.host for use in names_beyond(seen, OFFLINE)] == [host]
    assert [use.host for use in names_elsewhere(seen)] == [host]


@pytest.mark.parametrize(
    "host",
    [
        "node7",
        "0xygen",
        "7up",
        "8080",
        "0x1f",
        "2_147_483_648",
        "0x7f000001",
        "99999999999",
        "9" * 5000,
    ],
)
def test_a_label_with_a_number_in_it_or_the_number_of_this_machine_does_not(host: str) -> None:
    seen = contact(LOOPBACK, named(host, NameSource.TLS_SNI))
    assert (names_beyond(seen, OFFLINE), names_elsewhere(seen)) == ([], [])
