"""The readers of values that profiles alone hold: an item of the file in, a value out.

Every reader raises ProfileInvalid with the line of what it refuses. What is refused is what could
never match, or would match everything: both make a claim that says something else than it seems to.
"""

import re
from dataclasses import field
from ipaddress import IPv4Network, IPv6Network

import egress_audit.yaml_values as yaml_values
from egress_audit.addresses import Scope
from egress_audit.model.catalogue import Purpose
from egress_audit.model.destination import CDN_FRONT, role_of
from egress_audit.public_suffixes import is_platform_suffix, is_registry_suffix
from egress_audit.values import dataclass
from egress_audit.yaml_tree import Item, refused

ANY = "any"
SCOPE_WORDS = (ANY, *(scope for scope in Scope if scope not in (Scope.SIMULATED, Scope.NAME)))

CATEGORIES = (
    "ai-host",
    "ai-vendor",
    CDN_FRONT,
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
"""The roles that `lists/operators.csv` has categories for; a test holds the two together."""

ENDPOINT_GROUPS = ("vendor", "product", "purpose")
"""Words before a colon that stand for all entries of the catalogue with that vendor, product or
purpose."""

_ENDPOINT = re.compile("[a-z0-9][a-z0-9-]*")


def allowed_host(item: Item) -> str:
    """A host name or suffix, but not one below which names belong to anybody; to deny it is fine.

    The catalogue refuses the same for what registries sell, and takes the names that a platform
    gives to its customers for no evidence: in a claim they would acquit whoever rents one.
    """
    pattern = yaml_values.host(item)
    suffix = pattern.removeprefix("*.")
    if suffix == pattern:
        return pattern
    hint = f"write `*.example.{suffix}`"
    if "." not in suffix:
        raise refused(item, f"`{pattern}` allows a whole top-level domain", hint)
    if is_registry_suffix(suffix):
        raise refused(item, f"`{pattern}` allows every domain that is sold below it", hint)
    if is_platform_suffix(suffix):
        what = f"`{pattern}` allows every customer of a platform: anybody gets a name below it"
        raise refused(item, what, f"name whose it is, as `example.{suffix}`")
    return pattern


def category(item: Item) -> str:
    """The role of an operator; `cdn`, the table's own word for a `cdn-front`, is taken too."""
    return role_of(_category(item))


_category = yaml_values.one_of(*CATEGORIES, "cdn")


def prefix(item: Item) -> IPv4Network | IPv6Network:
    """An address, or a prefix without host bits; not one that covers everything."""
    network = yaml_values.prefix(item)
    if network.prefixlen == 0:
        raise refused(item, f"`{network}` covers every address", "write `scopes: [any]`")
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
    word = yaml_values.text(item)
    group, colon, named = word.partition(":")
    valid = group in ENDPOINT_GROUPS and named.strip() if colon else _ENDPOINT.fullmatch(word)
    if not valid:
        raise refused(
            item,
            f"`{word}` is no entry of the catalogue",
            'write the id of an entry, "vendor:NAME", "product:NAME" or "purpose:WORD"',
        )
    if group == "purpose" and named.strip() not in tuple(Purpose):
        raise refused(
            item,
            f"`{named.strip()}` is no purpose",
            yaml_values.nearest(named.strip(), tuple(Purpose)),
        )
    return Placed(f"{group}:{named.strip()}" if colon else word, item.where)
