"""Text of strangers (paths, command lines, names) as one line of bounded length."""

MAX_TEXT = 4096
"""Characters kept of a text; Linux bounds a path at as many bytes."""
CUT = "…"


def one_line(text: str, limit: int = MAX_TEXT) -> str:
    """`text` without anything that could move a cursor or forge a line: control characters and lone
    surrogates (bytes that were no UTF-8) are written as escapes. Cut text ends in `…`.
    """
    cut = text if len(text) <= limit else text[: limit - 1] + CUT
    if cut.isprintable():
        return cut
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
