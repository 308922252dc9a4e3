"""How the pages of the manual are laid out that are made, or whose second half is."""

import textwrap
from pathlib import Path

MARK = "<!-- From here on made from "
"""Begins the line that ends what is written by hand."""
COLUMNS = 100


def by_hand(page: Path) -> str:
    """The first half of a page, with the mark that ends it."""
    written, mark, made = page.read_text(encoding="utf-8").partition(MARK)
    assert mark, f"{page.name} has lost its mark"
    return f"{written}{mark}{made.partition(chr(10))[0]}\n"


def filled(text: str, indent: str = "") -> str:
    """A paragraph. indent: of every line but the first."""
    return textwrap.fill(
        text,
        COLUMNS,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def bullet(text: str) -> str:
    """An item of a list."""
    return filled(f"- {text}", "  ")
