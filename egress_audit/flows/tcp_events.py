"""The few TCP packets that change a flow's state or history. HOT PATH.

Everything with SYN, FIN or RST, and of each direction the first plain segment with payload and the
first without: O(flows) packets of a capture. They alone are looked at one by one.
"""

import numpy as np

from egress_audit.columns import I64, Bool, PacketBatch
from egress_audit.flows.history import Histories
from egress_audit.flows.rows import FlowRows
from egress_audit.flows.runs import Runs
from egress_audit.flows.tcp_state import EVENT_FLAGS, LETTERS, ROW_OF, STEPS

TCP = 6


class TcpEvents:
    """Keeps `orig_state`, `resp_state`, `history` and `seen` of the rows."""

    def __init__(self, rows: FlowRows, histories: Histories) -> None:
        self._rows = rows
        self._histories = histories

    def take(self, packets: PacketBatch, runs: Runs, flow: I64, by_orig: Bool) -> None:
        """Applies the events among the packets of a sorted batch."""
        # What a fragment says counts once its datagram is whole.
        tcp = (packets.proto == TCP)[runs.order] & ~packets.fragment[runs.order]
        if not tcp.any():
            return
        flags = packets.tcp_flags[runs.order].astype(np.int64)
        payload = packets.payload_len[runs.order] > 0
        control = tcp & (flags & EVENT_FLAGS != 0)
        firsts = self._firsts(tcp & ~control, payload, flow, by_orig)
        events = np.flatnonzero(control)
        if len(firsts):
            events = np.sort(np.concatenate([events, firsts]))
        if len(events):
            bits = flags[events] | payload[events].astype(np.int64) << 8
            self._apply(flow[events], by_orig[events], bits)

    def _firsts(self, plain: Bool, payload: Bool, flow: I64, by_orig: Bool) -> I64:
        """Sorted rows of the first plain segment of each flow, direction and kind."""
        kind = payload.astype(np.int64) * 2 + by_orig
        candidates = np.flatnonzero(plain & (self._rows.seen[flow] >> kind & 1 == 0))
        if not len(candidates):
            return candidates
        code = flow[candidates] * 4 + kind[candidates]
        _, first = np.unique(code, return_index=True)
        chosen = candidates[first]
        np.bitwise_or.at(self._rows.seen, flow[chosen], (1 << kind[chosen]).astype(np.uint8))
        return chosen

    def _apply(self, flow: I64, by_orig: Bool, bits: I64) -> None:
        """Walks the events; those of one flow lie side by side, in order of arrival."""
        rows, extended = self._rows, self._histories.extended
        touched = np.unique(flow)
        place = np.searchsorted(touched, flow).tolist()
        orig, resp = rows.orig_state[touched].tolist(), rows.resp_state[touched].tolist()
        history = rows.history[touched].tolist()
        for at, originator, seen in zip(place, by_orig.tolist(), bits.tolist(), strict=True):
            if originator:
                after = STEPS[((orig[at] * 8 + resp[at]) * 2 + 1) * 32 + ROW_OF[seen]]
                orig[at], resp[at] = after >> 3, after & 7
                history[at] = extended(history[at], LETTERS[seen].upper())
            else:
                after = STEPS[(resp[at] * 8 + orig[at]) * 2 * 32 + ROW_OF[seen]]
                resp[at], orig[at] = after >> 3, after & 7
                history[at] = extended(history[at], LETTERS[seen])
        rows.orig_state[touched] = orig
        rows.resp_state[touched] = resp
        rows.history[touched] = history
