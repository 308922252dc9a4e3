"""Who stands behind an AS: the curated table of operators, and the tables of prefixes beside it.

The AS names the host, not whoever rents it: Azure, not OpenAI. A jurisdiction is that of the
parent company and is curated knowledge: what the table does not have is not guessed.
"""

from pathlib import Path

from egress_audit.classify.list_sources import LISTS, described
from egress_audit.classify.tables import PrefixTable, bad_row, country_cell, table_rows
from egress_audit.csv_rows import Row
from egress_audit.model.audit import ListUsed
from egress_audit.model.destination import CLOUD_GLOBAL, Absent, role_of
from egress_audit.values import dataclass

HIGHEST_ASN = 2**32 - 1
"""RFC 6793: AS numbers have four octets."""


@dataclass(frozen=True, slots=True)
class Operator:
    """The company or state body that runs an AS, or an anycast service."""

    group: str
    jurisdiction: str | Absent
    """ISO 3166-1 alpha-2, of the parent; NOT_FOUND where the table leaves it open."""
    role: str
    """cloud, cdn-front, state-telecom …; `anycast-dns` for a resolver or root server."""
    note: str
    organisation: str = ""
    """Who holds the AS, by the registries; empty for a service that is no AS."""
    registered: str | Absent = Absent.NOT_FOUND
    """Country under which the AS is registered: often another one than that of the parent."""
    is_of_no_region: bool = False
    """True for an address that a cloud gives to no region: it may be in one place or in many."""


@dataclass(frozen=True, slots=True)
class Holder:
    """An AS and the name of who holds it."""

    asn: int
    organisation: str


class OperatorTable:
    """Operators by AS number. Raises ListUnreadable, with file and line, for a damaged table."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._by_asn: dict[int, Operator] = {}
        columns = ("asn", "group", "jurisdiction", "category", "note")
        for line, row in table_rows(path, columns):
            asn = _asn(path, line, row)
            if asn in self._by_asn:
                raise bad_row(path, line, f"AS{asn} stands here a second time")
            self._by_asn[asn] = Operator(
                row["group"],
                country_cell(path, line, row["jurisdiction"]),
                role_of(row["category"]),
                row["note"],
                row.get("organisation", ""),
                country_cell(path, line, row.get("as_registered", "")),
            )

    def __len__(self) -> int:
        return len(self._by_asn)

    def operator(self, asn: int | Absent) -> Operator | Absent:
        """The operator of an AS; why there is none, if there is no AS or the table lacks it."""
        if isinstance(asn, Absent):
            return asn
        return self._by_asn.get(asn, Absent.NOT_FOUND)

    @property
    def used(self) -> ListUsed | None:
        """What is known of the table itself; None if no SOURCES.yaml beside it says."""
        return described(self._path)


def anycast_table(path: Path = LISTS / "anycast.csv") -> PrefixTable[Operator]:
    """Prefixes that are in many places at once, with who runs the service there.

    It stands above the operator of the AS, which may be a mere carrier: 114DNS is announced abroad
    by Zenlayer.
    """
    return PrefixTable(path, ("role", "operator", "jurisdiction", "source"), _service)


def override_table(path: Path = LISTS / "ipv6_overrides.csv") -> PrefixTable[Holder]:
    """Holders of large IPv6 blocks, for addresses to which the address lists give no AS."""
    return PrefixTable(path, ("asn", "holder", "source"), _holder)


def _service(path: Path, line: int, row: Row) -> Operator:
    jurisdiction = country_cell(path, line, row["jurisdiction"])
    role, of_no_region = role_of(row["role"]), row["role"] == CLOUD_GLOBAL
    return Operator(
        row["operator"], jurisdiction, role, row["source"], is_of_no_region=of_no_region
    )


def _holder(path: Path, line: int, row: Row) -> Holder:
    return Holder(_asn(path, line, row), row["holder"])


def _asn(path: Path, line: int, row: Row) -> int:
    text = row["asn"]
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= HIGHEST_ASN):
        raise bad_row(path, line, f"{text!r} is no AS number")
    return int(text)
