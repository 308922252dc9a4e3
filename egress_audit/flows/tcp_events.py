"""The few TCP packets that change a flow's state or history. HOT PATH.

Everything with SYN, FIN or RST, and of each direction the first plain segment with payload and the
first without: O(flows) packets of a capture. They alone are looked at one by one.
"""

from functools import cached_property

import numpy as np

from egress_audit.columns import I64, Bool, PacketBatch
from egress_audit.compiled.connections import Segments, Transitions, changing
from egress_audit.flows.history import Histories
from egress_audit.flows.rows import FlowRows
from egress_audit.flows.runs import Runs
from egress_audit.flows.tcp_state import EVENT_FLAGS, FIN, LETTERS, Side, step
from egress_audit.model.protocols import TCP

DATA_IN_FIN = np.uint8(1 << 4)
"""A bit of `seen`, above those of the plain segments."""
MAX_KNOWN = 1 << 14
"""Transitions that are remembered; ordinary captures have some hundreds."""


class TcpEvents:
    """Keeps `orig_state`, `resp_state`, `history` and `seen` of the rows."""

    def __init__(self, rows: FlowRows, histories: Histories) -> None:
        self._rows = rows
        self._histories = histories
        self._known: dict[int, int] = {}
        """State and event, as `_apply` joins them → state."""

    @cached_property
    def _transitions(self) -> Transitions:
        # Not before it is needed: an empty table is made when memory is given back, and columns
        # that are put on top of it keep the system from having it.
        return Transitions()

    def take(
        self, packets: PacketBatch, runs: Runs, flow: I64, by_orig: Bool, segments: Segments | None
    ) -> None:
        """Applies the events among the packets of a sorted batch; segments: as of GapTracker."""
        if segments is not None:
            events, what = changing(segments, flow, self._rows.seen)
            if len(events):
                self._note_data_in_fins(flow[events], what)
                rows = self._rows
                states = rows.orig_state, rows.resp_state, rows.history
                self._transitions.apply(self._after_event, flow[events], what, *states)
            return
        tcp = packets.proto.take(runs.order) == TCP
        if packets.fragment.any():
            # What a fragment says counts once its datagram is whole.
            tcp &= ~packets.fragment[runs.order]
        if not tcp.any():
            return
        payload = (packets.payload_len > 0).take(runs.order)
        control = tcp & (runs.flags & EVENT_FLAGS != 0)
        firsts = self._firsts(tcp & ~control, payload, flow, by_orig)
        events = np.flatnonzero(control)
        if len(firsts):
            events = np.sort(np.concatenate([events, firsts]))
        if len(events):
            bits = runs.flags[events].astype(np.int64) | payload[events].astype(np.int64) << 8
            what = bits << 1 | by_orig[events]
            self._note_data_in_fins(flow[events], what)
            self._apply(flow[events], what)

    def _note_data_in_fins(self, flow: I64, events: I64) -> None:
        """Marks flows in which a FIN carries payload: no letter of the history says so."""
        fins = (events >> 1 & EVENT_FLAGS == FIN) & (events >> 9 > 0)
        if fins.any():
            np.bitwise_or.at(self._rows.seen, flow[fins], DATA_IN_FIN)

    def _firsts(self, plain: Bool, payload: Bool, flow: I64, by_orig: Bool) -> I64:
        """Sorted rows of the first plain segment of each flow, direction and kind."""
        kind = payload.view(np.uint8) << np.uint8(1) | by_orig.view(np.uint8)
        unseen = ~self._rows.seen.take(flow) >> kind & np.uint8(1)
        candidates = np.flatnonzero(unseen.view(np.bool_) & plain)
        if not len(candidates):
            return candidates
        kind = kind[candidates]
        _, first = np.unique(flow[candidates] * 4 + kind, return_index=True)
        chosen = candidates[first]
        np.bitwise_or.at(self._rows.seen, flow[chosen], np.uint8(1) << kind[first])
        return chosen

    def _apply(self, flow: I64, events: I64) -> None:
        """Walks the events, twice the `bits` of `_after` and one if the originator sent; those of
        one flow lie side by side, in order of arrival."""
        rows, known = self._rows, self._known
        starts = np.flatnonzero(np.append(True, flow[1:] != flow[:-1]))
        touched = flow[starts]
        states = rows.orig_state[touched] | rows.resp_state[touched] << np.uint8(3)
        states = (rows.history[touched].astype(np.int64) << 6 | states).tolist()
        place = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(flow))))
        for at, event in zip(place.tolist(), events.tolist(), strict=True):
            case = states[at] << 10 | event
            after = known.get(case)
            if after is None:
                if len(known) == MAX_KNOWN:
                    known.clear()
                after = known[case] = self._after(states[at], event >> 1, bool(event & 1))
            states[at] = after
        after_all = np.array(states, np.int64)
        rows.orig_state[touched] = after_all & 7
        rows.resp_state[touched] = after_all >> 3 & 7
        rows.history[touched] = after_all >> 6

    def _after_event(self, state: int, event: int) -> int:
        return self._after(state, event >> 1, bool(event & 1))

    def _after(self, state: int, bits: int, by_orig: bool) -> int:
        """What follows when one side of a flow sends. state: of the originator, of the responder
        from bit 3 on, history from bit 6 on; bits: TCP flags, and payload at bit 8."""
        orig, resp, history = state & 7, state >> 3 & 7, state >> 6
        own, peer = (orig, resp) if by_orig else (resp, orig)
        own, peer = step(Side(own), Side(peer), by_originator=by_orig, seen=bits)
        orig, resp = (own, peer) if by_orig else (peer, own)
        letter = LETTERS[bits].upper() if by_orig else LETTERS[bits]
        return self._histories.extended(history, letter) << 6 | resp << 3 | orig
