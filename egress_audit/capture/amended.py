"""A source over a stream that knows more of the capture than the reader of its frames."""

from collections.abc import Callable, Iterator

from egress_audit.columns import FrameBatch, OpenedSource
from egress_audit.model.evidence import CaptureFacts


class AmendedSource:
    """Yields what its source yields; to its facts is added what the stream beneath knows."""

    def __init__(
        self, source: OpenedSource, amended: Callable[[CaptureFacts], CaptureFacts]
    ) -> None:
        """amended: of the stream; makes the facts of the source those of the capture."""
        self._source = source
        self._amended = amended

    def __iter__(self) -> Iterator[FrameBatch]:
        """Every batch of the source."""
        return iter(self._source)

    def close(self) -> None:
        """Closes the input."""
        self._source.close()

    def facts(self) -> CaptureFacts:
        """The facts of the source, amended."""
        return self._amended(self._source.facts())
