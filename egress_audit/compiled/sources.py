"""The C sources of the compiled hot path, their digest, and where the library lies.

Read by the build hook as well, before anything is installed: only the standard library is used.
"""

import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent
LIBRARY = FOLDER / "hot_path.so"
"""The library, under this name on every system; not there where no compiler was."""
MARK = "egress-audit hot path of sources "
"""Stands in every library, before the digest of what it was made of."""


def sources() -> list[Path]:
    """The C files and headers, by name."""
    return sorted(path for path in FOLDER.iterdir() if path.suffix in (".c", ".h"))


def mark_of_sources() -> str:
    """What a library holds that was made of these very sources."""
    digest = hashlib.sha256()
    for path in sources():
        text = path.read_bytes()
        digest.update(f"{path.name} {len(text)}\n".encode())
        digest.update(text)
    return MARK + digest.hexdigest()
