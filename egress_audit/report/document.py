"""The one document as JSON: the audit, and the envelope of what may differ between two runs."""

import json
import re
from dataclasses import dataclass
from unicodedata import category

from egress_audit.model.audit import Audit
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


def document(audit: Audit, *, envelope: Envelope) -> dict[str, Plain]:
    """The whole document as plain data; described by docs/schema/audit-1.json."""
    return {
        "schema": SCHEMA,
        "envelope": {
            "tool": envelope.tool,
            "version": envelope.version,
            "engine": envelope.engine,
            "inputs": list(envelope.inputs),
        },
        "audit": plain(audit),
    }


def json_text(audit: Audit, *, envelope: Envelope) -> str:
    """The document as indented JSON with a newline at its end; safe to show in a terminal.

    Whatever a terminal would obey or not show, and lone surrogates (file names that are no UTF-8),
    is escaped.
    """
    text = json.dumps(document(audit, envelope=envelope), indent=2, ensure_ascii=False)
    return _BARE.sub(_escaped, text) + "\n"


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    return json.dumps(character)[1:-1] if category(character) in _OBEYED else character
