"""The catalogue that comes with the program, and what people add to it."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from egress_audit.classify.catalogue import Catalogue
from egress_audit.classify.catalogue_rows import row_of, rows_in
from egress_audit.classify.list_sources import LISTS, REINSTALL, described
from egress_audit.classify.resolvers import known_resolvers
from egress_audit.classify.user_lists import UNDO, current_list
from egress_audit.errors import CatalogueInvalid, ListUnreadable
from egress_audit.model.catalogue import Entry

COMPILED = LISTS / "catalogue.json"


@cache
def packaged_catalogue() -> Catalogue:
    """The catalogue that comes with the program, or the newer version that the user took. Raises
    ListUnreadable if it is damaged.

    Kept, and read when first asked for: most captures of an honest program never need it.
    """
    return catalogue_at(current_list(COMPILED.name))


def catalogue_at(path: Path) -> Catalogue:
    """The catalogue of a compiled file, which was checked before. Raises ListUnreadable if that is
    damaged."""
    try:
        rows = rows_in(path.read_bytes())
    except (OSError, ValueError) as error:
        hint = REINSTALL if path.parent == LISTS else UNDO
        raise ListUnreadable("catalogue cannot be read", where=str(path), hint=hint) from error
    used = described(path)
    return Catalogue(rows, (used,) if used else (), _known_otherwise)


def _known_otherwise(host: str) -> Entry | None:
    """A resolver that the table of resolvers alone knows."""
    return known_resolvers().entry_at(host)


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
    placed = [PlacedEntry(str(current_list(COMPILED.name)), entry) for entry in packaged]
    placed += written.placed_entries(files)
    written.refuse_contradictions(placed)
    used = (*packaged.used, *map(written.used, files))
    return Catalogue([row_of(item.entry) for item in placed], used, _known_otherwise)
