"""The one document as JSON: the audit, and the envelope of what may differ between two runs."""

import json
from dataclasses import dataclass

from egress_audit.model.audit import Audit
from egress_audit.report.plain import Plain, plain

SCHEMA = "egress-audit/audit/1"

_OBEYED = (
    0x61C,
    *range(0x7F, 0xA0),
    0x200E,
    0x200F,
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
)
_ESCAPES = {code: f"\\u{code:04x}" for code in _OBEYED}
"""What JSON allows bare, but a terminal obeys: DEL, C1 controls, line separators, bidi controls."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands around an audit: who made it and from which files; never a time or a path."""

    version: str
    """Of the tool."""
    inputs: tuple[str, ...]
    """File names without folder, `-` for standard input; in the order of the audit's evidence."""
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

    Whatever a terminal would obey, and lone surrogates (file names that are no UTF-8), is escaped.
    """
    text = json.dumps(document(audit, envelope=envelope), indent=2, ensure_ascii=False)
    # Only surrogates cannot be encoded, and Python escapes them as JSON does.
    encodable = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return encodable.translate(_ESCAPES) + "\n"


def audit_bytes(audit: Audit) -> bytes:
    """The audit alone as canonical JSON, to be compared or hashed: ASCII, sorted, no spaces."""
    return json.dumps(plain(audit), sort_keys=True, separators=(",", ":")).encode("ascii")
