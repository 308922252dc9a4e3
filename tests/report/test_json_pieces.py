"""The model's values as indented JSON, in pieces."""

import json
from dataclasses import replace
from ipaddress import ip_network

import pytest

from egress_audit.addresses import Scope
from egress_audit.model.audit import Audit, Direction
from egress_audit.model.destination import Absent
from egress_audit.report.json_pieces import json_of, pieces_of, quoted
from egress_audit.report.plain import plain
from tests.builders.audits import asserted_silence, far_and_wide, hub_lookup, silent_capture
from tests.builders.endpoints import entry

SAMPLES = [hub_lookup(), silent_capture(), asserted_silence(), far_and_wide()]
VALUES: list[object] = [
    Absent.NOT_FOUND,
    Direction.OUTBOUND,
    {Scope.GLOBAL: 1, Scope.LAN: 2},
    {"b": (), "a": {}},
    (1, -1, True, False),
    (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")),
    frozenset({"b", "a"}),
    entry(),
    (),
    '\\ " \n é',
]


def reference(value: object) -> str:
    return json.dumps(plain(value), indent=2, ensure_ascii=False)


@pytest.mark.parametrize("audit", SAMPLES, ids=lambda audit: audit.verdict)
def test_the_pieces_are_what_the_json_module_would_write(audit: Audit) -> None:
    assert "".join(pieces_of(audit, "\n")) == reference(audit)


@pytest.mark.parametrize("audit", SAMPLES, ids=lambda audit: audit.verdict)
def test_one_piece_is_what_the_json_module_would_write(audit: Audit) -> None:
    assert json_of(audit) == reference(audit)


# By kind: the text of a set is another one in each process.
@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_every_kind_of_value_is_what_the_json_module_would_write(value: object) -> None:
    assert json_of(value) == reference(value)


def test_no_piece_is_longer_than_a_row() -> None:
    row = hub_lookup().observations[0]
    audit = replace(hub_lookup(), observations=(row,) * 1000)
    assert max(map(len, pieces_of(audit, "\n"))) < 20_000


def test_what_has_no_place_in_a_document_is_refused() -> None:
    with pytest.raises(TypeError, match="float has no place"):
        json_of((1.5,))


def test_what_a_terminal_would_obey_is_escaped_and_the_rest_is_not() -> None:
    assert quoted("é\x7f\U000e0041") == '"é\\u007f\\udb40\\udc41"'
