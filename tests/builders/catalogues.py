"""Small catalogues, as people write them."""

import re
from dataclasses import replace
from ipaddress import ip_network

from egress_audit.classify.catalogue import Catalogue
from egress_audit.classify.catalogue_schema import entries_of
from egress_audit.model.catalogue import Entry

USUAL = {
    "id": "acme-telemetry",
    "product": "Acme server",
    "hosts": "[stats.acme.example]",
    "purpose": "telemetry",
    "source": "read in acme 1.0",
    "verified": "code",
    "confidence": "high",
    "example": "stats.acme.example:443",
}
HEAD = "vendor: Acme\njurisdiction: US\n"

_PORT = re.compile("[0-9]+/(tcp|udp)")
_PREFIX = re.compile("[0-9a-f.:]+/[0-9]+")


def file_text(*entries: dict[str, str], head: str = HEAD) -> str:
    """A file with entries that differ from USUAL as said; '' leaves a key out.

    The first entry begins in line 4, and each key has a line of its own.
    """
    lines = []
    for changes in entries or ({},):
        keys = [f"{key}: {value}\n" for key, value in (USUAL | changes).items() if value]
        lines += [f"  - {keys[0]}", *(f"    {key}" for key in keys[1:])]
    return f"{head}entries:\n" + "".join(lines)


def read_entry(**changes: str) -> Entry:
    """USUAL with changes, each value as YAML."""
    return entries_of(file_text(changes), "c.yaml")[0].entry


def catalogue(**entries: str) -> Catalogue:
    """By id (`_` for `-`), what each matches: `a_b="*.a.example 192.0.2.0/24 443/tcp"`."""
    return Catalogue.of(
        _matching(id_.replace("_", "-"), said.split()) for id_, said in entries.items()
    )


def _matching(id_: str, words: list[str]) -> Entry:
    ports = tuple(word for word in words if _PORT.fullmatch(word))
    prefixes = tuple(word for word in words if _PREFIX.fullmatch(word) and word not in ports)
    hosts = tuple(word for word in words if word not in ports + prefixes)
    networks = tuple(map(ip_network, prefixes))
    return replace(read_entry(), id=id_, hosts=hosts, prefixes=networks, ports=ports)
