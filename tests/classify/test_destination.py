"""Destinations: scope first, three countries, and how far each can be believed."""

import csv
import os
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest

from egress_audit.addresses import Scope
from egress_audit.classify.address_lists import NOTHING, ListAnswer
from egress_audit.classify.destination import Classifier, embedded_classifier
from egress_audit.classify.list_sources import LISTS
from egress_audit.classify.operators import OperatorTable, anycast_table, override_table
from egress_audit.errors import ListUnreadable
from egress_audit.model.audit import ListUsed
from egress_audit.model.destination import (
    Absent,
    Confidence,
    Destination,
    controlled_from,
    located_in,
)

GROUND_TRUTH = Path(os.environ.get("EGRESS_AUDIT_SHARED", "shared"), "facts", "ground-truth.csv")
"""Optional: addresses with the country and the ASNs that public knowledge gives them."""

WRONG = {
    "34.64.0.1": "US",  # Google in Seoul; the other source says SG, so nothing is claimed
}
"""Countries that the list of 2026-06 has wrong in the ground truth: 1 of 89, with low confidence. A
newer list should shorten this, never lengthen it."""

OTHER_AS = {
    "101.226.4.6": 4811,  # China Telecom too
    "218.30.118.6": 141679,  # China Telecom too
    "2409:8088::a": 24445,  # China Mobile too
    "101.101.101.101": 131644,  # TWNIC too
    "131.159.0.1": 209335,  # TU Munich itself, which its regional network announced before
    "140.112.1.1": 1659,  # the academic network behind which NTU is
    "202.45.84.58": 17794,  # announced by nobody; the ranges on both sides are Hutchison's
}
"""AS numbers of the list of 2026-06 that the ground truth does not have: 7 of 105. Six are what was
announced in that month; the numbers of another source would be needed to mend them. All but the
first and the last stood so in the lists of 2025-04 (versions 2.3.2025040218 and 2.3.2025041118 of
the same source), where the first was 4812 and the last had none."""

AGREED = ListAnswer("JP", Absent.NOT_FOUND, "US", 64500, "Example", corroborated=True)


class OneAnswer:
    """A list that says the same of every address, and remembers what it was asked."""

    def __init__(self, answer: ListAnswer | Absent) -> None:
        self._answer = answer
        self.asked: list[str] = []
        self.used = ListUsed("one", "2026-01-01", "00", "none", "nobody")

    def answer(self, address: IPv4Address | IPv6Address) -> ListAnswer | Absent:
        self.asked.append(str(address))
        return self._answer


def operators(folder: Path, category: str = "cloud", jurisdiction: str = "CN") -> OperatorTable:
    path = folder / "operators.csv"
    text = f"asn,group,jurisdiction,category,note\n64500,Example,{jurisdiction},{category},\n"
    path.write_text(text, encoding="utf-8")
    return OperatorTable(path)


def classified(answer: ListAnswer | Absent, address: str = "192.0.1.1") -> Destination:
    return Classifier([OneAnswer(answer)]).destination(address)


@pytest.fixture(scope="module")
def embedded() -> Iterator[Classifier]:
    yield embedded_classifier()


@pytest.mark.parametrize(
    ("address", "scope"),
    [
        ("127.0.0.1", Scope.LOOPBACK),
        ("10.0.0.1", Scope.LAN),
        ("100.64.0.1", Scope.CGNAT),
        ("169.254.169.254", Scope.METADATA_SERVICE),
        ("2001:db8::1", Scope.DOCUMENTATION),
        ("::ffff:192.168.1.1", Scope.LAN),
    ],
)
def test_a_special_purpose_address_is_never_looked_up(address: str, scope: Scope) -> None:
    wrong = OneAnswer(AGREED)
    destination = Classifier([wrong]).destination(address)
    assert destination.scope is scope
    assert destination.located is destination.controlled is Absent.NOT_APPLICABLE
    assert destination.asn is destination.role is Absent.NOT_APPLICABLE
    assert not wrong.asked


