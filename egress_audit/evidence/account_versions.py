"""The libraries of a record, which names them one module and one process at a time, gathered."""

from collections.abc import Iterable

from egress_audit.evidence.account_notes import NOBODY, Notes, known_process
from egress_audit.evidence.events import Event
from egress_audit.model.destination import Absent
from egress_audit.model.versions import ProductVersion, VersionHow

_STRENGTHS = tuple(VersionHow)

Product = tuple[str, str | Absent, str]
"""Its name, version and source."""


def library(notes: Notes, event: Event) -> None:
    """Takes in one module that one process loaded."""
    process = known_process(notes, event)
    if process == NOBODY:
        return
    seen = ProductVersion(
        product=event.text("product"),
        version=event.text_or_absent("version"),
        how=VersionHow(event.text("how")),
        source=event.text("source"),
        modules=(event.text("module"),),
        processes=(process,),
    )
    notes.keep(notes.libraries, seen, event.kind)


def gathered(libraries: Iterable[ProductVersion]) -> tuple[ProductVersion, ...]:
    """Rows of one product, version, source and strength each, with all processes in which it is
    known so strongly; by product, then version."""
    modules: dict[Product, set[str]] = {}
    strongest: dict[tuple[Product, int], VersionHow] = {}
    for seen in libraries:
        product = seen.product, seen.version, seen.source
        modules.setdefault(product, set()).update(seen.modules)
        for process in seen.processes:
            known = strongest.setdefault((product, process), seen.how)
            strongest[product, process] = min(known, seen.how, key=_STRENGTHS.index)
    processes: dict[tuple[Product, VersionHow], set[int]] = {}
    for (product, process), how in strongest.items():
        processes.setdefault((product, how), set()).add(process)
    rows = (
        ProductVersion(
            *product[:2], how, product[2], tuple(sorted(modules[product])), tuple(sorted(ids))
        )
        for (product, how), ids in processes.items()
    )
    return tuple(sorted(rows, key=_order))


def _order(row: ProductVersion) -> tuple[str, str, str, str, int]:
    version = "" if isinstance(row.version, Absent) else row.version
    return row.product.lower(), row.product, version, row.source, _STRENGTHS.index(row.how)
