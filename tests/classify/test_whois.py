"""What the lists know of a host, an address or an AS."""

from functools import cache
from pathlib import Path

import pytest

from egress_audit.addresses import Scope
from egress_audit.classify.catalogue import Catalogue
from egress_audit.classify.destination import Classifier, embedded_classifier
from egress_audit.classify.resolvers import NOBODY
from egress_audit.classify.whois import who_is
from egress_audit.errors import WrongUsage
from egress_audit.model.destination import Absent
from egress_audit.model.whois import AutonomousSystem, Kind, WhoIs
from tests.builders.catalogues import catalogue
from tests.builders.endpoints import entry

KNOWN = catalogue(host="ollama.com", below="*.acme.example", net="192.0.2.0/24 443/tcp")
EMPTY = Catalogue(())


@cache
def lists() -> Classifier:
    return embedded_classifier()


def found(text: str, known: Catalogue = KNOWN, classifier: Classifier | None = None) -> WhoIs:
    return who_is(text, known, classifier or Classifier())


def ids(answer: WhoIs) -> list[str]:
    return [entry.id for entry in answer.endpoints]


def test_a_host_is_looked_up_in_the_catalogue() -> None:
    answer = found("Ollama.com.:443")
    assert (answer.asked, answer.kind, answer.port) == ("ollama.com", Kind.HOST, 443)
    assert ids(answer) == ["host"]
    assert answer.destination is Absent.NOT_APPLICABLE


def test_a_host_that_no_list_knows_is_not_known() -> None:
    answer = found("nobody.example")
    assert (answer.endpoints, answer.resolver, answer.above) == (
        (), Absent.NOT_FOUND, Absent.NOT_FOUND,
    )  # fmt: skip


def test_a_known_name_above_an_unknown_one_is_told() -> None:
    assert found("a.b.ollama.com").above == "ollama.com"


def test_a_host_that_is_known_needs_no_name_above_it() -> None:
    assert found("a.acme.example").above is Absent.NOT_APPLICABLE


def test_a_resolver_says_how_it_is_asked() -> None:
    assert found("dns.google").resolver == "DNS over HTTPS (known resolver)"
    assert found("8.8.8.8").resolver == "DNS over HTTPS (known resolver)"
    assert found("192.0.2.1").resolver is Absent.NOT_FOUND


def test_an_address_is_looked_up_in_the_catalogue_and_placed() -> None:
    answer = found("192.0.2.1:443/tcp")
    assert (answer.kind, answer.protocol, ids(answer)) == (Kind.ADDRESS, "tcp", ["net"])
    assert not isinstance(answer.destination, Absent)
    assert answer.destination.scope is Scope.DOCUMENTATION


def test_an_address_within_another_is_told_as_documents_write_it() -> None:
    answer = found("::FFFF:8.8.8.8")
    assert answer.asked == "::ffff:8.8.8.8"
    assert answer.resolver == "DNS over HTTPS (known resolver)"


def test_an_address_at_another_port_is_another_thing() -> None:
    assert ids(found("192.0.2.1:80/tcp")) == []


def test_an_address_has_a_place_from_the_lists() -> None:
    destination = found("8.8.8.8", classifier=lists()).destination
    assert not isinstance(destination, Absent)
    assert (destination.asn, destination.operator) == (15169, "Google")


@pytest.mark.parametrize("text", ["AS15169", "as15169", "15169"])
def test_an_as_has_an_operator_from_the_table(text: str) -> None:
    answer = found(text)
    assert (answer.asked, answer.kind) == ("AS15169", Kind.AS)
    system = answer.autonomous_system
    assert isinstance(system, AutonomousSystem)
    assert (system.operator, system.jurisdiction, system.category) == ("Google", "US", "cloud")
    assert system.organisation == "Google LLC"


def test_an_as_that_the_table_lacks_is_not_known() -> None:
    answer = found("AS64500")
    assert answer.autonomous_system is Absent.NOT_FOUND


