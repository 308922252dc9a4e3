"""Names and roles that a user gives to addresses, for readers alone: `--names FILE.csv`.

    address,name,role
    10.77.0.0/24,office,clients
    10.77.0.1,gw-1,resolver

Labels are no evidence. They are looked up when a report is laid out, after everything was judged.
"""

from collections.abc import Mapping
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

from egress_audit.addresses import PrefixMap
from egress_audit.csv_rows import Row, numbered_rows
from egress_audit.errors import EgressAuditError
from egress_audit.model.audit import Audit
from egress_audit.model.destination import Absent
from egress_audit.report.beside import AddressLabel

COLUMNS = ("address", "name", "role")
MAX_BYTES = 32 << 20
"""Of a file of labels: more than half a million of them."""
MAX_TEXT = 100
"""Characters of a name or a role."""
HINT = "write `address,name,role` into its first line, and one address or prefix in each other"

Network = IPv4Network | IPv6Network


class Labels:
    """Labels by address; the longest prefix that holds an address answers for it."""

    def __init__(self, rows: Mapping[Network, tuple[str, str]]) -> None:
        self._by_prefix = PrefixMap(rows.items())

    def of(self, audit: Audit) -> tuple[AddressLabel, ...]:
        """Of every address in an audit that has one: sorted by version and number."""
        found = []
        for text in _addresses_of(audit):
            try:
                address = ip_address(text)
            except ValueError:
                continue
            label = self._by_prefix.get(address)
            if label is not None:
                order = (address.version, int(address))
                found.append((order, AddressLabel(text, *label)))
        return tuple(label for _, label in sorted(found, key=lambda each: each[0]))


def read_labels(path: str) -> Labels:
    """The labels in a CSV file. Raises EgressAuditError, with file and line, for one that is none.

    Columns: COLUMNS, in any order; others are passed over.
    """
    rows: dict[Network, tuple[str, str]] = {}
    lines = _content(path).splitlines(keepends=True)
    for line, row in numbered_rows(lines, COLUMNS, partial(_bad, path)):
        network = _network(path, line, row["address"].strip())
        if network in rows:
            raise _bad(path, line, f"{network} stands here a second time")
        rows[network] = _text(path, line, row, "name"), _text(path, line, row, "role")
        if not rows[network][0]:
            raise _bad(path, line, "names nothing: the name is empty")
    return Labels(rows)


def _content(path: str) -> str:
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        what = f"these names cannot be read: {reason}"
        raise EgressAuditError(what, where=path, hint="check the path") from error
    if len(data) > MAX_BYTES:
        raise EgressAuditError(f"names have at most {MAX_BYTES >> 20} MiB", where=path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _bad(path, line, "is no UTF-8") from error


def _network(path: str, line: int, text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise _bad(path, line, f"{text[:MAX_TEXT]!r} is no address and no prefix") from error


def _text(path: str, line: int, row: Row, column: str) -> str:
    text = row[column].strip()
    if len(text) > MAX_TEXT:
        raise _bad(path, line, f"its {column} is longer than {MAX_TEXT} characters")
    return text


def _bad(path: str, line: int, what: str) -> EgressAuditError:
    return EgressAuditError(what, where=f"{path}:{line}", hint=HINT)


def _addresses_of(audit: Audit) -> set[str]:
    """Every address that a report of this audit can show."""
    found = {prefix.partition("/")[0] for prefix in audit.own_addresses.prefixes}
    for seen in audit.observations:
        if not isinstance(seen.far_h, Absent):
            found.add(seen.far_h)
        found.update(seen.resolvers, seen.answers)
    return found
