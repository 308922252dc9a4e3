"""What the catalogue knows of each observation: who may be there, narrowed by who called and when.

Names and addresses are looked up each by itself, once. What stays on the machine and names nobody
costs nothing: the catalogue is not even read for it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace

from egress_audit.addresses import NEAR, Scope, scope_of
from egress_audit.classify.catalogue import Catalogue
from egress_audit.classify.narrowing import by_version, narrowed
from egress_audit.judge.attempts import names_leading, port_of, tried_alone
from egress_audit.judge.case import Tried
from egress_audit.judge.permission import is_own_name, literal_address
from egress_audit.judge.timers import is_named, may_be_late
from egress_audit.model.audit import Direction, Kind, ListUsed, Match, Observation
from egress_audit.model.catalogue import Entry
from egress_audit.model.claim import Claim
from egress_audit.model.destination import Absent
from egress_audit.model.flow import Name
from egress_audit.model.run import Attempt, Phase, Process, Role, Run
from egress_audit.model.versions import ProductVersion
from egress_audit.product_versions import KnownVersions
from egress_audit.programs import is_named as is_of_program
from egress_audit.programs import program_names
from egress_audit.values import dataclass

Entries = tuple[Entry, ...]
ReadCatalogue = Callable[[], Catalogue]
"""Gives the catalogue; it is read when somebody asks for the first time."""
End = tuple[str, int | None, str | None]
"""A name or address, with port and protocol where these are the far end's own."""
Narrow = Callable[[Entries], Entries]
PROTOCOLS = {6: "tcp", 17: "udp"}
SOCKET_TYPES = {"stream": "tcp", "dgram": "udp"}
SELF_REPORTED = "self"
"""The proof of a phase that the program tells of itself, which proves nothing alone."""
MOST_TRIED = 20_000
"""Places looked up of which no packet came, in the order of the attempts: as many as a recorder of
ours keeps attempts, so that none of them is left out."""
MOST_LEADING = 8
"""Names looked up of one such place; any number may have led there, and a place is accused by its
names only if all of them are."""
NO_PORT = 0
"""Fits entries without ports only: what is neither TCP nor UDP has none."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """The observations with what the catalogue knows of them."""

    observations: tuple[Observation, ...]
    entries: Mapping[str, Entry]
    """Those that observations match, by id."""
    callers: Entries
    """Those of what ran, or of what the claim names, that have a time or a switch."""
    lists: tuple[ListUsed, ...]
    """The files behind the catalogue; none if it was not asked."""
    versions: KnownVersions
    """Of products that ran, by which the matches were narrowed."""
    tried: Mapping[Tried, tuple[Match, ...]] = field(default_factory=dict)
    """What is known of places that system calls named, and that no observation is about."""


def endpoint_words(catalogue: Catalogue) -> dict[str, Entries]:
    """What `allow.endpoints` of a profile can hold, with the entries that are meant: ids,
    `vendor:NAME` and `product:NAME`."""
    words: dict[str, list[Entry]] = {}
    for entry in catalogue:
        for word in (entry.id, f"vendor:{entry.vendor}", f"product:{entry.product}"):
            words.setdefault(word, []).append(entry)
    return {word: tuple(entries) for word, entries in words.items()}


def entries_of(names: Iterable[Name], catalogue: ReadCatalogue) -> Entries:
    """The entries that fit names which were spoken, each once; whoever called, and when."""
    hosts = dict.fromkeys(name.host for name in names if not name.outer)
    found = [entry for host in hosts for entry in catalogue().of_host(host)]
    return tuple({entry.id: entry for entry in found}.values())


def recognised(
    observations: Iterable[Observation],
    claim: Claim,
    run: Run | Absent,
    catalogue: ReadCatalogue | None,
    versions: tuple[ProductVersion, ...] = (),
) -> Recognised:
    """Every observation with its matches; those of our own helpers as they are.

    catalogue: None for no catalogue, which recognises nothing; versions: of products that ran.
    """
    known = KnownVersions(versions, run)
    if catalogue is None:
        return Recognised(tuple(observations), {}, (), (), known)
    looking = _Looking(catalogue, run, known)
    seen = tuple(looking.recognised(row) for row in observations)
    tried = looking.tried(seen)
    callers = tuple(looking.callers(claim))
    if claim.uses_catalogue:
        looking.read()
    return Recognised(seen, looking.entries, callers, looking.lists, known, tried)


@dataclass(slots=True)
class _Looking:
    """The catalogue, and what was found in it so far."""

    catalogue: ReadCatalogue
    run: Run | Absent
    versions: KnownVersions
    entries: dict[str, Entry] = field(default_factory=dict)
    _found: dict[End, Entries] = field(default_factory=dict)
    _fits: dict[str, bool] = field(default_factory=dict)
    """Of names and addresses whether an entry fits, at whichever port: of nearly all none does."""
    lists: tuple[ListUsed, ...] = ()

    def read(self) -> Catalogue:
        """The catalogue, which from now on was asked."""
        catalogue = self.catalogue()
        self.lists = catalogue.used
        return catalogue

    def recognised(self, seen: Observation) -> Observation:
        """The row with its matches; itself if there are none."""
        if seen.by_helper or self._are_strangers(seen):
            return seen
        ends = [end for end in _ends(seen) if self._is_known(end[0])]
        if not ends:
            return seen
        exe = "" if isinstance(seen.owner, Absent) else seen.owner.exe
        matches = tuple(self._matches(ends, lambda fit: self._narrowed(fit, seen), exe))
        return replace(seen, endpoints=matches) if matches else seen

    def tried(self, rows: Collection[Observation]) -> dict[Tried, tuple[Match, ...]]:
        """What is known, by address and by name, of places that calls named and no row is about."""
        if isinstance(self.run, Absent) or not self.run.attempts:
            return {}
        found: dict[Tried, dict[str, Match]] = {}
        ours = {*self.run.synthetic, *self.run.our_resolvers}
        leading = names_leading(rows, self.run, MOST_LEADING)
        processes = {one.id: one for one in self.run.processes}
        for attempt, address in tried_alone(rows, self.run):
            by = processes.get(attempt.process)
            own = () if address in ours or scope_of(address) in NEAR else (address,)
            ends = _ends_tried(attempt, address, (*leading.get(address, ()), *own))
            place = Tried(address, attempt.port, attempt.type)
            if len(found) >= MOST_TRIED and place not in found:
                continue
            known = found.setdefault(place, {})
            for one in self._matches(ends, _narrowed_to(by), by.exe if by else ""):
                known[one.by] = known[one.by].either(one) if one.by in known else one
        return {place: tuple(matches.values()) for place, matches in found.items() if matches}

    def _matches(self, ends: Iterable[End], narrow: Narrow, exe: str) -> Iterator[Match]:
        """exe: of the sender; empty where it is not known."""
        for end in ends:
            if end not in self._found:
                # What is looked up was sent, or a call would have sent it: never a route probe.
                fits = self._asked(*end)
                self._found[end] = tuple(entry for entry in fits if not entry.packetless)
            entries = self._found[end]
            if len(entries) > 1:
                entries = narrow(entries)
            if entries:
                self.entries |= {entry.id: entry for entry in entries}
                yield self._match(end[0], entries, exe)

    def _match(self, by: str, entries: Entries, exe: str) -> Match:
        if not self.versions:
            return Match(by, tuple(entry.id for entry in entries))
        one_of, outside = by_version(entries, lambda entry: self._versions_of(entry, exe))
        return Match(by, tuple(one.id for one in one_of), tuple(one.id for one in outside))

    def _versions_of(self, entry: Entry, exe: str) -> list[str]:
        """All versions that a sender may have; none if that of one is not known."""
        known = [one.version for one in self.versions.of(entry, exe)] if entry.versions else []
        told = [version for version in known if not isinstance(version, Absent)]
        return told if len(told) == len(known) else []

    def _are_strangers(self, seen: Observation) -> bool:
        """True if everything that a row is known by was looked up before, and found nowhere."""
        for use in seen.names:
            if self._fits.get(use.host, True):
                return False
        return seen.far_h is Absent.NOT_APPLICABLE or not self._fits.get(seen.far_h, True)

    def _is_known(self, place: str) -> bool:
        if place not in self._fits:
            self._fits[place] = bool(self._asked(place))
        return self._fits[place]

    def _asked(self, place: str, port: int | None = None, protocol: str | None = None) -> Entries:
        ask = self.read().of_host if literal_address(place) is None else self.read().of_address
        return ask(place, port, protocol)

    def _narrowed(self, entries: Entries, seen: Observation) -> Entries:
        owner = None if isinstance(seen.owner, Absent) else seen.owner
        return narrowed(
            entries,
            exe=owner.exe if owner else "",
            cmdline=_arguments(owner.cmdline) if owner else (),
            phase=self._phase(seen),
            after_ns=self._after_ns(seen),
        )

    def callers(self, claim: Claim) -> Iterator[Entry]:
        """Of runtimes that the claim names, of the run's processes: with a time or a switch."""
        if isinstance(self.run, Absent) and not claim.applies_to.runtimes:
            return
        for entry in self.read():
            ran = _ran(entry, self.run) or self.versions.are_seen(entry)
            if (may_be_late(entry) or entry.variables) and (is_named(entry, claim) or ran):
                yield entry

    def _phase(self, seen: Observation) -> str:
        """The phase in which all of a row was sent; '' if it went on, or the program says so.

        A connection that began in one phase may serve another purpose in the next.
        """
        phases = () if isinstance(self.run, Absent) else self.run.phases
        return next((one.word for one in phases if _holds(one, seen)), "")

    def _after_ns(self, seen: Observation) -> int | None:
        """From the start of the program to the last packet of a row; None if unknown.

        A timer goes from the start of the program, whichever of its processes then sends; and a row
        holds all that it sent there, of which the first may have been something else.
        """
        if isinstance(seen.owner, Absent) or isinstance(self.run, Absent):
            return None
        return None if isinstance(self.run.exec_ns, Absent) else seen.last_ts_ns - self.run.exec_ns