def test_the_answer_names_the_lists_that_it_is_from() -> None:
    assert [used.name for used in found("AS1").lists] == ["operators"]
    assert [used.name for used in found("a.example", EMPTY).lists] == ["resolvers"]
    named = {used.name for used in found("8.8.8.8", classifier=lists()).lists}
    assert {"addresses", "operators", "anycast"} <= named


@pytest.mark.parametrize("text", ["", "https://a.example", "AS0", "AS4294967296", "bücher.example"])
def test_what_is_none_of_them_is_wrong_usage(text: str) -> None:
    with pytest.raises(WrongUsage):
        found(text)


@pytest.mark.parametrize("text", ["AS15169", "asn15169", "AS 15169", "15169"])
def test_an_as_is_known_in_each_way_that_people_write_it(text: str) -> None:
    assert found(text, EMPTY, lists()).asked == "AS15169"


def test_a_number_beyond_all_as_is_no_host() -> None:
    with pytest.raises(WrongUsage, match="there is no AS99999999999"):
        found("AS99999999999")


def test_what_holds_a_place_is_refused_with_the_place() -> None:
    with pytest.raises(WrongUsage) as refused:
        found("https://ollama.com/api")
    assert refused.value.hint == "perhaps: egress-audit whois ollama.com"


def test_whose_a_host_of_nobody_known_may_be_the_name_above_it_tells() -> None:
    nobodys = entry("a", vendor=NOBODY, hosts=("dns.acme.example",))
    known = Catalogue.of([nobodys, entry("b", hosts=("acme.example",))])
    assert found("dns.acme.example", known).above == "acme.example"
    assert found("acme.example", known).above is Absent.NOT_APPLICABLE


def test_an_as_is_looked_up_in_the_table_that_the_user_updated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folder = tmp_path / "egress-audit" / "lists" / "update-1"
    folder.mkdir(parents=True)
    table = "asn,group,jurisdiction,category,note\n64500,Acme,SE,cloud,\n"
    (folder / "operators.csv").write_text(table, encoding="utf-8")
    (folder / "SOURCES.yaml").write_text(
        "lists:\n  - {file: operators.csv, name: operators, date: '2026-12-01', licence: none,"
        " attribution: ''}\n",
        encoding="utf-8",
    )
    (folder.parent / "current").write_text("update-1\n", encoding="utf-8")
    system = found("AS64500").autonomous_system
    assert isinstance(system, AutonomousSystem)
    assert system.operator == "Acme"


@pytest.mark.parametrize("text", ["AS", "as", "ASN", "AS-", "ASN "])
def test_an_as_without_a_number_is_no_host(text: str) -> None:
    with pytest.raises(WrongUsage, match="lacks the number") as raised:
        found(text)
    assert "AS15169" in raised.value.hint


@pytest.mark.parametrize("text", ["as.example", "asn-1"])
def test_a_host_may_begin_like_an_as(text: str) -> None:
    assert found(text).kind is Kind.HOST


@pytest.mark.parametrize("text", ["64:ff9b::808:808", "2002:808:808::1", "::ffff:8.8.8.8"])
def test_an_ipv6_address_tells_the_ipv4_address_that_it_leads_to(text: str) -> None:
    assert found(text).embeds == "8.8.8.8"


@pytest.mark.parametrize("text", ["8.8.8.8", "2001:4860:4860::8888", "ollama.com"])
def test_what_leads_to_no_other_address_embeds_none(text: str) -> None:
    assert found(text).embeds is Absent.NOT_APPLICABLE


def test_a_name_above_of_which_nobody_knows_the_owner_tells_nothing() -> None:
    known = Catalogue.of(
        [entry("paste", vendor=NOBODY, hosts=("paste.example", "*.paste.example"))]
    )
    assert found("abc.paste.example", known).above is Absent.NOT_FOUND
