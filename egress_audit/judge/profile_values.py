"""One reader for each kind of value a profile can hold: an item of the file in, a value out.

Every reader raises ProfileInvalid with the line of what it refuses. What is refused is what could
never match, or would match everything: both make a claim that says something else than it seems to.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TypeVar

from egress_audit.addresses import Scope
from egress_audit.errors import ProfileInvalid
from egress_audit.judge.country_codes import COUNTRY_CODES
from egress_audit.judge.profile_yaml import Item, Listing, Table, Word
from egress_audit.model.catalogue import Purpose

Value = TypeVar("Value")

ANY = "any"
SCOPE_WORDS = (ANY, *(scope for scope in Scope if scope not in (Scope.SIMULATED, Scope.NAME)))

CATEGORIES = (
    "ai-host",
    "ai-vendor",
    "cdn",
    "cloud",
    "dev-platform",
    "dns",
    "internet-company",
    "isp",
    "nonprofit",
    "proxy",
    "registry",
    "state-network",
    "state-telecom",
    "telecom",
)
"""The categories of `lists/operators.csv`; a test holds the two together."""

ENDPOINT_GROUPS = ("vendor", "product", "purpose")
"""Words before a colon that stand for all entries of the catalogue with that vendor, product or
purpose."""

_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")
_NAME = re.compile("[a-z0-9][a-z0-9-]{0,63}")
_ENDPOINT = re.compile("[a-z0-9][a-z0-9-]*")
_DURATION = re.compile("([0-9]{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

_SHAPES = {Word: "a single value", Listing: "a list", Table: "a mapping"}


def nearest(word: str, known: Iterable[str]) -> str:
    """The hint for an unknown word: the one that was probably meant, else all there are."""
    words = sorted(known)
    close = get_close_matches(word.lower(), words, n=1)
    return f"did you mean `{close[0]}`?" if close else f"known: {', '.join(words)}"


def _word(item: Item, wanted: str) -> Word:
    if not isinstance(item, Word):
        raise ProfileInvalid(f"{wanted} is wanted, not {_SHAPES[type(item)]}", where=item.where)
    return item


def text(item: Item) -> str:
    """A text that is not empty, with its line breaks made spaces."""
    word = _word(item, "a text")
    if word.kind != "str":
        raise ProfileInvalid(
            f"a text is wanted, not `{word.text}`", where=item.where, hint="put it in quotes"
        )
    if not word.text.strip():
        raise ProfileInvalid("a text is wanted, not nothing", where=item.where)
    return " ".join(word.text.split())


def name(item: Item) -> str:
    """A profile's name: lower case letters, digits and `-`."""
    word = text(item)
    if not _NAME.fullmatch(word):
        raise ProfileInvalid(
            f"`{word}` is no name", where=item.where, hint="use lower case, digits and `-`"
        )
    return word


def truth(item: Item) -> bool:
    """True or false."""
    word = _word(item, "true or false")
    if word.kind != "bool":
        raise ProfileInvalid(f"true or false is wanted, not `{word.text}`", where=item.where)
    return word.text.lower() in ("true", "yes", "on")


def duration(item: Item) -> int:
    """Nanoseconds, of a number with its unit: 60s, 5m, 4h, 365d."""
    word = _word(item, "a duration")
    match = _DURATION.fullmatch(word.text)
    if not match:
        raise ProfileInvalid(
            f"`{word.text}` is no duration", where=item.where, hint="write 60s, 5m, 4h or 365d"
        )
    return int(match[1]) * _SECONDS[match[2]] * 1_000_000_000


def one_of(*words: str) -> Callable[[Item], str]:
    """The reader that takes just these words."""

    def read(item: Item) -> str:
        word = _word(item, " or ".join(words)).text
        if word not in words:
            raise ProfileInvalid(
                f"`{word}` is not possible here", where=item.where, hint=nearest(word, words)
            )
        return word

    return read


