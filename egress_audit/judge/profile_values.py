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
    """A host name or suffix, but not a whole top-level domain; to deny one is fine."""
    pattern = yaml_values.host(item)
    if pattern.startswith("*.") and pattern.count(".") == 1:
        raise refused(item, f"`{pattern}` allows a whole top-level domain", "write `*.example.org`")
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
