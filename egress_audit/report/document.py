"""The one document as JSON: the audit, and the envelope of what may differ between two runs."""

import json
import re
from dataclasses import dataclass
from unicodedata import category

from egress_audit.model.audit import Audit
from egress_audit.report.beside import NOTHING_BESIDE, Beside
from egress_audit.report.plain import Plain, plain

SCHEMA = "egress-audit/audit/1"

_BARE = re.compile(r"[^\x00-\x7e]")
_OBEYED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Categories that JSON allows bare, but a terminal obeys or does not show: DEL, C1 controls, line
separators, bidi controls, tags, lone surrogates, private use."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands around an audit: who made it and from which files; never a time or a path."""

    version: str
    """Of the tool."""
    inputs: tuple[str, ...]
    """File names without folder, `-` for standard input; of a bundle, which has the same report
    under any name, the program's. In the order of the audit's evidence."""
    tool: str = "egress-audit"
    engine: str = "numpy"


def document(
    audit: Audit, *, envelope: Envelope, beside: Beside = NOTHING_BESIDE
) -> dict[str, Plain]:
    """The whole document as plain data; described by docs/schema/audit-1.json."""
    whole: dict[str, Plain] = {
        "schema": SCHEMA,
        "envelope": plain_envelope(envelope),
        "audit": plain(audit),
    }
    if beside.origins is not None:
        whole["frame_origins"] = plain(beside.origins)
    if beside.labels is not None:
        whole["labels"] = plain(beside.labels)
    return whole


def plain_envelope(envelope: Envelope) -> Plain:
    """The envelope as plain data."""
    return {
        "tool": envelope.tool,
        "version": envelope.version,
        "engine": envelope.engine,
        "inputs": list(envelope.inputs),
    }


def json_text(audit: Audit, *, envelope: Envelope, beside: Beside = NOTHING_BESIDE) -> str:
    """The document as indented JSON with a newline at its end; safe to show in a terminal."""
    return shown_json(document(audit, envelope=envelope, beside=beside))


def shown_json(value: Plain) -> str:
    """Plain data as indented JSON with a newline at its end; safe to show in a terminal.

    Whatever a terminal would obey or not show, and lone surrogates (file names that are no UTF-8),
    is escaped.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return _BARE.sub(_escaped, text) + "\n"


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    return json.dumps(character)[1:-1] if category(character) in _OBEYED else character
