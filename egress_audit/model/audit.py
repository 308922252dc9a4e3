"""The one document: what was claimed, seen, concluded, and what could not be seen."""

from collections.abc import Mapping
from enum import StrEnum

from egress_audit.addresses import Scope
from egress_audit.errors import ExitCode
from egress_audit.model.catalogue import Entry
from egress_audit.model.claim import Claim
from egress_audit.model.destination import Absent, Destination
from egress_audit.model.evidence import Coverage
from egress_audit.model.flow import NameSource
from egress_audit.model.run import Role, Run
from egress_audit.model.versions import ProductVersion
from egress_audit.values import dataclass


class Verdict(StrEnum):
    """What the evidence says of the claim."""

    HOLDS = "HOLDS"
    VIOLATED = "VIOLATED"
    INCONCLUSIVE = "INCONCLUSIVE"

    @property
    def exit_code(self) -> ExitCode:
        """The process's exit code for this verdict."""
        return ExitCode[self.name]


class Direction(StrEnum):
    """Who began a flow, seen from our side of it."""

    OUTBOUND = "outbound"
    """Ours began it; or nobody knows who did, and ours sent packets."""
    INBOUND = "inbound"
    """The far side began it."""
    RECEIVED = "received"
    """Only the far side sent; nothing of ours left in this flow."""
    INTERNAL = "internal"
    """Both ends are ours."""

    # Enum's own is a function of Python, and part of every comparison of rows.
    __hash__ = str.__hash__


class Kind(StrEnum):
    """What a row of observations is about."""

    CONTACT = "contact"
    """Packets to or from an address."""
    QUESTION = "question"
    """A name that was asked for, whatever carried the question."""
    REST = "rest"
    """Everything past the number of rows that are kept, summed."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The process behind a flow, and how that is known; of several alike the first."""

    pid: int
    start_time: int
    exe: str
    exe_sha256: str | Absent
    cmdline: str | Absent
    parent: int | Absent
    """Its pid."""
    how: str
    """`seccomp` (its own system call was seen), `kernel, on behalf of`, or a pcapng dialect."""
    role: Role = Role.TARGET
    """What an `exerciser` or a `probe` did is listed, and never counted as the program's."""
    processes: int = 1
    """How many processes of the same executable, arguments and role stand behind the row."""


