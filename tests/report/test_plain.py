"""The model's values as plain data."""

from ipaddress import ip_network

import pytest

from egress_audit.addresses import Scope
from egress_audit.model.destination import Absent
from egress_audit.report.plain import network_text, plain
from tests.builders.audit_parts import UNKNOWN


def test_an_absence_cannot_be_taken_for_a_word() -> None:
    assert plain(Absent.NOT_FOUND) == {"absent": "not-found"}
    assert plain("not-found") == "not-found"


def test_fields_keep_the_order_of_their_declaration() -> None:
    record = plain(UNKNOWN)
    assert isinstance(record, dict)
    assert list(record)[:3] == ["scope", "located", "located_confidence"]


def test_a_set_is_sorted() -> None:
    assert plain(frozenset({"b", "c", "a"})) == ["a", "b", "c"]


def test_a_mapping_is_sorted_by_its_keys() -> None:
    record = plain({Scope.LAN: 1, Scope.GLOBAL: 2})
    assert isinstance(record, dict)
    assert list(record.items()) == [("global", 2), ("lan", 1)]


def test_a_truth_is_not_a_number() -> None:
    assert plain(True) is True


def test_networks_have_one_notation_in_every_interpreter() -> None:
    mapped = ip_network("::ffff:192.0.2.0/120")
    assert network_text(mapped) == "::ffff:192.0.2.0/120"
    assert plain(ip_network("10.0.0.0/8")) == "10.0.0.0/8"
    assert plain(ip_network("2001:db8::/32")) == "2001:db8::/32"


@pytest.mark.parametrize("value", [None, 1.5, b"bytes", ["a list"]])
def test_what_the_document_may_not_hold_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="no place in a document"):
        plain(value)
