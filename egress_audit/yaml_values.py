"""One reader for each kind of value that people write in YAML: an item of the file in, a value out.

Every reader raises the error of the file that it reads for, with the line of what it refuses.
"""

import re
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network
from typing import TypeVar

from egress_audit.country_codes import COUNTRY_CODES
from egress_audit.periods import SECOND_NS
from egress_audit.yaml_tree import Item, Listing, Table, Word, refused

Value = TypeVar("Value")

_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")
_NAME = re.compile("[a-z0-9][a-z0-9-]{0,63}")
_MAPPED = IPv6Network("::ffff:0:0/96")  # RFC 4291 §2.5.5.2
_DURATION = re.compile("([0-9]{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

MANY = 25
"""Known words that nobody reads to their end."""
NEAR = 5
"""Of so many, those that are shown: the nearest."""

_SHAPES = {Word: "a single value", Listing: "a list", Table: "a mapping"}


def nearest(unknown: str, known: Iterable[str]) -> str:
    """The hint for an unknown word: the one that was probably meant, else all there are; of many
    the nearest."""
    from difflib import get_close_matches  # not above: only wrong words are compared

    words = {word.lower(): word for word in sorted(known)}
    close = get_close_matches(unknown.lower(), words, n=1)
    if close:
        return f"did you mean `{words[close[0]]}`?"
    if len(words) <= MANY:
        return f"known: {', '.join(words.values())}"
    near = get_close_matches(unknown.lower(), words, n=NEAR, cutoff=0)
    return f"the nearest of {len(words)}: {', '.join(words[word] for word in near)}"


def word(item: Item, wanted: str) -> Word:
    """The item, which must be a single value; `wanted` says of what kind."""
    if not isinstance(item, Word):
        raise refused(item, f"{wanted} is wanted, not {_SHAPES[type(item)]}", "write one")
    return item


def text(item: Item) -> str:
    """A text that is not empty, with its line breaks made spaces."""
    found = word(item, "a text")
    if found.kind != "str":
        raise refused(item, f"a text is wanted, not `{found.text}`", "put it in quotes")
    if not found.text.strip():
        raise refused(item, "a text is wanted, not nothing", "leave the key out")
    return " ".join(found.text.split())


def name(item: Item) -> str:
    """A name to refer to: lower case letters, digits and `-`."""
    found = text(item)
    if not _NAME.fullmatch(found):
        raise refused(item, f"`{found}` is no name", "use lower case, digits and `-`")
    return found


def truth(item: Item) -> bool:
    """True or false."""
    found = word(item, "true or false")
    if found.kind != "bool":
        raise refused(item, f"true or false is wanted, not `{found.text}`", "write true or false")
    return found.text.lower() in ("true", "yes", "on")


def duration(item: Item) -> int:
    """Nanoseconds, of a number with its unit: 60s, 5m, 4h, 365d."""
    found = word(item, "a duration")
    match = _DURATION.fullmatch(found.text)
    if not match:
        raise refused(item, f"`{found.text}` is no duration", "write 60s, 5m, 4h or 365d")
    return int(match[1]) * _SECONDS[match[2]] * SECOND_NS


def one_of(*words: str) -> Callable[[Item], str]:
    """The reader that takes just these words."""

    def read(item: Item) -> str:
        found = word(item, " or ".join(words)).text
        if found not in words:
            raise refused(item, f"`{found}` is not possible here", nearest(found, words))
        return found

    return read


def each(read: Callable[[Item], Value]) -> Callable[[Item], tuple[Value, ...]]:
    """The reader of a list of what `read` reads; the same twice is an error."""

    def read_all(item: Item) -> tuple[Value, ...]:
        if not isinstance(item, Listing):
            raise refused(item, f"a list is wanted, not {_SHAPES[type(item)]}", "write [one, two]")
        values: dict[Value, None] = {}
        for child in item.items:
            value = read(child)
            if value in values:
                raise refused(child, f"`{value}` stands here a second time", "leave one out")
            values[value] = None
        return tuple(values)

    return read_all


def country(item: Item) -> str:
    """An ISO 3166-1 alpha-2 code."""
    code = word(item, "a country code").text
    if code in COUNTRY_CODES:
        return code
    upper = code.upper()
    hint = f"did you mean `{upper}`?" if upper in COUNTRY_CODES else "ISO 3166-1, such as CN"
    raise refused(item, f"`{code}` is no country code", hint)


def host(item: Item) -> str:
    """An exact host name, or `*.` and a suffix; lower case."""
    written = text(item)
    pattern = written.lower()
    if pattern == "*" or pattern.startswith("."):
        raise refused(item, f"`{pattern}` is no host pattern", "write `*.example.org`")
    if _is_address(pattern):
        raise refused(item, f"`{pattern}` is an address", "put it under `prefixes`")
    if not _HOST.fullmatch(pattern) or len(pattern) > 253:
        raise refused(
            item,
            f"`{written}` is no host name",
            "letters, digits, `-` and `.`, none at its end; other scripts as xn--…",
        )
    return pattern


def _is_address(pattern: str) -> bool:
    try:
        ip_address(pattern)
    except ValueError:
        return False
    return True


def prefix(item: Item) -> IPv4Network | IPv6Network:
    """An address, or a prefix without host bits; of IPv4, if it is written as mapped to IPv6."""
    written = word(item, "a prefix").text
    try:
        network = ip_network(written)
    except ValueError as error:
        hint = "write 192.0.2.0/24 or 2001:db8::/32"
        raise refused(item, f"`{written}` is no prefix", hint) from error
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        # As a socket of both versions prints its peers: the packets are those of IPv4.
        inner = IPv4Address(int(network.network_address) - int(_MAPPED.network_address))
        return IPv4Network((inner, network.prefixlen - _MAPPED.prefixlen))
    return network
