"""Resolvers that are asked through an encrypted protocol, as far as a table knows them."""

from enum import StrEnum
from functools import cache, lru_cache
from ipaddress import ip_address
from pathlib import Path

from egress_audit.classify.list_sources import LISTS
from egress_audit.classify.tables import bad_row, table_rows

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


class Resolvers:
    """The resolvers of a table, by host and by address."""

    def __init__(self, path: Path) -> None:
        """Raises ListUnreadable for a row with an unknown kind, or that is no address."""
        self._hosts: dict[str, Asked] = {}
        self._suffixes: dict[str, Asked] = {}
        self.addresses: dict[str, Asked] = {}
        """By address, as RFC 5952 writes it."""
        self._kept = lru_cache(maxsize=KEPT)(self._looked_up)
        for line, row in table_rows(path, ("host", "address", "kind")):
            asked = _KINDS.get(row["kind"].removesuffix(SUFFIX))
            if asked is None or not row["host"]:
                raise bad_row(path, line, f"{row['kind']!r} of {row['host']!r} is no resolver")
            hosts = self._suffixes if row["kind"].endswith(SUFFIX) else self._hosts
            hosts[row["host"]] = asked
            if row["address"]:
                self.addresses[_address(path, line, row["address"])] = asked

    def asked_at(self, host: str) -> Asked | None:
        """How a resolver of that name is asked; None if it is not known as one."""
        return self._kept(host)

    def _looked_up(self, host: str) -> Asked | None:
        found = self._hosts.get(host)
        while found is None and host:
            found = self._suffixes.get(host)
            host = host.partition(".")[2]
        return found


def _address(path: Path, line: int, text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise bad_row(path, line, f"{text!r} is no address") from error


@cache
def known_resolvers() -> Resolvers:
    """The resolvers of the table that comes with the program."""
    return Resolvers(LISTS / "resolvers.csv")