@pytest.mark.parametrize(
    "address", ["64:ff9b::8.8.8.8", "::ffff:8.8.8.8", "2002:808:808::1", "::8.8.8.8"]
)
def test_an_embedded_ipv4_address_is_the_one_looked_up(address: str) -> None:
    asked = OneAnswer(AGREED)
    assert Classifier([asked]).destination(address).scope is Scope.GLOBAL
    assert asked.asked == ["8.8.8.8"]


def test_three_countries_stay_three(tmp_path: Path) -> None:
    classifier = Classifier([OneAnswer(AGREED)], operators=operators(tmp_path))
    destination = classifier.destination("192.0.1.1")
    assert (destination.located, destination.registered, destination.controlled) == (
        "JP", "US", "CN",
    )  # fmt: skip
    assert (destination.operator, destination.role, destination.asn) == ("Example", "cloud", 64500)


def test_sources_that_agree_on_a_unicast_address_give_high_confidence() -> None:
    assert classified(AGREED).located_confidence is Confidence.HIGH


def test_sources_that_differ_give_low_confidence_and_both_show() -> None:
    destination = classified(AGREED._replace(located_alt="US", corroborated=False))
    assert destination.located_confidence is Confidence.LOW
    assert (destination.located, destination.located_alt) == ("JP", "US")


def test_one_source_alone_gives_low_confidence() -> None:
    destination = classified(AGREED._replace(corroborated=False))
    assert destination.located_confidence is Confidence.LOW


@pytest.mark.parametrize("category", ["cdn", "proxy", "dns"])
def test_a_front_and_a_resolver_have_no_one_place(tmp_path: Path, category: str) -> None:
    classifier = Classifier([OneAnswer(AGREED)], operators=operators(tmp_path, category))
    destination = classifier.destination("192.0.1.1")
    assert destination.located_confidence is Confidence.NONE
    assert destination.located is destination.located_alt is Absent.NOT_APPLICABLE


def test_what_has_no_one_place_is_told_so_without_a_list_of_countries(tmp_path: Path) -> None:
    nothing = AGREED._replace(located=Absent.NOT_FOUND, located_alt=Absent.NOT_FOUND)
    classifier = Classifier([OneAnswer(nothing)], operators=operators(tmp_path, "cdn"))
    destination = classifier.destination("192.0.1.1")
    assert destination.located is Absent.NOT_APPLICABLE
    assert destination.located_confidence is Confidence.NONE


def test_the_dissent_of_a_list_about_an_anycast_prefix_is_no_fact_either() -> None:
    split = AGREED._replace(located_alt="US", corroborated=False)
    classifier = Classifier([OneAnswer(split)], anycast=anycast_table())
    assert classifier.destination("1.1.1.1").located_alt is Absent.NOT_APPLICABLE


@pytest.mark.parametrize(("category", "role"), [("cdn", "cdn-front"), ("cloud", "cloud")])
def test_a_cdn_is_a_front_and_other_roles_have_the_word_of_the_table(
    tmp_path: Path, category: str, role: str
) -> None:
    classifier = Classifier([OneAnswer(AGREED)], operators=operators(tmp_path, category))
    assert classifier.destination("192.0.1.1").role == role


@pytest.mark.parametrize("category", ["cloud", "telecom", "state-telecom"])
def test_any_other_operator_has(tmp_path: Path, category: str) -> None:
    classifier = Classifier([OneAnswer(AGREED)], operators=operators(tmp_path, category))
    assert classifier.destination("192.0.1.1").located_confidence is Confidence.HIGH


def test_an_anycast_prefix_has_no_one_place() -> None:
    classifier = Classifier([OneAnswer(AGREED)], anycast=anycast_table())
    destination = classifier.destination("1.1.1.1")
    assert destination.located_confidence is Confidence.NONE
    assert destination.role == "anycast-dns"
    assert classifier.destination("1.1.2.1").located_confidence is Confidence.HIGH


def test_a_global_address_of_a_cloud_has_no_one_place_and_one_operator() -> None:
    destination = Classifier([OneAnswer(AGREED)], anycast=anycast_table()).destination("75.2.60.5")
    assert destination.located is Absent.NOT_APPLICABLE
    assert destination.located_confidence is Confidence.NONE
    assert (destination.role, destination.operator) == ("cloud", "Amazon AWS")


