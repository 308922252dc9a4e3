"""The lists that come with the program: where they come from, and that they are well formed."""

import csv
import hashlib
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from egress_audit.addresses import Scope, scope_of

ROOT = Path(__file__).parent.parent
LISTS = ROOT / "egress_audit" / "lists"
SOURCES: list[dict[str, Any]] = yaml.safe_load((LISTS / "SOURCES.yaml").read_text("utf-8"))["lists"]
TABLES = {
    "operators.csv": [
        "asn", "organisation", "group", "jurisdiction", "category", "as_registered", "note",
    ],
    "ipv6_overrides.csv": ["prefix", "asn", "holder", "source"],
    "anycast.csv": ["prefix", "role", "operator", "jurisdiction", "source"],
    "resolvers.csv": ["host", "address", "kind", "operator", "source"],
}  # fmt: skip
CATEGORIES = {
    "ai-host", "ai-vendor", "cdn", "cloud", "dev-platform", "dns", "internet-company", "isp",
    "nonprofit", "proxy", "registry", "state-network", "state-telecom", "telecom",
}  # fmt: skip


def rows(name: str) -> list[dict[str, str]]:
    with (LISTS / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_list_in_the_folder_has_its_sources() -> None:
    kinds = ("*.csv", "*.json", "*.mmdb")
    here = {path.name for kind in kinds for path in LISTS.glob(kind)}
    assert here <= {entry["file"] for entry in SOURCES}


@pytest.mark.parametrize("entry", SOURCES, ids=lambda entry: entry["file"])
def test_a_list_is_the_file_that_its_sources_describe(entry: dict[str, Any]) -> None:
    content = (LISTS / entry["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry["sha256"]


@pytest.mark.parametrize("entry", SOURCES, ids=lambda entry: entry["file"])
def test_a_list_says_its_origin_date_licence_and_changes(entry: dict[str, Any]) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", entry["date"])
    assert entry["licence"]
    assert entry["attribution"]
    assert entry["modifications"]
    assert all(origin["from"] and origin["version"] for origin in entry["origin"])
    assert entry["licences"]
    assert all((LISTS / licence).read_text("utf-8") for licence in entry["licences"])


def test_no_licence_lies_here_for_nothing() -> None:
    named = {licence for entry in SOURCES for licence in entry["licences"]}
    assert named == {f"licences/{path.name}" for path in (LISTS / "licences").iterdir()}


def test_the_notice_gives_the_attribution_and_points_to_the_licences() -> None:
    notice = " ".join((ROOT / "NOTICE").read_text("utf-8").split())
    assert "IP geolocation by DB-IP (https://db-ip.com), CC BY 4.0." in notice
    assert "egress_audit/lists/licences/" in notice


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_its_columns_and_full_rows(name: str) -> None:
    for row in rows(name):
        assert list(row) == TABLES[name]
        assert all(cell == cell.strip() for cell in row.values())


@pytest.mark.parametrize("name", ["ipv6_overrides.csv", "anycast.csv", "resolvers.csv"])
def test_no_row_is_without_a_source(name: str) -> None:
    assert all(row["source"] for row in rows(name))


def test_operators_are_sorted_unique_and_complete() -> None:
    table = rows("operators.csv")
    numbers = [int(row["asn"]) for row in table]
    assert numbers == sorted(set(numbers))
    for row in table:
        assert row["organisation"] and row["group"], row
        assert re.fullmatch("[A-Z]{2}", row["jurisdiction"]) or "in transition" in row["note"], row
        assert row["category"] in CATEGORIES, row


@pytest.mark.parametrize("name", ["ipv6_overrides.csv", "anycast.csv"])
def test_prefixes_are_sorted_unique_and_globally_reachable(name: str) -> None:
    networks = [ip_network(row["prefix"]) for row in rows(name)]
    keys = [(network.version, int(network.network_address)) for network in networks]
    assert keys == sorted(set(keys))
    assert {scope_of(network[1]) for network in networks} == {Scope.GLOBAL}


def test_resolvers_are_sorted_and_unique() -> None:
    keys = [(row["kind"], row["host"], row["address"]) for row in rows("resolvers.csv")]
    assert keys == sorted(set(keys))


def test_every_overridden_block_has_a_known_operator() -> None:
    groups = {row["asn"]: row["group"] for row in rows("operators.csv")}
    for row in rows("ipv6_overrides.csv"):
        assert groups[row["asn"]] == row["holder"]


def test_anycast_is_marked_by_whole_routable_blocks() -> None:
    resolvers = [r["prefix"] for r in rows("anycast.csv") if r["role"] == "anycast-dns"]
    lengths = {(n.version, n.prefixlen) for n in map(ip_network, resolvers)}
    assert lengths <= {(4, 24), (6, 48)}  # RFC 7454 §6.1.3: longer ones are not passed on


def test_what_is_in_many_places_is_a_resolver_a_front_or_a_global_address_of_a_cloud() -> None:
    assert {row["role"] for row in rows("anycast.csv")} == {
        "anycast-dns", "cdn", "cloud", "cloud-global",
    }  # fmt: skip
