"""Refuses columns that point outside of others, before C reads where they point. By bounds.c.

Such a column is a defect of ours, whatever the capture: numpy would raise an IndexError.
"""

import numpy as np

from egress_audit.columns import I64
from egress_audit.compiled.library import address, function


def refuse_strange_indexes(index: I64, limit: int) -> None:
    """Raises ValueError unless all of these are indexes into a column of `limit` rows."""
    count = len(index)
    if not function("are_indexes", "pnn")(address(index, np.int64, count), count, limit):
        raise ValueError(f"not all are indexes below {limit}")


def edges_of(starts: I64, count: int) -> I64:
    """Where runs of rows begin, and behind it where the last one ends, which is at `count`.

    Raises ValueError unless they ascend and lie between.
    """
    edges = np.append(starts, count)
    if not function("are_edges", "pnn")(address(edges, np.int64, len(edges)), len(edges), count):
        raise ValueError(f"not all are edges up to {count}, in order")
    return edges
