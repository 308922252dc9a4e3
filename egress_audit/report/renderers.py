"""The formats of a report, listed by hand."""

from collections.abc import Callable, Iterable, Mapping

from egress_audit.model.audit import Audit
from egress_audit.report.beside import NOTHING_BESIDE, Beside, Envelope
from egress_audit.report.terminal import terminal_text
from egress_audit.values import dataclass


@dataclass(frozen=True, slots=True)
class Presentation:
    """Everything beside the audit that a report may depend on."""

    envelope: Envelope
    colour: bool = False
    width: int = 100
    """Columns of the terminal."""
    beside: Beside = NOTHING_BESIDE


Renderer = Callable[[Audit, Presentation], Iterable[str]]
"""The text in pieces: that of a long document is never held whole."""


def _text(audit: Audit, presentation: Presentation) -> Iterable[str]:
    text = terminal_text(
        audit,
        inputs=presentation.envelope.inputs,
        colour=presentation.colour,
        width=presentation.width,
        beside=presentation.beside,
    )
    return (text,)


def _json(audit: Audit, presentation: Presentation) -> Iterable[str]:
    from egress_audit.report.document import json_pieces  # as below

    return json_pieces(audit, envelope=presentation.envelope, beside=presentation.beside)


def _markdown(audit: Audit, presentation: Presentation) -> Iterable[str]:
    from egress_audit.report.markdown import markdown_text  # only where it is asked for

    inputs, beside = presentation.envelope.inputs, presentation.beside
    return (markdown_text(audit, inputs=inputs, beside=beside),)


RENDERERS: Mapping[str, Renderer] = {"text": _text, "json": _json, "markdown": _markdown}
"""By the word of `--format`."""
