"""The formats of a report, listed by hand."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from egress_audit.model.audit import Audit
from egress_audit.report.document import Envelope, json_pieces
from egress_audit.report.markdown import markdown_text
from egress_audit.report.terminal import terminal_text


@dataclass(frozen=True, slots=True)
class Presentation:
    """Everything beside the audit that a report may depend on."""

    envelope: Envelope
    colour: bool = False
    width: int = 100
    """Columns of the terminal."""

    @property
    def name(self) -> str:
        """The captures by name, for a headline."""
        return ", ".join(self.envelope.inputs)


Renderer = Callable[[Audit, Presentation], Iterable[str]]
"""The text in pieces: that of a long document is never held whole."""


def _text(audit: Audit, presentation: Presentation) -> Iterable[str]:
    colour, width = presentation.colour, presentation.width
    return (terminal_text(audit, name=presentation.name, colour=colour, width=width),)


def _json(audit: Audit, presentation: Presentation) -> Iterable[str]:
    return json_pieces(audit, envelope=presentation.envelope)


def _markdown(audit: Audit, presentation: Presentation) -> Iterable[str]:
    return (markdown_text(audit, name=presentation.name),)


RENDERERS: Mapping[str, Renderer] = {"text": _text, "json": _json, "markdown": _markdown}
"""By the word of `--format`."""
