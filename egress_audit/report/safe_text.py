"""Text that a terminal can be given: nothing in it is obeyed, and its width in columns is known.

Host names, interface names, filters and damage come from whoever made the capture, so every line
passes through `clean` where it is laid out, not where it is made: there is one place to forget.
Source: Unicode Standard Annex #9 (bidirectional controls), #11 (East Asian width).
"""

import unicodedata
from itertools import groupby

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories that show nothing of their own: controls, formats, surrogates, unassigned."""
_MARKS = frozenset({"Mn", "Me"})
MAX_MARKS = 2
"""Combining marks on one letter; Thai and Vietnamese need two, vandals need more."""
LONGEST_WORD = 256
"""Columns of an ASCII word, since no host name has more; other scripts write without spaces."""
LONGEST_TEXT = 2000
"""Columns of a paragraph: a capture can hold a filter of 64 KB, and may not flood the report."""

NO_BREAK = "\u00a0"
"""A space at which no line is broken: between the digits of a number, or it and its unit."""


def clean(text: str) -> str:
    """`text` on one line, with everything that a terminal would obey or not show escaped."""
    text = unicodedata.normalize("NFC", text)
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    bare = True
    for are_marks, characters in groupby(text, key=_is_mark):
        run = list(characters)
        # On an escape a mark would sit on its last letter, and become one with it.
        kept = run[:MAX_MARKS] if are_marks and bare else []
        shown += kept + [_visible(character) for character in run[len(kept) :]]
        bare = not _is_hidden(run[-1])
    return "".join(shown)


def narrow(text: str) -> str:
    """`clean` text in which every character takes one column, as the cells of a table need it."""
    return "".join(
        character if width_of(character) == 1 else _escape(character) for character in clean(text)
    )


def width_of(text: str) -> int:
    """Columns that clean text takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def bounded(text: str) -> str:
    """Clean text in which words, and the whole, lose their middle if they are too long."""
    words = clean(text).split(" ")
    short = (middle_cut(word, LONGEST_WORD) if word.isascii() else word for word in words)
    return middle_cut(" ".join(short), LONGEST_TEXT)


def wrapped(text: str, width: int) -> list[str]:
    """Clean lines of at most `width` columns, broken at spaces; [''] for an empty text.

    Words too long for a line are broken behind a dot, or anywhere.
    """
    lines, line = [], ""
    for word in bounded(text).split(" "):
        longer = f"{line} {word}" if line else word
        if width_of(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        *full, line = _pieces(word, width)
        lines += full
    return [*lines, line]


def middle_cut(text: str, width: int) -> str:
    """`text` in at most `width` columns: the middle gives way to `…`, since ends tell more."""
    if width_of(text) <= width:
        return text
    head, tail = width // 2, (width - 1) // 2
    return f"{_prefix(text, head)}…{_prefix(text[::-1], tail)[::-1]}"


def _pieces(word: str, width: int) -> list[str]:
    """A word in pieces of at most `width` columns, at least one. In its second half a piece ends
    behind a dot if it can: a host name that loses its last letters reads like another one."""
    pieces = []
    while width_of(word) > width:
        piece = _prefix(word, width) or word[:1]
        behind_dot = piece.rfind(".") + 1
        piece = piece[:behind_dot] if behind_dot > len(piece) // 2 else piece
        pieces.append(piece)
        word = word[len(piece) :]
    return [*pieces, word]


def _prefix(text: str, width: int) -> str:
    """The longest beginning of `text` that fits into `width` columns."""
    used = 0
    for index, character in enumerate(text):
        used += _columns(character)
        if used > width:
            return text[:index]
    return text


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in _MARKS


def _columns(character: str) -> int:
    if _is_mark(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN


def _visible(character: str) -> str:
    return _escape(character) if _is_hidden(character) or _is_mark(character) else character


def _escape(character: str) -> str:
    r"""`\x1b`, `\u202e`, `\U000e0001`: as Python writes it."""
    return ascii(character)[1:-1]
