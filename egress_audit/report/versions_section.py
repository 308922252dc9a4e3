"""Which products ran in which versions, in one compact place."""

from collections.abc import Iterable, Iterator

from egress_audit.model.audit import Audit
from egress_audit.model.destination import Absent
from egress_audit.model.versions import ProductVersion, VersionHow
from egress_audit.product_versions import product_name
from egress_audit.report.safe_text import middle_cut
from egress_audit.report.section import Entry, Section
from egress_audit.report.words import number

MOST_PRODUCTS = 24
"""Of each strength; those that the claim or the catalogue speaks of stand first."""
LONGEST_PRODUCT = 60
"""Columns of a product with its version, which may be anybody's text."""
TERMS = {
    VersionHow.MAPPED: "In memory",
    VersionHow.OPENED: "Code opened",
    VersionHow.STATED: "Stated",
}


def versions_section(audit: Audit) -> Section | None:
    """Products by how strongly they are known; None if nothing is."""
    told = {how: tuple(_lines(audit, how)) for how in TERMS}
    entries = tuple(Entry(TERMS[how], lines) for how, lines in told.items() if lines)
    if not entries:
        return None
    note = "as their own metadata or the user say; what is not listed may have run as well"
    return Section("Versions", entries, note)


def _lines(audit: Audit, how: VersionHow) -> Iterator[str]:
    rows = [row for row in audit.versions if row.how is how]
    spoken_of = _spoken_of(audit)
    names = dict.fromkeys(map(_told, sorted(rows, key=lambda row: not _is_one(row, spoken_of))))
    if names:
        more = len(names) - MOST_PRODUCTS
        rest = f" … and {number(more)} more: --format json" if more > 0 else ""
        by = ", by the user" if how is VersionHow.STATED else ""
        yield ", ".join(list(names)[:MOST_PRODUCTS]) + by + rest


def _told(row: ProductVersion) -> str:
    """`numpy 1.26.4`; the name alone where no version is known."""
    told = row.product if isinstance(row.version, Absent) else f"{row.product} {row.version}"
    return middle_cut(told, LONGEST_PRODUCT)


def _spoken_of(audit: Audit) -> frozenset[str]:
    """Names of what the claim and the entries of this document are about."""
    products = (entry.product for entry in audit.endpoints)
    return frozenset(map(product_name, (*audit.claim.applies_to.runtimes, *products)))


def _is_one(row: ProductVersion, names: Iterable[str]) -> bool:
    return any(product_name(name) in names for name in (row.product, *row.modules))
