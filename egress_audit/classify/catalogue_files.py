"""The catalogue that comes with the program, and what people add to it."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from egress_audit.classify.catalogue import Catalogue
from egress_audit.classify.catalogue_rows import row_of, rows_in
from egress_audit.classify.list_sources import LISTS, REINSTALL, described
from egress_audit.errors import CatalogueInvalid, ListUnreadable

COMPILED = LISTS / "catalogue.json"


@cache
def packaged_catalogue() -> Catalogue:
    """The catalogue that comes with the program. Raises ListUnreadable if it is damaged.

    Kept, and read when first asked for: most captures of an honest program never need it.
    """
    try:
        rows = rows_in(COMPILED.read_bytes())
    except (OSError, ValueError) as error:
        raise ListUnreadable(
            "catalogue cannot be read", where=str(COMPILED), hint=REINSTALL
        ) from error
    used = described(COMPILED)
    return Catalogue(rows, (used,) if used else ())


def catalogue_of(paths: Sequence[str | Path]) -> Catalogue:
    """The packaged catalogue, and the entries of files or folders of a person's own.

    Raises CatalogueInvalid for a file that does not say what it must, or has an id twice.
    """
    packaged = packaged_catalogue()
    if not paths:
        return packaged
    # Late: who adds nothing need not wait for the reader of YAML.
    from egress_audit.classify import written_catalogues as written
    from egress_audit.classify.catalogue_schema import PlacedEntry
    from egress_audit.yaml_tree import yaml_files

    files = yaml_files([Path(path) for path in paths], CatalogueInvalid)
    placed = [PlacedEntry(str(COMPILED), entry) for entry in packaged]
    placed += written.placed_entries(files)
    written.refuse_contradictions(placed)
    used = (*packaged.used, *map(written.used, files))
    return Catalogue([row_of(item.entry) for item in placed], used)