def test_what_a_cloud_gives_to_no_region_is_in_a_country_that_nothing_confirms() -> None:
    classifier = Classifier([OneAnswer(AGREED)], anycast=anycast_table())
    destination = classifier.destination("35.190.0.1")
    assert destination.located == AGREED.located
    assert destination.located_confidence is Confidence.LOW
    assert (destination.role, destination.operator) == ("cloud", "Google")


def test_who_announces_an_anycast_prefix_does_not_control_it(tmp_path: Path) -> None:
    carrier = operators(tmp_path, "cdn", "US")
    classifier = Classifier([OneAnswer(AGREED)], operators=carrier, anycast=anycast_table())
    assert classifier.destination("114.114.114.114").controlled == "CN"
    assert classifier.destination("45.90.28.1").controlled is Absent.NOT_FOUND


def test_without_a_list_everything_that_needs_one_is_not_loaded() -> None:
    destination = Classifier().destination("192.0.1.1")
    assert destination.scope is Scope.GLOBAL
    assert destination.located is destination.located_confidence is Absent.NOT_LOADED
    assert destination.asn is destination.controlled is destination.role is Absent.NOT_LOADED


def test_without_a_list_a_scope_is_known_all_the_same() -> None:
    assert Classifier().destination("10.0.0.1").scope is Scope.LAN


@pytest.mark.parametrize("nothing", [NOTHING, Absent.NOT_FOUND])
def test_an_address_that_no_list_has_is_not_found(
    tmp_path: Path, nothing: ListAnswer | Absent
) -> None:
    classifier = Classifier([OneAnswer(nothing)], operators=operators(tmp_path))
    destination = classifier.destination("192.0.1.1")
    assert destination.located is destination.located_confidence is Absent.NOT_FOUND
    assert destination.asn is destination.controlled is destination.operator is Absent.NOT_FOUND


def test_an_operator_is_not_found_by_the_name_of_the_organisation(tmp_path: Path) -> None:
    nameless = AGREED._replace(asn=Absent.NOT_FOUND, organisation="Example")
    classifier = Classifier([OneAnswer(nameless)], operators=operators(tmp_path))
    assert classifier.destination("192.0.1.1").controlled is Absent.NOT_FOUND


def test_an_override_fills_a_missing_as() -> None:
    gap = AGREED._replace(asn=Absent.NOT_FOUND, organisation=Absent.NOT_FOUND)
    classifier = Classifier([OneAnswer(gap)], overrides=override_table())
    destination = classifier.destination("2408:8899::8")
    assert (destination.asn, destination.organisation) == (4837, "China Unicom")


def test_an_override_never_stands_against_a_list() -> None:
    classifier = Classifier([OneAnswer(AGREED)], overrides=override_table())
    assert classifier.destination("2408:8899::8").asn == 64500


def test_a_second_list_corroborates_the_first() -> None:
    alone = AGREED._replace(corroborated=False)
    classifier = Classifier([OneAnswer(alone), OneAnswer(NOTHING._replace(located="JP"))])
    assert classifier.destination("192.0.1.1").located_confidence is Confidence.HIGH


def test_a_second_list_may_dissent() -> None:
    classifier = Classifier([OneAnswer(NOTHING._replace(located="SG")), OneAnswer(AGREED)])
    destination = classifier.destination("192.0.1.1")
    assert (destination.located, destination.located_alt) == ("SG", "JP")
    assert destination.located_confidence is Confidence.LOW


def test_equal_answers_are_one_destination() -> None:
    classifier = Classifier([OneAnswer(AGREED)])
    assert classifier.destination("192.0.1.1") is classifier.destination("192.0.1.2")


def test_the_lists_behind_the_answers_are_named() -> None:
    assert [used.name for used in Classifier([OneAnswer(AGREED)]).used] == ["one"]
    assert Classifier().used == ()


def test_all_embedded_lists_are_named(embedded: Classifier) -> None:
    names = [used.name for used in embedded.used]
    assert names == ["addresses", "operators", "ipv6-overrides", "anycast"]


