"""Addresses, looked up outside any capture."""

from pathlib import Path

import pytest

from egress_audit.errors import ListUnreadable, WrongUsage
from egress_audit.keeping.lookup import lookup_addresses
from tests.builders.address_lists import mmdb_file


def test_every_address_is_answered_in_its_order() -> None:
    found = list(lookup_addresses(["47.74.0.1", "10.0.0.1"]))
    assert [one.address for one in found] == ["47.74.0.1", "10.0.0.1"]
    assert found[0].destination.controlled == "CN"
    assert found[1].destination.scope == "lan"


@pytest.mark.parametrize("word", ["example.com", "1.2.3", "", "fe80::1%", "1.2.3.4/32"])
def test_what_is_no_address_is_refused_and_not_resolved(word: str) -> None:
    with pytest.raises(WrongUsage, match="no IP address"):
        list(lookup_addresses([word]))


def test_a_list_that_is_supplied_is_asked_first(tmp_path: Path) -> None:
    (found,) = lookup_addresses(["9.1.1.1"], lists=[str(mmdb_file(tmp_path))])
    assert found.destination.located == "JP"


def test_a_list_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ListUnreadable):
        list(lookup_addresses(["9.1.1.1"], lists=[str(tmp_path / "none.mmdb")]))
