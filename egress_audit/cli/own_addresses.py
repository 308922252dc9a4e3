"""The prefixes of `--local`: what a person says is the audited host's."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network

from egress_audit.errors import WrongUsage

NARROWEST = {4: 8, 6: 16}
"""Shortest prefix that can be one host's or its network's, by IP version."""


def own_prefixes(texts: Iterable[str]) -> list[IPv4Network | IPv6Network]:
    """The prefixes that the texts name, each text one or several with commas.

    Raises WrongUsage for what is none, or too wide.
    """
    from egress_audit.addresses import parse_prefix

    prefixes = [parse_prefix(one, "--local") for text in texts for one in text.split(",")]
    for prefix in prefixes:
        if prefix.prefixlen < NARROWEST[prefix.version]:
            raise WrongUsage(
                f"{prefix} is wider than any host's own addresses",
                where="--local",
                hint="name the host's addresses; everything inside them counts as ours",
            )
    return prefixes