@pytest.mark.parametrize(
    ("address", "located", "controlled"),
    [
        ("52.80.0.1", True, True),  # AWS Beijing, operated by Sinnet
        ("119.13.64.1", False, True),  # Huawei in South Africa
        ("47.74.0.1", None, True),  # Alibaba in Tokyo: Japan or the United States
        ("1.1.1.1", None, False),  # anycast, one operator
        ("8.8.8.8", None, False),
        ("114.114.114.114", None, True),  # announced abroad by a US company
        ("162.159.140.245", None, None),  # a CDN front: the origin cannot be seen
        ("13.32.0.9", None, None),  # CloudFront, within the AS of AWS
        ("52.82.128.9", True, True),  # its sites in China have another operator
        ("198.41.0.4", None, False),  # a root server, one of the hundreds under this address
        ("2001:dc3::35", None, False),
        ("1.2.3.4", None, None),  # no AS, sources differ
        ("103.102.166.224", None, False),  # Wikimedia in Singapore; other lists say at its seat
        ("80.10.246.2", False, None),  # Orange, where nobody announces it
        ("51.91.0.1", False, False),  # OVH in France
        ("2408:8899::8", True, True),  # China Unicom, AS by override
        ("2001:da8:8000::1", True, True),  # CERNET, whose registry sits in Australia
        ("192.168.1.1", False, False),
        ("100.64.0.1", None, None),
    ],
)
def test_is_it_china_has_two_answers_of_three_values(
    embedded: Classifier, address: str, located: bool | None, controlled: bool | None
) -> None:
    destination = embedded.destination(address)
    assert located_in(destination, {"CN"}) is located
    assert controlled_from(destination, {"CN"}) is controlled


def test_a_supplied_list_stands_before_the_embedded_one() -> None:
    again = embedded_classifier([LISTS / "addresses.mmdb"])
    assert [used.name for used in again.used][:3] == ["addresses", "addresses", "operators"]


def test_a_supplied_list_that_is_missing_is_an_error_and_no_silence(tmp_path: Path) -> None:
    with pytest.raises(ListUnreadable, match="none"):
        embedded_classifier([tmp_path / "none.mmdb"])


@pytest.fixture(scope="module")
def truth() -> list[dict[str, str]]:
    """Rows of the ground truth: ip, country (`*`: anycast), asns, operator, jurisdiction, class."""
    if not GROUND_TRUTH.exists():
        pytest.skip("no EGRESS_AUDIT_SHARED")
    with GROUND_TRUTH.open(encoding="utf-8", newline="") as stream:
        return [row for row in csv.DictReader(stream) if row["country"] != "-"]


def test_the_embedded_list_is_wrong_about_one_known_country_only(
    embedded: Classifier, truth: list[dict[str, str]]
) -> None:
    unicast = [row for row in truth if row["country"] != "*"]
    found = {row["ip"]: embedded.destination(row["ip"]).located for row in unicast}
    assert len(unicast) == 89
    assert {r["ip"]: found[r["ip"]] for r in unicast if found[r["ip"]] != r["country"]} == WRONG


def test_the_embedded_list_has_another_as_for_seven_known_addresses_only(
    embedded: Classifier, truth: list[dict[str, str]]
) -> None:
    found = {row["ip"]: embedded.destination(row["ip"]).asn for row in truth}
    assert len(truth) == 105
    assert {
        r["ip"]: found[r["ip"]] for r in truth if str(found[r["ip"]]) not in r["asns"].split(",")
    } == OTHER_AS


def test_no_jurisdiction_contradicts_public_knowledge(
    embedded: Classifier, truth: list[dict[str, str]]
) -> None:
    found = {row["ip"]: embedded.destination(row["ip"]).controlled for row in truth}
    known = [row for row in truth if not isinstance(found[row["ip"]], Absent)]
    assert len(known) >= 80
    assert not [row["ip"] for row in known if found[row["ip"]] != row["jurisdiction"]]


def test_whatever_the_truth_has_in_many_places_is_placeless(
    embedded: Classifier, truth: list[dict[str, str]]
) -> None:
    anycast = [row["ip"] for row in truth if row["country"] == "*"]
    found = {ip: embedded.destination(ip).located_confidence for ip in anycast}
    assert set(found.values()) == {Confidence.NONE}
