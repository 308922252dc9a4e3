"""Resolvers that are asked through an encrypted protocol, as far as a table knows them."""

import re
from enum import StrEnum
from functools import cache, lru_cache
from ipaddress import ip_address
from pathlib import Path

from egress_audit.classify.list_sources import LISTS
from egress_audit.classify.tables import bad_row, table_rows
from egress_audit.model.catalogue import Entry, Purpose, Verified

KEPT = 1 << 14
"""Names of which it is kept how they are asked: many flows go to few of them."""
SUFFIX = "-suffix"
"""Ends a kind whose host stands for everything below it, too."""


class Asked(StrEnum):
    """How the questions to a known resolver are carried; the words are those of the report."""

    RESOLVER = "DNS over HTTPS (known resolver)"
    HTTPDNS = "DNS over HTTP (known resolver)"
    """Of an application's own kind, mostly without TLS and by fixed addresses."""


_KINDS = {"resolver": Asked.RESOLVER, "httpdns": Asked.HTTPDNS}


_NO_WORD = re.compile("[^a-z0-9]+")
_USES = {
    Asked.RESOLVER: ("a resolver of names over HTTPS", "the names that are asked for, inside TLS"),
    Asked.HTTPDNS: (
        "the own resolver of an app (HTTPDNS)",
        "the names that the app asks for, mostly in clear text",
    ),
}
"""Product and what is sent, where nothing but the table knows a resolver."""
NOBODY = "unknown owner"
"""The vendor of a row without an operator, as the catalogue spells it."""


class Resolvers:
    """The resolvers of a table, by host and by address."""

    def __init__(self, path: Path) -> None:
        """Raises ListUnreadable for a row with an unknown kind, or that is no address."""
        self._hosts: dict[str, Asked] = {}
        self._suffixes: dict[str, Asked] = {}
        self.addresses: dict[str, Asked] = {}
        """By address, as RFC 5952 writes it."""
        self._told: dict[str, tuple[str, str]] = {}
        """By host or suffix: operator and source, as far as the table has them."""
        self._kept = lru_cache(maxsize=KEPT)(self._looked_up)
        for line, row in table_rows(path, ("host", "address", "kind")):
            asked = _KINDS.get(row["kind"].removesuffix(SUFFIX))
            if asked is None or not row["host"]:
                raise bad_row(path, line, f"{row['kind']!r} of {row['host']!r} is no resolver")
            hosts = self._suffixes if row["kind"].endswith(SUFFIX) else self._hosts
            hosts[row["host"]] = asked
            self._told[row["host"]] = (row.get("operator", ""), row.get("source", ""))
            if row["address"]:
                self.addresses[_address(path, line, row["address"])] = asked

    def asked_at(self, host: str) -> Asked | None:
        """How a resolver of that name is asked; None if it is not known as one."""
        found = self._kept(host)
        return found and found[0]

    def entry_at(self, host: str) -> Entry | None:
        """What the table knows of a resolver of that name, as the catalogue would have it; a label,
        since somebody's list is all that speaks for it. None if it is not known as one."""
        found = self._kept(host)
        if found is None:
            return None
        asked, name = found
        (product, sends), (operator, source) = _USES[asked], self._told[name]
        return Entry(
            id=f"resolver-{_NO_WORD.sub('-', name)}",
            vendor=operator or NOBODY,
            product=product,
            purpose=Purpose.RESOLVER,
            source=source,
            verified=Verified.CURATED,
            confidence="medium",
            example=name,
            hosts=(name if name in self._hosts else f"*.{name}",),
            sends=sends,
            labels_only=True,
        )

    def _looked_up(self, host: str) -> tuple[Asked, str] | None:
        """How it is asked, and the host or suffix of the table that says so."""
        if host in self._hosts:
            return self._hosts[host], host
        while host:
            if host in self._suffixes:
                return self._suffixes[host], host
            host = host.partition(".")[2]
        return None


def _address(path: Path, line: int, text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise bad_row(path, line, f"{text!r} is no address") from error


@cache
def known_resolvers() -> Resolvers:
    """The resolvers of the table that comes with the program."""
    return Resolvers(LISTS / "resolvers.csv")
