"""Operators: who stands behind an AS or an anycast prefix, and what a damaged table says."""

from ipaddress import ip_address
from pathlib import Path

import pytest

from egress_audit.classify.list_sources import LISTS
from egress_audit.classify.operators import (
    Operator,
    OperatorTable,
    anycast_table,
    override_table,
)
from egress_audit.errors import ListUnreadable
from egress_audit.model.destination import Absent

HEADER = "asn,group,jurisdiction,category,note\n"


def table(folder: Path, rows: str, header: str = HEADER) -> Path:
    path = folder / "table.csv"
    path.write_text(header + rows, encoding="utf-8")
    return path


def test_an_as_has_an_operator(tmp_path: Path) -> None:
    operators = OperatorTable(table(tmp_path, "64500,Example,US,cloud,a note\n"))
    assert operators.operator(64500) == Operator("Example", "US", "cloud", "a note")
    assert len(operators) == 1


def test_an_as_has_a_holder_and_a_country_of_registration(tmp_path: Path) -> None:
    header = "asn,organisation,group,jurisdiction,category,as_registered,note\n"
    rows = "64500,Example (US) Ltd.,Example,CN,cloud,US,\n"
    operator = OperatorTable(table(tmp_path, rows, header)).operator(64500)
    assert isinstance(operator, Operator)
    assert (operator.organisation, operator.registered) == ("Example (US) Ltd.", "US")


def test_an_as_that_is_not_in_the_table_has_none(tmp_path: Path) -> None:
    operators = OperatorTable(table(tmp_path, "64500,Example,US,cloud,\n"))
    assert operators.operator(64501) is Absent.NOT_FOUND


@pytest.mark.parametrize("why", [Absent.NOT_FOUND, Absent.NOT_LOADED])
def test_without_an_as_the_reason_is_passed_on(tmp_path: Path, why: Absent) -> None:
    assert OperatorTable(table(tmp_path, "")).operator(why) is why


def test_a_jurisdiction_that_is_left_open_is_not_guessed(tmp_path: Path) -> None:
    operator = OperatorTable(table(tmp_path, "64500,Example,,cloud,\n")).operator(64500)
    assert isinstance(operator, Operator)
    assert operator.jurisdiction is Absent.NOT_FOUND


@pytest.mark.parametrize("asn", ["", "AS64500", "0", "-1", "4294967296", "٣"])
def test_what_is_no_as_number_is_named_by_its_line(tmp_path: Path, asn: str) -> None:
    with pytest.raises(ListUnreadable, match=r"table\.csv:2: "):
        OperatorTable(table(tmp_path, f"{asn},Example,US,cloud,\n"))


def test_an_as_may_stand_there_once(tmp_path: Path) -> None:
    with pytest.raises(ListUnreadable, match=r"table\.csv:3: AS64500"):
        OperatorTable(table(tmp_path, "64500,Example,US,cloud,\n64500,Other,CN,cloud,\n"))


def test_a_jurisdiction_is_a_country_code(tmp_path: Path) -> None:
    with pytest.raises(ListUnreadable, match="Mars"):
        OperatorTable(table(tmp_path, "64500,Example,Mars,cloud,\n"))


def test_a_missing_table_is_refused_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ListUnreadable, match="none"):
        OperatorTable(tmp_path / "none.csv")


def test_the_operator_in_beijing_is_not_the_brand_on_its_cloud() -> None:
    sinnet = OperatorTable(LISTS / "operators.csv").operator(55960)
    assert isinstance(sinnet, Operator)
    assert (sinnet.group, sinnet.jurisdiction) == ("AWS China (Sinnet)", "CN")


def test_the_overseas_as_of_a_chinese_cloud_is_controlled_from_china() -> None:
    operators = OperatorTable(LISTS / "operators.csv")
    for asn in (45102, 132203, 136907):
        found = operators.operator(asn)
        assert isinstance(found, Operator)
        assert found.jurisdiction == "CN"


def test_an_anycast_resolver_has_an_operator_of_its_own() -> None:
    resolver = anycast_table().get(ip_address("114.114.114.114"))
    assert resolver is not None
    assert (resolver.group, resolver.jurisdiction, resolver.role) == (
        "114DNS", "CN", "anycast-dns",
    )  # fmt: skip


def test_the_neighbour_of_an_anycast_block_is_not_anycast() -> None:
    assert anycast_table().get(ip_address("1.1.2.1")) is None


def test_a_large_ipv6_block_has_a_holder() -> None:
    holder = override_table().get(ip_address("2408:8899::8"))
    assert holder is not None
    assert (holder.asn, holder.organisation) == (4837, "China Unicom")


def test_the_tables_that_come_with_the_program_can_be_named() -> None:
    names = [
        source.used.name
        for source in (OperatorTable(LISTS / "operators.csv"), anycast_table(), override_table())
        if source.used
    ]
    assert names == ["operators", "anycast", "ipv6-overrides"]
