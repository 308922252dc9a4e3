"""Builds entries of the catalogue, and rows that match them: `known("a.example", entry())`."""

from typing import Any

from egress_audit.model.audit import Match
from egress_audit.model.catalogue import Entry, Purpose, Switch, Verified

SWITCH = Switch("ACME_QUIET=1 before it starts", (("ACME_QUIET", "1"),))


def entry(identifier: str = "acme-stats", purpose: str = "telemetry", **changes: Any) -> Entry:
    """What an Acme server sends its maker at its start."""
    plain: dict[str, Any] = {
        "id": identifier,
        "vendor": "Acme",
        "product": "Acme server",
        "purpose": Purpose(purpose),
        "source": "its source",
        "verified": Verified.CODE,
        "confidence": "high",
        "example": "stats.acme.example:443",
        "hosts": ("stats.acme.example",),
        "jurisdiction": "SE",
        "trigger": "at start",
        "sends": "how often it was used",
        "switch": SWITCH,
    }
    return Entry(**(plain | changes))


def known(by: str, *entries: Entry) -> dict[str, Any]:
    """The change that makes a row match one of these entries."""
    return {"endpoints": (Match(by, tuple(one.id for one in entries)),)}