def each(read: Callable[[Item], Value]) -> Callable[[Item], tuple[Value, ...]]:
    """The reader of a list of what `read` reads; the same twice is an error."""

    def read_all(item: Item) -> tuple[Value, ...]:
        if not isinstance(item, Listing):
            raise ProfileInvalid(
                f"a list is wanted, not {_SHAPES[type(item)]}",
                where=item.where,
                hint="write [one, two]",
            )
        values: list[Value] = []
        for child in item.items:
            value = read(child)
            if value in values:
                raise ProfileInvalid(f"`{value}` stands here a second time", where=child.where)
            values.append(value)
        return tuple(values)

    return read_all


def country(item: Item) -> str:
    """An ISO 3166-1 alpha-2 code."""
    code = _word(item, "a country code").text
    if code in COUNTRY_CODES:
        return code
    upper = code.upper()
    hint = f"did you mean `{upper}`?" if upper in COUNTRY_CODES else "ISO 3166-1, such as CN"
    raise ProfileInvalid(f"`{code}` is no country code", where=item.where, hint=hint)


def host(item: Item) -> str:
    """An exact host name, or `*.` and a suffix; lower case."""
    pattern = text(item).lower()
    if pattern == "*" or pattern.startswith("."):
        raise ProfileInvalid(
            f"`{pattern}` is no host pattern", where=item.where, hint="write `*.example.org`"
        )
    if _is_address(pattern):
        raise ProfileInvalid(
            f"`{pattern}` is an address", where=item.where, hint="put it under `prefixes`"
        )
    if not _HOST.fullmatch(pattern) or len(pattern) > 253:
        raise ProfileInvalid(
            f"`{pattern}` is no host name",
            where=item.where,
            hint="letters, digits, `-` and `.`; other scripts as xn--…",
        )
    return pattern


def allowed_host(item: Item) -> str:
    """As `host`, but not a whole top-level domain; to deny one is fine."""
    pattern = host(item)
    if pattern.startswith("*.") and pattern.count(".") == 1:
        raise ProfileInvalid(
            f"`{pattern}` allows a whole top-level domain",
            where=item.where,
            hint="write `*.example.org`",
        )
    return pattern


def _is_address(pattern: str) -> bool:
    try:
        ip_address(pattern)
    except ValueError:
        return False
    return True


def prefix(item: Item) -> IPv4Network | IPv6Network:
    """An address, or a prefix without host bits; not one that covers everything."""
    word = _word(item, "a prefix").text
    try:
        network = ip_network(word)
    except ValueError as error:
        raise ProfileInvalid(
            f"`{word}` is no prefix", where=item.where, hint="write 192.0.2.0/24 or 2001:db8::/32"
        ) from error
    if network.prefixlen == 0:
        raise ProfileInvalid(
            f"`{word}` covers every address", where=item.where, hint="write `scopes: [any]`"
        )
    return network


@dataclass(frozen=True, slots=True)
class Placed:
    """A word that can be checked only later, with its line."""

    text: str
    where: str = field(compare=False)
    """FILE:LINE."""

    def __str__(self) -> str:
        return self.text


def endpoint(item: Item) -> Placed:
    """The id of an entry of the catalogue, `vendor:NAME`, `product:NAME` or `purpose:WORD`.

    Whether there is such an entry only the catalogue knows; which purposes there are is known.
    """
    word = text(item)
    group, colon, named = word.partition(":")
    valid = group in ENDPOINT_GROUPS and named.strip() if colon else _ENDPOINT.fullmatch(word)
    if not valid:
        raise ProfileInvalid(
            f"`{word}` is no entry of the catalogue",
            where=item.where,
            hint='write the id of an entry, "vendor:NAME", "product:NAME" or "purpose:WORD"',
        )
    if group == "purpose" and named.strip() not in tuple(Purpose):
        raise ProfileInvalid(
            f"`{named.strip()}` is no purpose",
            where=item.where,
            hint=nearest(named.strip(), tuple(Purpose)),
        )
    return Placed(f"{group}:{named.strip()}" if colon else word, item.where)