def _holds(phase: Phase, seen: Observation) -> bool:
    """True if a row began and ended in a phase that somebody other than the program tells of."""
    if phase.word != seen.phase or phase.proof == SELF_REPORTED:
        return False
    ended = not isinstance(phase.end_ns, Absent) and seen.last_ts_ns >= phase.end_ns
    return phase.begin_ns <= seen.first_ts_ns and not ended


def _ends(seen: Observation) -> Iterator[End]:
    """What can be looked up of a row: its names, and its address unless that is near or invented.

    The port is the far end's; that of a carrier near us says nothing of where a name leads.
    """
    scope = seen.destination.scope
    outside = scope not in NEAR and seen.kind is Kind.CONTACT
    port, protocol = _port(seen) if outside else (None, None)
    for use in seen.names:
        if "." in use.host and use.host != seen.far_h and not is_own_name(use.host):
            yield use.host, port, protocol
    if outside and scope is not Scope.SIMULATED and not isinstance(seen.far_h, Absent):
        yield seen.far_h, port, protocol


def _port(seen: Observation) -> tuple[int | None, str | None]:
    """The port that ours called, with its protocol."""
    if seen.proto not in PROTOCOLS:
        return NO_PORT, None
    if isinstance(seen.far_p, Absent) or seen.direction is not Direction.OUTBOUND:
        return None, None
    return seen.far_p, PROTOCOLS[seen.proto]


