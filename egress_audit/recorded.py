"""What a recorder's account adds to the frames: owners, phases, probes, how far to believe it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import field
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING

from egress_audit.attribute.directions import Far
from egress_audit.attribute.observations import Senders
from egress_audit.attribute.owners import Owned, RecordedOwners
from egress_audit.attribute.phases import phase_at
from egress_audit.attribute.probes import ProbeSearch, missing_probes
from egress_audit.attribute.questions import Sender
from egress_audit.columns import Bool, FlowColumns, PacketBatch
from egress_audit.errors import InputUnreadable, WrongUsage
from egress_audit.evidence.event_kinds import HOWS
from egress_audit.flows.table import Assigned
from egress_audit.model.audit import EvidenceItem
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import CaptureFacts, Recording
from egress_audit.model.flow import Name, NameSource
from egress_audit.model.run import Process, Role
from egress_audit.names.flow_names import FlowNames
from egress_audit.names.table import NameTable
from egress_audit.values import dataclass

if TYPE_CHECKING:
    from egress_audit.evidence.account import Account

WHOLE_RUN = "run"
"""The phase of the command itself, which says nothing beside another one."""


@dataclass(frozen=True, slots=True)
class Seal:
    """How the folder was found in which an account and its capture lay."""

    closed: bool = True
    """Its manifest is there."""
    altered: tuple[str, ...] = ()
    """What is not as the manifest says."""
    items: tuple[EvidenceItem, ...] = ()
    """What was audited beside the capture."""


CLOSED = Seal()
"""Closed, and as it was then."""


def refuse_unusable(account: "Account | None", local: Sequence[object]) -> None:
    """Raises InputUnreadable for an account of a command that never ran, and WrongUsage for own
    addresses beside those that it records."""
    if account is None:
        return
    if local:
        raise WrongUsage("a bundle records its own addresses", where="--local", hint="leave it out")
    if isinstance(account.run.exec_ns, Absent):
        raise InputUnreadable(
            "the command was never executed, so there is nothing to judge",
            where=account.run.command,
            hint="check the command, and that the user may execute it",
        )


@dataclass(slots=True)
class Recorded:
    """An account while its capture is read."""

    account: "Account"
    seal: Seal
    owners: RecordedOwners = field(init=False)
    search: ProbeSearch = field(init=False)

    def __post_init__(self) -> None:
        run, owners = self.account.run, self.account.owners
        noted = owners.frame, owners.process, owners.how
        self.owners = RecordedOwners(run.processes, noted, HOWS, self.account.unattributed)
        self.search = ProbeSearch(run.probes)

    def take(self, packets: PacketBatch, assigned: Assigned) -> None:
        """Takes in one batch of packets with their flows."""
        self.owners.take(packets.frame, assigned.flow, assigned.by_orig)
        self.search.take(packets)

    @property
    def own_addresses(self) -> list[IPv4Network | IPv6Network]:
        """The sandbox's own addresses; text that is none is passed over."""
        return _networks(self.account.run.own_addresses)

    def lead(self, table: NameTable) -> None:
        """Puts the addresses that our DNS invented beside those that answers led to."""
        for text, host in self.account.run.synthetic.items():
            for network in _networks([text]):
                address = str(network.network_address)
                table.answer(address, Name(host, NameSource.SANDBOX_DNS, 0, 0))

    def from_clients(self, flows: FlowColumns) -> Bool:
        """(n,) True for flows that the user's own client began, from outside of the sandbox."""
        return self.owners.begun_by(Role.CLIENT, len(flows))

    def senders(self, flows: FlowColumns, far: Far) -> Senders:
        """Owner and phase of each flow. The phase of the whole command is no news of any."""
        phases = [phase for phase in self.account.run.phases if phase.word != WHOLE_RUN]
        owned = self.owners.owned(len(flows), far.near_is_orig)
        return Senders(owned, *phase_at(phases, flows.ts_ns))

    def recording(self, senders: Senders, far: Far, facts: CaptureFacts) -> Recording:
        """How far this account can be believed, and what of it its own frames show."""
        run, owned = self.account.run, senders.owned
        of_nobody = int(far.pkts_out[~owned.known].sum())
        return Recording(
            complete=self.account.complete and self.seal.closed,
            altered=self.seal.altered if self.seal.closed else (),
            problems=(*self.account.problems, *self._missing_frames(facts)),
            missing_probes=missing_probes(run, self.search),
            unattributed=max(run.unattributed, of_nobody),
            not_the_programs=_by_role(owned),
        )

    def _missing_frames(self, facts: CaptureFacts) -> Iterator[str]:
        """Interfaces of which the capture has fewer frames than were received and not dropped:
        drops are counted, and told as what they are."""
        for interface in facts.interfaces:
            received = self.account.received.get(str(interface.name), 0)
            dropped = self.account.run.drops.get(str(interface.name), 0)
            known = 0 if isinstance(dropped, Absent) else dropped
            lost = received - known - interface.frames
            if lost > 0:
                yield f"the capture lacks {lost} frames that {interface.name} received"

    @property
    def probes_found(self) -> int:
        """Probes that are in the frames that are said to hold them, and were noticed."""
        return sum(self.search.found(probe) for probe in self.account.run.probes)

    @property
    def drops(self) -> int | Absent:
        """Frames lost on all interfaces; NOT_FOUND if one of them does not say."""
        return sum_of_all(tuple(self.account.run.drops.values()))


def sum_of_all(counts: Sequence[int | Absent]) -> int | Absent:
    """The counts added up; NOT_FOUND where there is none, or one of them is not known."""
    known = [count for count in counts if not isinstance(count, Absent)]
    return sum(known) if known and len(known) == len(counts) else Absent.NOT_FOUND


def _networks(texts: Iterable[str]) -> list[IPv4Network | IPv6Network]:
    """The texts as addresses or prefixes, without those that are none."""
    found = []
    for text in texts:
        with suppress(ValueError):
            found.append(ip_network(text, strict=False))
    return found


def _by_role(owned: Owned) -> dict[str, int]:
    """Flows of our helpers, by role."""
    processes: tuple[Process, ...] = owned.processes
    rows = owned.process[owned.by_helper].tolist()
    counted = Counter(str(processes[row].role) for row in rows)
    return {role: counted[role] for role in sorted(counted)}


def sender_of(names: FlowNames, senders: Senders) -> Callable[[str], Sender]:
    """Who asked for a host, and in which phase it was first asked: from the flows that asked."""
    asking = names.asking()

    def sender(host: str) -> Sender:
        rows = asking.get(host)
        if not rows:
            return Absent.NOT_FOUND, Absent.NOT_FOUND
        phase = senders.phases[int(senders.phase[min(rows)])]
        return senders.owned.owner_of(sorted(rows)), phase

    return sender
