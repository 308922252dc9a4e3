"""The readers of values that profiles alone hold: an item of the file in, a value out.

Every reader raises ProfileInvalid with the line of what it refuses. What is refused is what could
never match, or would match everything: both make a claim that says something else than it seems to.
"""

from ipaddress import IPv4Network, IPv6Network

from egress_audit import yaml_values
from egress_audit.addresses import Scope
from egress_audit.yaml_tree import Item, Listing, refused

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


def allowed_host(item: Item) -> str:
    """A host name or suffix, but not a whole top-level domain; to deny one is fine."""
    pattern = yaml_values.host(item)
    if pattern.startswith("*.") and pattern.count(".") == 1:
        raise refused(item, f"`{pattern}` allows a whole top-level domain", "write `*.example.org`")
    return pattern


def prefix(item: Item) -> IPv4Network | IPv6Network:
    """An address, or a prefix without host bits; not one that covers everything."""
    network = yaml_values.prefix(item)
    if network.prefixlen == 0:
        raise refused(item, f"`{network}` covers every address", "write `scopes: [any]`")
    return network


def nothing_yet(item: Item) -> tuple[()]:
    """Nothing: the key is known, and its values need what this version does not have."""
    if not isinstance(item, Listing) or item.items:
        raise refused(
            item,
            "needs the endpoint catalogue, which this version does not carry",
            "leave it empty",
        )
    return ()
