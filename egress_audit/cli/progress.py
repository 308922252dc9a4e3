"""A bar on standard error while something lasts: only on a terminal, only after a second."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from egress_audit.cli.live import is_wanted

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

PATIENCE_S = 1.0
"""Nobody needs to be told of what takes less."""
PAUSE_S = 0.1
"""Between two drawings."""


class Progress:
    """How far something is; nothing at all where standard error is no terminal."""

    def __init__(self, total: int | None, unit: str) -> None:
        """total: of units; None if nobody knows. unit: `bytes`, `captures`, `frames`."""
        self._total = total
        self._unit = unit
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._wanted = is_wanted()
        self._next = time.monotonic() + PATIENCE_S

    def __enter__(self) -> Self:
        return self

    def show(self, done: int) -> None:
        """Tells how many units are done by now; draws, unless that was done a moment ago."""
        if not self._wanted or time.monotonic() < self._next:
            return
        if self._bar is None:
            self._bar = _bar(self._total is not None, self._unit)
            self._task = self._bar.add_task(self._unit, total=self._total)
            self._bar.start()
        assert self._task is not None
        self._bar.update(self._task, completed=min(done, self._total or done), refresh=True)
        self._next = time.monotonic() + PAUSE_S

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.stop()


def _bar(bounded: bool, unit: str) -> "Bar":
    """A bar that draws when it is told to, without a thread of its own."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns: list[ProgressColumn] = [TextColumn("egress-audit")]
    if bounded:
        columns.append(BarColumn())
    if unit == "bytes":
        columns.append(DownloadColumn(binary_units=False))
    else:
        of = "/{task.total:,}" if bounded else ""
        columns.append(TextColumn(f"{{task.completed:,}}{of} {unit}"))
    columns.append(TimeRemainingColumn() if bounded else TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
