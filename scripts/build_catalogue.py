"""Compiles lists/catalogue/*.yaml into lists/catalogue.json, and writes its sha256 and rows down.

The same files make the same bytes; a test holds the compiled catalogue to what this writes.
"""

import hashlib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from egress_audit.classify.catalogue_files import (  # noqa: E402 - the line above is needed
    COMPILED,
)
from egress_audit.classify.catalogue_rows import compiled, rows_in  # noqa: E402
from egress_audit.classify.written_catalogues import (  # noqa: E402
    placed_entries,
    refuse_contradictions,
)
from egress_audit.errors import CatalogueInvalid, EgressAuditError  # noqa: E402
from egress_audit.yaml_tree import yaml_files  # noqa: E402

FOLDER = COMPILED.with_suffix("")
SOURCES = COMPILED.parent / "SOURCES.yaml"
WRITTEN_DOWN = re.compile(
    r"(- file: catalogue\.json\n(?:(?!  - file:).*\n)*?    sha256: )[0-9a-f]*\n(?:    rows: \d+\n)?"
)


def compiled_text() -> str:
    """What the compiled catalogue must be."""
    placed = placed_entries(yaml_files([FOLDER], CatalogueInvalid))
    refuse_contradictions(placed)
    return compiled(item.entry for item in placed)


def main() -> None:
    """Writes the compiled catalogue, and its sha256 and rows into SOURCES.yaml."""
    try:
        content = compiled_text().encode()
    except EgressAuditError as error:
        sys.exit(str(error))
    COMPILED.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    told = f"{digest}\n    rows: {len(rows_in(content))}\n"
    sources = WRITTEN_DOWN.sub(rf"\g<1>{told}", SOURCES.read_text(encoding="utf-8"))
    SOURCES.write_text(sources, encoding="utf-8", newline="\n")
    print(f"{COMPILED.name}: {len(content)} bytes, {len(rows_in(content))} entries")


if __name__ == "__main__":
    main()
