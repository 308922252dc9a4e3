"""Fields of a request that lenient servers alone take for those that say where it goes and ends.

Source: RFC 9112 §5.1 (no blank before the colon), §5.2 (obs-fold); RFC 9110 §5.1 (field names).
"""

import re
from functools import cache

_FIRST_FOLDED = re.compile(rb"[\r\n]+[ \t]+[^ \t\r\n]")
"""A line with a blank in front, where there is no field yet that it could go on with."""
_NO_NAME = rb"[^\r\n:!#$%&'*+\-.^_`|~0-9A-Za-z]*"
_PLAIN_NAME = re.compile(rb"host[ \t]*|[A-Za-z\-]+", re.I)
"""With a blank behind it a field about the body counts to some, and is another to others."""


@cache
def _almost() -> re.Pattern[bytes]:
    """A field that says whom a request is for, or where it ends, with bytes in its name that no
    name has: some pass over these (RFC 9112 §5.1). Made when it is first asked for, which takes
    1 ms, and most captures hold no such request."""
    names = (b"host", b"content-length", b"transfer-encoding")
    spread = (_NO_NAME.join(re.escape(bytes((letter,))) for letter in name) for name in names)
    return re.compile(
        rb"[\r\n](%b):" % b"|".join(_NO_NAME + name + _NO_NAME for name in spread), re.I
    )


def has_disguised(fields: bytes) -> bool:
    """True if a line is a Host field, or one about the body, to lenient readers alone."""
    if _FIRST_FOLDED.match(fields):
        return True
    return any(not _PLAIN_NAME.fullmatch(name) for name in _almost().findall(fields))
