"""The one document as JSON: the audit, and the envelope of what may differ between two runs."""

import json
from collections.abc import Iterator

from egress_audit.model.audit import Audit
from egress_audit.report.answers import answers
from egress_audit.report.beside import NOTHING_BESIDE, Beside, Envelope
from egress_audit.report.json_pieces import STEP, json_of, object_of, pieces_of, quoted, visible
from egress_audit.report.plain import Plain

SCHEMA = "egress-audit/audit/1"


def plain_envelope(envelope: Envelope) -> dict[str, Plain]:
    """The envelope as plain data."""
    return {
        "tool": envelope.tool,
        "version": envelope.version,
        "engine": envelope.engine,
        "inputs": list(envelope.inputs),
    }


def json_text(audit: Audit, *, envelope: Envelope, beside: Beside = NOTHING_BESIDE) -> str:
    """`json_pieces`, put together."""
    return "".join(json_pieces(audit, envelope=envelope, beside=beside))


def json_pieces(
    audit: Audit, *, envelope: Envelope, beside: Beside = NOTHING_BESIDE
) -> Iterator[str]:
    """The document as indented JSON with a newline at its end, row by row; safe to show in a
    terminal.

    Whatever a terminal would obey or not show, and lone surrogates (file names that are no UTF-8),
    is escaped.
    """
    line = f"\n{STEP}"
    yield "{\n"
    yield f'{STEP}"schema": {quoted(SCHEMA)},\n'
    yield f'{STEP}"envelope": {_envelope_text(envelope)},\n'
    yield f'{STEP}"audit": '
    yield from pieces_of(audit, line)
    answered = answers(audit) or None
    for name, told in (
        ("answers", answered),
        ("frame_origins", beside.origins),
        ("labels", beside.labels),
    ):
        if told is not None:
            yield f',{line}"{name}": {json_of(told, line)}'
    yield "\n}\n"


def shown_json(value: Plain) -> str:
    """Plain data as indented JSON with a newline at its end, escaped as `json_pieces` does."""
    return visible(json.dumps(value, indent=2, ensure_ascii=False)) + "\n"


def _envelope_text(envelope: Envelope) -> str:
    line = f"\n{STEP}"
    around = plain_envelope(envelope)
    members = [(name, json_of(value, line + STEP)) for name, value in around.items()]
    return object_of(members, line)