def _ends_tried(attempt: Attempt, address: str, places: Iterable[str]) -> Iterator[End]:
    """Names and addresses with the port that was called there, to be looked up each once."""
    near = scope_of(address) in NEAR
    port, protocol = (None, None) if near else _port_called(attempt)
    for place in dict.fromkeys(places):
        if not is_own_name(place):
            yield place, port, protocol


def _port_called(attempt: Attempt) -> tuple[int | None, str | None]:
    protocol, port = SOCKET_TYPES.get(attempt.type), port_of(attempt)
    return (NO_PORT if protocol is None or isinstance(port, Absent) else port), protocol


def _narrowed_to(process: Process | None) -> Narrow:
    """Leaves of several entries those that a process is known to call."""
    if process is None:
        return lambda entries: entries
    exe, arguments = process.exe, _arguments(process.cmdline)
    return lambda entries: narrowed(entries, exe=exe, cmdline=arguments)


def _ran(entry: Entry, run: Run | Absent) -> bool:
    """True if a process of the program is one that is known to call it."""
    if isinstance(run, Absent):
        return False
    targets = (one for one in run.processes if one.role is Role.TARGET)
    named = (program_names(one.exe, _arguments(one.cmdline)) for one in targets)
    return any(is_of_program(entry, names) for names in named)


def _arguments(cmdline: str | Absent) -> Sequence[str]:
    return () if isinstance(cmdline, Absent) else cmdline.split()
