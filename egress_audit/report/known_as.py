"""What the catalogue calls a destination, in a few words for a cell of a table."""

from collections.abc import Iterable, Mapping

from egress_audit.model.audit import Observation
from egress_audit.model.catalogue import Entry

SHOWN = 2
"""Vendors, and purposes, that a cell tells; the others are counted."""


def known_as(seen: Observation, entries: Mapping[str, Entry]) -> str:
    """`Ollama: telemetry`; `Hugging Face, Gradio +1: model-download, telemetry +2` for one of
    several; '' for what the catalogue does not have.

    Entries that only label are told where there is nothing else, with a question mark.
    """
    ids = dict.fromkeys(one for match in seen.endpoints for one in match.one_of)
    fitting = [entries[identifier] for identifier in ids]
    accusing = [entry for entry in fitting if entry.accuses]
    told = accusing or fitting
    if not told:
        return ""
    doubt = "" if accusing else "?"
    vendors = _few(entry.vendor for entry in told)
    return f"{vendors}: {_few(entry.purpose for entry in told)}{doubt}"


def _few(words: Iterable[str]) -> str:
    each = list(dict.fromkeys(words))
    beyond = len(each) - SHOWN
    return ", ".join(each[:SHOWN]) + (f" +{beyond}" if beyond > 0 else "")
