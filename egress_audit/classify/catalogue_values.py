"""The readers of values that the catalogue alone holds: an item of the file in, a value out.

Every reader raises CatalogueInvalid with the line of what it refuses. What is refused is what could
never match, or would match what nobody meant: a label on everything says nothing of anything.
"""

import re
from ipaddress import IPv4Network, IPv6Network

import egress_audit.yaml_values as read
from egress_audit.classify.host_regexes import HostRegex, UnfitRegex, host_regex
from egress_audit.classify.versions import is_specifier_set, is_version
from egress_audit.model.catalogue import Purpose, Switch, Verified
from egress_audit.public_suffixes import is_platform_suffix, is_registry_suffix
from egress_audit.yaml_tree import Item, Table, refused

CONFIDENCES = ("high", "medium", "low")
WIDEST = {4: 8, 6: 16}
"""The shortest prefix by IP version: no endpoint has more than what a registry was ever given."""

_PORT = re.compile("([1-9][0-9]{0,4})/(tcp|udp)")
_VARIABLE = re.compile("[A-Za-z_][A-Za-z0-9_]{0,127}")
_UNLIKELY = ("qzxqj", "qzxq7", "qzxq-j7", "qzxqj.qzxqj", "qzxq7.qzxq7", "70707")
"""Names of customers that nobody has, of one label and of two."""
_SWITCH_KEYS = ("how", "variables", "fails")


def host_pattern(item: Item) -> str:
    """`a.b`, `*.a.b` or `/^…$/`; not one under which all of a registry's domains fall."""
    text = read.text(item)
    if text.startswith("/"):
        _refuse_wide_tails(item, _regex(item, text))
        return text
    pattern = read.host(item)
    if pattern.startswith("*.") and is_registry_suffix(pattern[2:]):
        hint = f"name a domain below it, as `*.example.{pattern[2:]}`"
        raise refused(item, f"`{pattern}` matches everything that is sold below it", hint)
    return pattern


def _regex(item: Item, text: str) -> HostRegex:
    """The regular expression between two slashes."""
    if len(text) < 2 or not text.endswith("/"):
        raise refused(item, f"`{text}` has no slash at its end", "write /^…$/")
    try:
        return host_regex(text[1:-1])
    except UnfitRegex as error:
        raise refused(item, f"`{text}` is not fit to be tried on names", str(error)) from error


def _refuse_wide_tails(item: Item, regex: HostRegex) -> None:
    for tail in regex.tails:
        if is_registry_suffix(tail):
            hint = r"end it in a whole domain, as \.example\.com$"
            raise refused(item, f"`/{regex.text}/` could match every domain of `{tail}`", hint)


def fits_every_customer(pattern: str) -> bool:
    """Whether a pattern, as `host_pattern` gives it, fits names that a platform gives to anybody.

    An expression does if it fits a name that nobody would choose.
    """
    if pattern.startswith("*."):
        return is_platform_suffix(pattern[2:])
    if not pattern.startswith("/"):
        return False
    regex = host_regex(pattern[1:-1])
    return any(
        is_platform_suffix(tail) and regex.compiled.fullmatch(f"{unlikely}.{tail}")
        for tail in regex.tails
        for unlikely in _UNLIKELY
    )


def prefix(item: Item) -> IPv4Network | IPv6Network:
    """An address, or a prefix no shorter than WIDEST has it."""
    network = read.prefix(item)
    if network.prefixlen < WIDEST[network.version]:
        raise refused(
            item, f"`{network}` is wider than /{WIDEST[network.version]}", "name the narrower ones"
        )
    return network


def port(item: Item) -> str:
    """A port with its protocol, `443/tcp`."""
    text = read.text(item)
    match = _PORT.fullmatch(text)
    if not match or int(match[1]) > 65535:
        raise refused(item, f"`{text}` is no port", "write 443/tcp or 3478/udp")
    return text


def specifiers(item: Item) -> str:
    """A set of bounds of versions, `>=1.29,<2`."""
    text = read.text(item)
    if not is_specifier_set(text):
        raise refused(item, f"`{text}` is no set of versions", "write >=1.29,<2")
    return text


def version(item: Item) -> str:
    """One version, `0.33.0`."""
    text = read.text(item)
    if not is_version(text):
        raise refused(item, f"`{text}` is no version", 'write "0.33.0", with quotes')
    return text


def purpose(item: Item) -> Purpose:
    """Why the endpoint is called."""
    return Purpose(read.one_of(*Purpose)(item))


def verified(item: Item) -> Verified:
    """How the fact was established."""
    return Verified(read.one_of(*Verified)(item))


def switch(item: Item) -> Switch:
    """How it is switched off: `how`, and perhaps `variables` and `fails`."""
    if not isinstance(item, Table) or "how" not in item.entries:
        raise refused(item, "a mapping with `how` is wanted", "write {how: in words}")
    for key in item.entries:
        if key not in _SWITCH_KEYS:
            raise item.error(
                f"unknown key `{key}` in `switch_off`",
                where=item.key_places[key],
                hint=read.nearest(key, _SWITCH_KEYS),
            )
    of = item.entries
    return Switch(
        how=read.text(of["how"]),
        variables=_variables(of["variables"]) if "variables" in of else (),
        fails=read.each(read.text)(of["fails"]) if "fails" in of else (),
    )


def _variables(item: Item) -> tuple[tuple[str, str], ...]:
    """Names of environment variables with their values, in the order of the file."""
    if not isinstance(item, Table):
        raise refused(item, "a mapping of names to values is wanted", 'write {NAME: "1"}')
    for name in item.entries:
        if not _VARIABLE.fullmatch(name):
            where = item.key_places[name]
            raise item.error(f"`{name}` is no name of an environment variable", where=where)
    values = {name: read.word(value, "a value") for name, value in item.entries.items()}
    return tuple((name, value.text) for name, value in values.items())
