"""The compiled hot path and the engine in numpy side by side; both must give the same."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import pytest

from egress_audit.compiled import library
from egress_audit.compiled.library import SWITCH
from tests.builders.engine import Decoded, Run, decoded, flow_rows, run

Made = TypeVar("Made")

needs_library = pytest.mark.skipif(
    not library.is_in_use(), reason="the compiled hot path was not built: no C compiler"
)


def in_numpy(make: Callable[[], Made]) -> Made:
    """What is made while the compiled hot path is switched off."""
    with _switched("0"):
        return make()


def compiled(make: Callable[[], Made]) -> Made:
    """What is made while the compiled hot path is in use."""
    with _switched("1"):
        assert library.is_in_use()
        return make()


@contextmanager
def _switched(to: str) -> Iterator[None]:
    """The environment variable, and what is remembered of it, are as they were afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SWITCH, to)
        library.is_in_use.cache_clear()
        yield
    library.is_in_use.cache_clear()


def everything(done: Run | Decoded) -> tuple[object, ...]:
    """All that was made of a capture, as values that compare."""
    counted, flows = done.ledger, done.flows
    rest = [flows.histories[number] for number in flows.history.tolist()]
    more = (flows.conn_state, flows.missed_bytes, flows.one_sided, flows.encap_depth, flows.sealed)
    counters = (counted.no_destination, counted.undecoded, counted.partial, counted.conflicting)
    return (
        *(done.packets, flow_rows(flows), rest, [column.tolist() for column in more]),
        *(counted.frames, counted.packets, counted.truncated, counted.astray, counters),
        *((done.frames, done.facts) if isinstance(done, Run) else ()),
    )


def assert_alike(data: bytes, block: int) -> None:
    """Both engines make the same of a capture, if it begins like one. block: bytes of the window
    through which it is read."""
    engines: tuple[Callable[[bytes, int], Run | Decoded], ...] = (run, decoded)
    for engine in engines:
        made = partial(_everything_by, engine, data, block)
        try:
            plain = in_numpy(made)
        except ValueError:
            return
        assert compiled(made) == plain


def _everything_by(
    engine: Callable[[bytes, int], Run | Decoded], data: bytes, block: int
) -> tuple[object, ...]:
    return everything(engine(data, block))
