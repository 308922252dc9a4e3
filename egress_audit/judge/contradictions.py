"""What a profile cannot mean, although each of its lines could be meant alone.

Refused is what is allowed and can never be, because it is denied as a whole, and what allows
everything without saying so.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any

from egress_audit.addresses import SPECIAL_PURPOSE, Scope
from egress_audit.errors import ProfileInvalid
from egress_audit.judge.operator_names import OPERATORS
from egress_audit.judge.profile_values import ANY, Placed
from egress_audit.model.catalogue import Entry
from egress_audit.model.profile import Setting

Network = IPv4Network | IPv6Network
IsWithin = Callable[[Any, Any], bool]

PLACES = ("located", "controlled", "operators")
"""Keys of `allow` that ask where an address is, or whose."""


def refuse_contradictions(settings: Mapping[str, Setting]) -> None:
    """Raises ProfileInvalid, with both places, for settings that cannot be meant together."""
    _refuse_words_beside_any(settings)
    _refuse_all_prefixes(settings)
    for key, is_within in (("hosts", _host_is_within), ("prefixes", _prefix_is_within)):
        _refuse_denied(settings, f"allow.{key}", f"deny.{key}", is_within)
    for key in PLACES:
        _refuse_where_every_place_is(settings, f"allow.{key}")
        _refuse_denied(settings, f"allow.{key}", f"deny.{key}", _same)
    _refuse_denied_scopes(settings)
    _refuse_denied_purposes(settings)
    _refuse_denied_operators(settings)


def _refuse_words_beside_any(settings: Mapping[str, Setting]) -> None:
    scopes = settings.get("allow.scopes")
    if scopes and ANY in scopes.value and set(scopes.value) - {ANY, Scope.METADATA_SERVICE}:
        raise ProfileInvalid(
            f"`{ANY}` stands alone, or with `{Scope.METADATA_SERVICE}`, which it does not cover",
            where=scopes.where,
            hint=f"leave `{ANY}` out, or all the others",
        )


def _refuse_where_every_place_is(settings: Mapping[str, Setting], key: str) -> None:
    """A place that is allowed says nothing where a scope allows every place."""
    allowed, scopes = settings.get(key), settings.get("allow.scopes")
    everywhere = {ANY, Scope.GLOBAL}.intersection(scopes.value if scopes else ())
    if allowed is not None and allowed.value and everywhere:
        raise ProfileInvalid(
            f"`{min(everywhere)}` allows every place already",
            where=allowed.where,
            hint="leave it out of `allow.scopes`, or leave this out",
        )


def _refuse_all_prefixes(settings: Mapping[str, Setting]) -> None:
    """Two halves of the address space allow as much as the whole of it, which no line can."""
    allowed = settings.get("allow.prefixes")
    if allowed is None:
        return
    for whole in _collapsed(allowed.value):
        if whole.prefixlen == 0:
            raise ProfileInvalid(
                f"these prefixes together cover every IPv{whole.version} address",
                where=allowed.where,
                hint=f"write `scopes: [{ANY}]`",
            )


def _refuse_denied(
    settings: Mapping[str, Setting], allow: str, deny: str, is_within: IsWithin
) -> None:
    allowed, denied = settings.get(allow), settings.get(deny)
    if allowed is None or denied is None:
        return
    for inner in allowed.value:
        for outer in denied.value:
            if is_within(inner, outer):
                raise _contradiction(str(inner), allowed, denied, str(outer))


def _refuse_denied_scopes(settings: Mapping[str, Setting]) -> None:
    """A scope of which every range is denied is not allowed at all."""
    scopes, denied = settings.get("allow.scopes"), settings.get("deny.prefixes")
    if scopes is None or denied is None:
        return
    outer = _collapsed(denied.value)
    for word in scopes.value:
        ranges = [ip_network(text) for text, scope, _ in SPECIAL_PURPOSE if scope == word]
        # What is left of the address space is no list of ranges, and nobody denies all of it.
        if word in (ANY, Scope.GLOBAL, Scope.RESERVED) or not ranges:
            continue
        if all(any(_prefix_is_within(inner, net) for net in outer) for inner in ranges):
            raise _contradiction(str(word), scopes, denied, ", ".join(map(str, denied.value)))


def _refuse_denied_purposes(settings: Mapping[str, Setting]) -> None:
    """All endpoints of a purpose that is denied are not allowed at all."""
    allowed, denied = settings.get("allow.endpoints"), settings.get("deny.purposes")
    for word in () if allowed is None or denied is None else allowed.value:
        group, _, purpose = word.text.partition(":")
        if denied is not None and group == "purpose" and purpose in denied.value:
            raise _contradiction(word.text, word, denied, purpose)


def _refuse_denied_operators(settings: Mapping[str, Setting]) -> None:
    """An operator is not allowed at all if every role that it has is denied, or its law."""
    allowed = settings.get("allow.operators")
    roles, laws = settings.get("deny.categories"), settings.get("deny.controlled")
    if allowed is None:
        return
    for operator in allowed.value:
        standing = OPERATORS[operator]
        if roles and standing.roles.issubset(roles.value):
            raise _contradiction(operator, allowed, roles, ", ".join(sorted(standing.roles)))
        if laws and standing.jurisdiction in laws.value:
            raise _contradiction(operator, allowed, laws, standing.jurisdiction)


def refuse_denied_endpoints(
    settings: Mapping[str, Setting], known: Mapping[str, Sequence[Entry]]
) -> None:
    """Raises ProfileInvalid for endpoints of which every purpose or every host is denied.

    known: by word of `allow.endpoints`, the entries that are meant. Of a vendor some purposes may
    be denied.
    """
    allowed = settings.get("allow.endpoints")
    purposes, hosts = settings.get("deny.purposes"), settings.get("deny.hosts")
    for word in () if allowed is None else allowed.value:
        entries = known.get(word.text, ())
        if purposes and entries and all(entry.purpose in purposes.value for entry in entries):
            denial = ", ".join(sorted({entry.purpose.value for entry in entries}))
            raise _contradiction(word.text, word, purposes, denial)
        patterns = [host for entry in entries for host in entry.hosts or ("/",)]
        if hosts and patterns and all(_is_denied(host, hosts.value) for host in patterns):
            raise _contradiction(word.text, word, hosts, ", ".join(hosts.value))


def _is_denied(pattern: str, denied: Sequence[str]) -> bool:
    """True if a host, or all below `*.name` and itself, are denied; never for an expression."""
    bare = pattern.removeprefix("*.")
    both = (bare, f"*.{bare}") if bare != pattern else (bare,)
    return not pattern.startswith("/") and all(
        any(_host_is_within(one, outer) for outer in denied) for one in both
    )


def _contradiction(
    word: str, allowed: Setting | Placed, denied: Setting, denial: str
) -> ProfileInvalid:
    return ProfileInvalid(
        f"`{word}` is allowed here and denied at {denied.where} (`{denial}`)",
        where=allowed.where,
        hint="a denial always wins: leave one of the two out",
    )


def _collapsed(networks: Iterable[Network]) -> list[Network]:
    """The same addresses in as few networks as they need."""
    sorts: tuple[list[IPv4Network], list[IPv6Network]] = ([], [])
    for network in networks:
        if isinstance(network, IPv4Network):
            sorts[0].append(network)
        else:
            sorts[1].append(network)
    return [*collapse_addresses(sorts[0]), *collapse_addresses(sorts[1])]


def _same(inner: str, outer: str) -> bool:
    return inner == outer


def _host_is_within(inner: str, outer: str) -> bool:
    """True if the pattern `outer` matches all that `inner` does."""
    return inner == outer or (outer.startswith("*.") and inner.endswith(outer[1:]))


def _prefix_is_within(inner: Any, outer: Any) -> bool:
    return inner.version == outer.version and bool(inner.subnet_of(outer))
