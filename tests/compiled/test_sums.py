"""What packets add to their flows is in C what it is in numpy."""

from dataclasses import replace

import numpy as np
import pytest

from egress_audit.columns import I64, Bool, PacketBatch
from egress_audit.compiled import sums
from egress_audit.flows.rows import FlowRows
from egress_audit.flows.sums import add_runs
from tests.builders.both_engines import compiled, in_numpy, needs_library
from tests.flows.test_sums import SUMMED, batch_and_runs, rows_with, summed

pytestmark = needs_library


def columns_of(rows: FlowRows) -> list[list[int]]:
    return [getattr(rows, name).tolist() for name in SUMMED]


@pytest.mark.parametrize("wide", [False, True], ids=["narrow", "wide"])
@pytest.mark.parametrize("seed", range(20))
def test_sums_of_runs_are_those_of_numpy(seed: int, wide: bool) -> None:
    given = batch_and_runs(seed)
    rows, whose = compiled(lambda: summed(given, wide))
    expected, whose_expected = in_numpy(lambda: summed(given, wide))
    assert columns_of(rows) == columns_of(expected)
    for one, other in zip(whose, whose_expected, strict=True):
        assert one.tolist() == other.tolist()


def test_columns_with_gaps_are_read_all_the_same() -> None:
    given = batch_and_runs(1)
    gaps = {name: np.repeat(getattr(given[0], name), 2)[::2] for name in sums.COUNTED}
    rows, _ = compiled(lambda: summed((replace(given[0], **gaps), *given[1:])))
    assert columns_of(rows) == columns_of(in_numpy(lambda: summed(given))[0])


def added(
    packets: PacketBatch, swapped: Bool, order: I64, starts: I64, target: I64, **changed: int
) -> None:
    """Adds runs; changed: how many rows of a column of the flows are there."""
    rows = FlowRows()
    kept = {name: getattr(rows, name) for name in (*sums.COUNTERS, *sums.KEPT)}
    kept |= {name: kept[name][:count] for name, count in changed.items()}
    sums.add_runs(packets, swapped, order, starts, target, kept)


def test_columns_of_too_few_rows_are_refused() -> None:
    packets, runs, swapped, target, _ = batch_and_runs(1)
    with pytest.raises(ValueError, match="no column"):
        added(packets, swapped, runs.order, runs.starts, target[:-1])
    with pytest.raises(ValueError, match="no column"):
        added(packets, swapped, np.append(runs.order, 0), runs.starts, target)
    with pytest.raises(ValueError, match="no column"):
        added(packets, swapped, runs.order, runs.starts, target, resp_pkts=1000)


def test_counters_of_two_widths_are_refused() -> None:
    packets, runs, swapped, target, turned = batch_and_runs(1)
    rows = rows_with(target, turned)
    rows.resp_pkts = rows.resp_pkts.astype(np.int64)
    with pytest.raises(ValueError, match="no column"):
        compiled(lambda: add_runs(packets, swapped, runs, target, rows))


def test_runs_of_rows_that_are_not_there_are_refused() -> None:
    packets, runs, swapped, target, _ = batch_and_runs(1)
    with pytest.raises(ValueError, match="indexes"):
        added(packets, swapped, runs.order + 1, runs.starts, target)
    with pytest.raises(ValueError, match="indexes"):
        added(packets, swapped, runs.order, runs.starts, target + (1 << 20))
    with pytest.raises(ValueError, match="edges"):
        added(packets, swapped, runs.order, runs.starts + 1000, target)
