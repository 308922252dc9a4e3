"""Who sent each flow, as a recorder noted it. HOT PATH.

A recorder says of single frames who sent them: of the first of a conversation, of each SYN, and
whenever the sender changes. Here these frames are put on flows while packets are read; what is not
in the record belongs to nobody, and is counted.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from egress_audit.columns import I32, I64, U8, Bool
from egress_audit.model.audit import Owner
from egress_audit.model.destination import Absent
from egress_audit.model.run import Process, Role
from egress_audit.values import dataclass

KERNEL = "kernel, on behalf of"
NOBODY = -1
PROGRAM, UNKNOWN, BY_KERNEL, HELPER = range(4)
"""Which of several senders a flow belongs to: the first of these that it has."""


@dataclass(frozen=True, slots=True)
class Owned:
    """The owner of each flow; (n,) each."""

    group: I32
    """Index into `owners`."""
    process: I32
    """Index into `processes`, NOBODY where it is not known."""
    owners: tuple[Owner | Absent, ...]
    """One for each executable with its arguments, role and way of knowing; the first is nobody."""
    processes: tuple[Process, ...]

    @property
    def by_helper(self) -> Bool:
        """(n,) True for flows of our own helpers."""
        helps = np.array([is_helper(owner) for owner in self.owners], np.bool_)
        found: Bool = helps[self.group]
        return found

    @property
    def known(self) -> Bool:
        """(n,) True where the owner is known."""
        found: Bool = self.process != NOBODY
        return found

    def sender(self, row: int) -> tuple[Process, str] | Absent:
        """The very process behind one flow, and how that is known; NOT_FOUND if nobody is."""
        owner, process = self.owners[int(self.group[row])], int(self.process[row])
        if isinstance(owner, Absent) or process == NOBODY:
            return Absent.NOT_FOUND
        return self.processes[process], owner.how

    def owner_of(self, rows: Sequence[int] | I64) -> Owner | Absent:
        """The owner of flows that belong together: of the program's own the first, and how many.

        NOT_FOUND if one of them is nobody's and none the program's; a helper only if all are.
        """
        at = np.asarray(rows, np.int64)
        ranks = np.array([_rank_of(owner) for owner in self.owners], np.int64)[self.group[at]]
        best = at[ranks == ranks.min()]
        owner = self.owners[int(self.group[best[0]])]
        if isinstance(owner, Absent):
            return owner
        found = np.unique(self.process[best]).tolist()
        first = self.processes[int(self.process[best[0]])]
        return replace(owner, pid=first.pid, start_time=first.start_time, processes=len(found))


def is_helper(owner: Owner | Absent) -> bool:
    """True for what we started ourselves, beside the program."""
    return not isinstance(owner, Absent) and owner.role.is_helper


def _rank_of(owner: Owner | Absent) -> int:
    if isinstance(owner, Absent):
        return UNKNOWN
    return _rank(owner.role, owner.how)


def _rank(role: Role, how: str) -> int:
    if role.is_helper:
        return HELPER
    return BY_KERNEL if how == KERNEL else PROGRAM


class RecordedOwners:
    """The owners that a recorder noted, by frame."""

    def __init__(
        self,
        processes: Sequence[Process],
        noted: tuple[I64, I32, U8],
        ways: Sequence[str],
        unattributed: I64,
    ) -> None:
        """noted: frames, each with the id of a process and an index into `ways`, how it is known;
        unattributed: frames from which on nobody is known to send."""
        self._processes, self._ways = tuple(processes), tuple(ways)
        self._index = {process.id: i for i, process in enumerate(self._processes)}
        frames, identifiers, way = noted
        place = {
            identifier: self._index.get(identifier, NOBODY)
            for identifier in np.unique(identifiers).tolist()
        }
        known = np.array([place[identifier] for identifier in identifiers.tolist()], np.int64)
        nobodys = np.full(len(unattributed), NOBODY, np.int64)
        frame = np.concatenate([frames, unattributed]).astype(np.int64)
        order = np.argsort(frame, kind="stable")
        self._frame: I64 = frame[order]
        self._process: I64 = np.concatenate([known, nobodys]).astype(np.int64)[order]
        self._way: I64 = np.concatenate([way.astype(np.int64), nobodys * 0])[order]
        self._flow: I64 = np.full(len(frame), -1, np.int64)
        self._by_orig: Bool = np.zeros(len(frame), np.bool_)
        self._inner: list[tuple[I64, I64, Bool]] = []
        """Further packets of noted frames, those inside of tunnels: place, flow, by_orig."""

    def take(self, frame: I64, flow: I64, by_orig: Bool) -> None:
        """Puts the noted frames of one batch on their flows: a tunnel's on those inside, too."""
        if not len(frame):
            return
        if (frame[1:] < frame[:-1]).any():
            order = np.argsort(frame, kind="stable")
            frame, flow, by_orig = frame[order], flow[order], by_orig[order]
        start, stop = np.searchsorted(self._frame, (frame[0], frame[-1] + 1))
        noted = self._frame[start:stop]
        at = np.searchsorted(frame, noted)
        there = np.arange(len(noted))
        while len(there):
            there = there[at[there] < len(frame)]
            there = there[frame[at[there]] == noted[there]]
            self._put(start + there, flow[at[there]], by_orig[at[there]])
            at += 1

    def begun_by(self, role: Role, flows: int) -> Bool:
        """(n,) True for flows whose originator is known to be of this role, and never another."""
        of_role = np.array(
            [process.role is role for process in self._processes] + [False], np.bool_
        )
        found: Bool = np.zeros(flows, np.bool_)
        noted = np.flatnonzero((self._flow >= 0) & self._by_orig)
        known = of_role[self._process[noted]]  # NOBODY is the last.
        found[self._flow[noted[known]]] = True
        found[self._flow[noted[~known]]] = False
        return found

    def _put(self, place: I64, flow: I64, by_orig: Bool) -> None:
        """Puts noted frames on flows, of which each frame may have several."""
        place, flow, by_orig = place[flow >= 0], flow[flow >= 0], by_orig[flow >= 0]
        taken = self._flow[place] >= 0
        if taken.any():
            self._inner.append((place[taken], flow[taken], by_orig[taken]))
        self._flow[place[~taken]] = flow[~taken]
        self._by_orig[place[~taken]] = by_orig[~taken]

    def owned(self, flows: int, near_is_orig: Bool) -> Owned:
        """The owner of each flow: of those who sent for our side, or else for the other one.

        Of several the program before nobody, nobody before the kernel, and a helper only where
        nobody else sent: what could be the program's is not held to be somebody else's.
        """
        noted = np.flatnonzero(self._flow >= 0)
        parts = [(noted, self._flow[noted], self._by_orig[noted]), *self._inner]
        noted, flow, by_orig = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        process, way = self._process[noted], self._way[noted]
        table, owners, ranks = self._groups(process, way)
        wrong_side = by_orig != near_is_orig[flow]
        order = np.lexsort((self._frame[noted], ranks[table], wrong_side, flow))
        first = np.ones(len(order), np.bool_)
        first[1:] = flow[order][1:] != flow[order][:-1]
        chosen = order[first]
        group: I32 = np.zeros(flows, np.int32)
        owner: I32 = np.full(flows, NOBODY, np.int32)
        group[flow[chosen]], owner[flow[chosen]] = table[chosen], process[chosen]
        return Owned(group, owner, owners, self._processes)

    def _groups(self, process: I64, way: I64) -> tuple[I64, tuple[Owner | Absent, ...], I64]:
        """Of each noted frame the number of its group; the groups' owners; and their ranks."""
        width = len(self._ways) + 1
        pairs, place = np.unique(process * width + way, return_inverse=True)
        owners: list[Owner | Absent] = [Absent.NOT_FOUND]
        number_of: dict[tuple[object, ...], int] = {}
        numbers = []
        for index, at in (divmod(pair, width) for pair in pairs.tolist()):
            if index == NOBODY:
                numbers.append(0)
                continue
            sender, how = self._processes[index], self._ways[at]
            key = sender.exe, sender.cmdline, sender.role, how
            if key not in number_of:
                number_of[key] = len(owners)
                owners.append(self._owner(sender, how))
            numbers.append(number_of[key])
        ranks = np.array([_rank_of(owner) for owner in owners], np.int64)
        return np.array(numbers, np.int64)[place], tuple(owners), ranks

    def _owner(self, sender: Process, how: str) -> Owner:
        parent: int | Absent = Absent.NOT_FOUND
        if not isinstance(sender.parent, Absent) and sender.parent in self._index:
            parent = self._processes[self._index[sender.parent]].pid
        return Owner(
            pid=sender.pid,
            start_time=sender.start_time,
            exe=sender.exe,
            exe_sha256=sender.exe_sha256,
            cmdline=sender.cmdline,
            parent=parent,
            how=how,
            role=sender.role,
        )
