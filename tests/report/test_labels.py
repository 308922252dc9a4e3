"""Labels of addresses: read strictly, looked up late, and of no weight."""

from dataclasses import replace
from pathlib import Path

import pytest

from egress_audit.errors import EgressAuditError
from egress_audit.model.audit import OwnAddresses
from egress_audit.report.beside import AddressLabel
from egress_audit.report.labels import MAX_TEXT, read_labels
from tests.builders.audit_parts import observation
from tests.builders.audits import hub_lookup

HEAD = "address,name,role\n"


def saved(folder: Path, text: str | bytes) -> str:
    path = folder / "names.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def test_the_longest_prefix_answers(tmp_path: Path) -> None:
    text = HEAD + "10.0.0.0/8,office,clients\n10.0.0.9,printer,\n2001:db8::/32,lab,\n"
    labels = read_labels(saved(tmp_path, text))
    audit = replace(
        hub_lookup(),
        observations=tuple(
            observation(number, far_h=address)
            for number, address in enumerate(("2001:db8::7", "10.0.0.9", "10.0.0.10", "8.8.8.8"), 1)
        ),
        own_addresses=OwnAddresses("given", ("10.1.0.0/16",)),
    )
    assert labels.of(audit) == (
        AddressLabel("10.0.0.9", "printer", ""),
        AddressLabel("10.0.0.10", "office", "clients"),
        AddressLabel("10.1.0.0", "office", "clients"),
        AddressLabel("2001:db8::7", "lab", ""),
    )


def test_columns_may_stand_in_any_order_beside_others(tmp_path: Path) -> None:
    text = "\ufeffrole,site,address,name\nresolver,B4,10.0.0.1,gw\n"
    labels = read_labels(saved(tmp_path, text))
    audit = replace(hub_lookup(), observations=(observation(far_h="10.0.0.1"),))
    assert AddressLabel("10.0.0.1", "gw", "resolver") in labels.of(audit)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"names\.csv:1: has no column address, name, role"),
        ("10.0.0.1,gw,router\n", r":1: has no column"),
        (HEAD + "10.0.0.1,gw\n", r":2: has another number of cells"),
        (HEAD + "10.0.0.1,gw,a,b\n", r":2: has another number of cells"),
        (HEAD + "10.0.0.1,gw,\n10.0.0.300,x,\n", r":3: '10\.0\.0\.300' is no address"),
        (HEAD + "10.0.0.1/24,gw,\n", r":2: .* is no address and no prefix"),
        (HEAD + "10.0.0.1,,router\n", r":2: names nothing"),
        (HEAD + "10.0.0.1,a,\n10.0.0.1/32,b,\n", r":3: .* a second time"),
        (HEAD + f"10.0.0.1,{'x' * (MAX_TEXT + 1)},\n", r":2: its name is longer"),
        (HEAD + '10.0.0.1,"gw,\n', r":2: is no CSV"),
        (HEAD.encode() + b"10.0.0.1,\xff,\n", r":2: is no UTF-8"),
    ],
    ids=str.split("empty headless short long address prefix nameless twice huge quote latin-1"),
)
def test_a_malformed_line_is_refused_with_its_place(
    text: str | bytes, says: str, tmp_path: Path
) -> None:
    with pytest.raises(EgressAuditError, match=says):
        read_labels(saved(tmp_path, text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EgressAuditError, match="cannot be read"):
        read_labels(str(tmp_path / "none.csv"))