@dataclass(frozen=True, slots=True)
class NameUse:
    """A host name with every way in which it became known for one observation."""

    host: str
    sources: tuple[NameSource, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A name or address that the catalogue knows."""

    by: str
    """The host name or address."""
    one_of: tuple[str, ...]
    """Ids of the entries that fit, as far as process, phase, time and version narrow them down: any
    of them may be the one."""
    outside: tuple[str, ...] = ()
    """Ids of entries that fit but for the version of their product: known of others than the one
    that ran. They are told only where nothing else would be left, and judged as all that fit: a
    version makes no verdict better."""

    @property
    def fitting(self) -> tuple[str, ...]:
        """Ids of all entries that fit, whatever the version."""
        return tuple(dict.fromkeys((*self.one_of, *self.outside)))

    def either(self, other: "Match") -> "Match":
        """The same name or address, called by one or by another: what may be it of either."""
        one_of = dict.fromkeys((*self.one_of, *other.one_of))
        inside = {*self.one_of} - {*self.outside} | {*other.one_of} - {*other.outside}
        outside = dict.fromkeys((*self.outside, *other.outside))
        return Match(self.by, tuple(one_of), tuple(one for one in outside if one not in inside))


@dataclass(frozen=True, slots=True)
class Frames:
    """Where to look: the first frames of something, and how many there are in all."""

    first: tuple[int, ...]
    """At most 20 frame numbers, ascending."""
    total: int


@dataclass(frozen=True, slots=True)
class Observation:
    """What one owner did to one far end: a row of every report."""

    id: int
    """From 1, in the order of the document."""
    kind: Kind
    owner: Owner | Absent
    direction: Direction
    far_h: str | Absent
    """Address of the far side; NOT_APPLICABLE for a question and for the rest."""
    far_p: int | Absent
    """Port of the responder if the far side is it, else NOT_APPLICABLE."""
    proto: int
    """IANA protocol number."""
    names: tuple[NameUse, ...]
    """For a question: the name asked, alone."""
    destination: Destination
    """Of the far address; for a question, scope `name` and nothing else."""
    phase: str | Absent
    flows: int
    tls_flows: int
    """Flows in which a TLS ClientHello was seen."""
    pkts_out: int
    pkts_in: int
    ip_bytes_out: int
    ip_bytes_in: int
    first_ts_ns: int
    last_ts_ns: int
    frames: Frames
    """Of each flow the frame that names its far end, or else its first; of a question, those that
    ask."""
    conn_states: Mapping[str, int]
    """Flows by Zeek conn_state."""
    questions: Mapping[str, int]
    """For a question: how often, by record type (`A`, `AAAA`, `HTTPS` …)."""
    resolvers: tuple[str, ...]
    """For a question: the addresses it was sent to."""
    answers: tuple[str, ...]
    """For a question: the addresses it was answered with, at most 20."""
    answer_destinations: tuple[Destination, ...]
    """For a question: of each of `answers`, in their order."""
    rest_scopes: Mapping[Scope, int]
    """For the rest: flows by scope of the far end."""
    endpoints: tuple[Match, ...] = ()
    """What the catalogue knows of the names and of the address, each by itself; nothing for what
    stays near and names nobody."""

    @property
    def from_client(self) -> bool:
        """True for what came in over loopback: in a bundle, from the user's client of this host."""
        inbound = self.direction is Direction.INBOUND
        return inbound and self.destination.scope is Scope.LOOPBACK

    @property
    def by_helper(self) -> bool:
        """True for what our own helpers did: it is listed, and never judged."""
        return not isinstance(self.owner, Absent) and self.owner.role.is_helper


@dataclass(frozen=True, slots=True)
class Finding:
    """One contradiction between the claim and what was seen."""

    rule: str
    """EA001 …"""
    message: str
    """A whole clause about the subject: `asked for example.org (1 A question)`."""
    observations: tuple[int, ...]
    """Ids of the observations behind it."""
    frames: Frames
    explanation: tuple[str, ...] = ()
    """Three sentences if the catalogue knows the far end: who calls there, why, and how that is
    switched off."""


@dataclass(frozen=True, slots=True)
class BlindSpot:
    """Something that could have happened without this evidence showing it."""

    id: str
    message: str
    count: int
    """How many frames, flows, destinations … are concerned; 0 where counting makes no sense."""
    material: bool
    """True if it stands between this claim and HOLDS."""
    lifted_by: str | Absent
    """The assertion that lifts it; NOT_APPLICABLE if none can."""
    lifted: bool
    """True if that assertion was made: then it is not material."""
    remedy: str
    explanation: tuple[str, ...] = ()
    """Of what the message names, as far as the catalogue knows it: who calls there, why, and how
    that is switched off, in three sentences each."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a person states about the evidence, and answers for."""

    word: str
    meaning: str
    who: str | Absent
    when: str | Absent
    why: str | Absent
    evidence: tuple[str, ...]
    """sha256 of each capture that it speaks of."""


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """One capture that was audited; its sha256 is NOT_ASKED if the user wanted none."""

    sha256: str | Absent
    size: int
    format: str
    format_detail: str


@dataclass(frozen=True, slots=True)
class ListUsed:
    """A list that answered, so that the same answers can be had again."""

    name: str
    date: str
    """Date of the data, YYYY-MM-DD."""
    sha256: str
    licence: str
    attribution: str


MOST_GUESSED = 16
"""Guessed addresses that are listed; there may be more of them."""


@dataclass(frozen=True, slots=True)
class OwnAddresses:
    """Which addresses count as ours, and how that is known."""

    how: str
    """`given` (--local), `recorded` (by the evidence) or `guessed`."""
    prefixes: tuple[str, ...]

    @property
    def may_be_more(self) -> bool:
        return self.how == "guessed" and len(self.prefixes) >= MOST_GUESSED


@dataclass(frozen=True, slots=True)
class Audit:
    """Everything that was concluded from one body of evidence about one claim.

    Holds no wall time, path, host name, engine or tool version: same evidence, same rules
    version, same document. Those stand in the envelope around it.
    """

    rules_version: int
    verdict: Verdict
    headline: str
    """The verdict in one sentence, with its subject."""
    subject: str
    """`this capture` where nothing says who sent; else the program."""
    claim: Claim
    evidence: tuple[EvidenceItem, ...]
    own_addresses: OwnAddresses
    coverage: Coverage
    findings: tuple[Finding, ...]
    blind_spots: tuple[BlindSpot, ...]
    assertions: tuple[Assertion, ...]
    observations: tuple[Observation, ...]
    lists: tuple[ListUsed, ...]
    run: Run | Absent = Absent.NOT_APPLICABLE
    """What the recorder noted beside the frames; NOT_APPLICABLE for a plain capture."""
    endpoints: tuple[Entry, ...] = ()
    """The entries of the catalogue that observations and blind spots name, by id: judging again
    needs no catalogue. Of a run also those of the runtimes that the claim names which a variable
    silences; those that were set are among its conditions."""
    versions: tuple[ProductVersion, ...] = ()
    """Products that ran: those that the recorder saw, by name, then those that are stated. One that
    is not here is not known, never absent."""
