"""Fields of a request that lenient servers alone take for those that say where it goes and ends.

Source: RFC 9112 §5.1 (no blank before the colon), §5.2 (obs-fold); RFC 9110 §5.1 (field names).
"""

import re

_FIRST_FOLDED = re.compile(rb"[\r\n]+[ \t]+[^ \t\r\n]")
"""A line with a blank in front, where there is no field yet that it could go on with."""
_NO_NAME = rb"[^\r\n:!#$%&'*+\-.^_`|~0-9A-Za-z]*"
_ALMOST = re.compile(
    rb"[\r\n](%b):"
    % b"|".join(
        _NO_NAME + _NO_NAME.join(re.escape(bytes((letter,))) for letter in name) + _NO_NAME
        for name in (b"host", b"content-length", b"transfer-encoding")
    ),
    re.I,
)
"""A field that says whom a request is for, or where it ends, with bytes in its name that no name
has: some pass over these (RFC 9112 §5.1)."""
_PLAIN_NAME = re.compile(rb"[A-Za-z\-]+[ \t]*")


def has_disguised(fields: bytes) -> bool:
    """True if a line is a Host field, or one about the body, to lenient readers alone."""
    if _FIRST_FOLDED.match(fields):
        return True
    return any(not _PLAIN_NAME.fullmatch(name) for name in _ALMOST.findall(fields))
