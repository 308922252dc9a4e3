"""The host or address within what was pasted by mistake: a URL, a prefix, a wildcard, an IDN."""

import re

from egress_audit.classify.places import named_place

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_BEYOND = re.compile(r"[/?#].*", re.DOTALL)
"""Path, query and fragment of a URL (RFC 3986 §3), and the length of a prefix."""
_ZONE = re.compile(r"%[^\]]*")
"""Of an address (RFC 4007 §11), which names an interface of this machine alone."""
DIFFERS = frozenset("ßς\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}")
"""Characters that IDNA 2003, which Python has, and IDNA 2008 write in two ways."""
LONGEST = 2_000
"""Characters that are looked at; no URL that a person pastes is longer."""


def place_within(text: str) -> str | None:
    """`api.deepseek.com` of `https://api.deepseek.com/v1`, `xn--bcher-kva.example` of its Unicode;
    None if there is none, or it is not sure."""
    if len(text) > LONGEST:
        return None
    rest = _BEYOND.sub("", _SCHEME.sub("", text.strip(), count=1), count=1)
    host = _ZONE.sub("", rest.rpartition("@")[2], count=1).removeprefix("*.")
    written = host if host.isascii() else _a_label(host)
    if written == text or written is None or named_place(written) is None:
        return None
    return written


def _a_label(host: str) -> str | None:
    """The name as it is asked of the DNS (RFC 3490); None for what has no such form, or two."""
    if DIFFERS & set(host):
        return None
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return None
