"""TCP streams of which the capture has no beginning: whom they were for was said before it.

A stream that goes on after a silence is a flow of its own, too; what it said first is in the flow
before it. Only where later messages cannot be read without the earlier ones is something unseen.
Whoever began the stream has begun what goes on, too.
"""

from collections.abc import Collection

import numpy as np

from egress_audit.columns import END_REASONS, I64, U64, Bool, FlowColumns, alike_rows
from egress_audit.model.flow import EndReason
from egress_audit.model.protocols import TCP

MIDWAY = "TCP seen from its middle"
"""What hides the name, for the report."""
_IDLE = END_REASONS.index(EndReason.IDLE_TIMEOUT)
_BEGINNING, _DATA, _END = "SsHhQqIi", "Dd", "FfRr"


def seen_from_middle(flows: FlowColumns, unread_alone: Collection[int]) -> Bool:
    """(n,) True for flows with payload whose beginning is in no flow.

    unread_alone: rows of flows that nobody can read on who did not read them from the beginning.
    """
    begins, speaks = (flows.has_letter(letters) for letters in (_BEGINNING, _DATA))
    speaks |= flows.data_in_fin
    found: Bool = (flows.proto == TCP) & speaks & ~begins
    silent = np.flatnonzero((flows.proto == TCP) & (flows.end_reason == _IDLE))
    late = np.flatnonzero(found)
    if not len(silent) or not len(late):
        return found
    rows = np.union1d(silent, late)
    group = _groups(flows, rows)
    never = len(flows)
    lost = rows[np.isin(rows, [*unread_alone])]
    before = _first_of_group(group, rows, silent, never) < rows
    unreadable = _first_of_group(group, rows, lost, never) < rows
    found[rows] &= ~before | unreadable
    return found


def gone_on_with(flows: FlowColumns, chosen: Bool) -> Bool:
    """(n,) True for flows that go on, after a silence, with one of the chosen, or with one that
    does: of the same ends, and nobody began or ended it in between."""
    found: Bool = np.zeros(len(flows), np.bool_)
    idle = (flows.proto == TCP) & (flows.end_reason == _IDLE) & ~flows.has_letter(_END)
    late = (flows.proto == TCP) & ~flows.has_letter(_BEGINNING)
    ports = flows.orig_p.astype(np.uint32) + flows.resp_p  # whoever began
    rows = np.flatnonzero((flows.proto == TCP) & np.isin(ports, ports[idle & chosen]))
    if not len(rows):
        return found
    group = _groups(flows, rows)
    order = np.argsort(group, kind="stable")
    rows, group = rows[order], group[order]
    goes_on = (group[1:] == group[:-1]) & late[rows[1:]] & idle[rows[:-1]]
    for place in np.flatnonzero(goes_on).tolist():
        before = rows[place]
        found[rows[place + 1]] = chosen[before] or found[before]
    return found


def _groups(flows: FlowColumns, rows: I64) -> I64:
    """(m,) the same number for rows of the same IP version, addresses and ports, whoever began."""
    one = [flows.orig_hi[rows], flows.orig_lo[rows], flows.orig_p[rows].astype(np.uint64)]
    other = [flows.resp_hi[rows], flows.resp_lo[rows], flows.resp_p[rows].astype(np.uint64)]
    turned = _is_greater(one, other)
    ends = [np.where(turned, b, a) for a, b in zip(one + other, other + one, strict=True)]
    depth = flows.encap_depth[rows].astype(np.uint64)
    return alike_rows([*ends, depth, flows.version[rows]]).group


def _is_greater(one: list[U64], other: list[U64]) -> Bool:
    """(m,) True where the first differing column of `one` is the greater one."""
    greater: Bool = np.zeros(len(one[0]), np.bool_)
    for a, b in zip(reversed(one), reversed(other), strict=True):
        greater = np.where(a == b, greater, a > b)
    return greater


def _first_of_group(group: I64, rows: I64, chosen: I64, never: int) -> I64:
    """(m,) for each row the first chosen one of its group, `never` if there is none."""
    first = np.full(int(group.max()) + 1, never, np.int64)
    at = np.isin(rows, chosen)
    np.minimum.at(first, group[at], rows[at])
    return first[group]
