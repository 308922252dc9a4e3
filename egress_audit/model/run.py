"""What a recorder knows beside the frames: processes, attempts, phases, probes, conditions.

A capture that somebody else made has none of it; a bundle has, and the audit keeps it as part of
the one document. All times are nanoseconds since the epoch, UTC, from the recorder's clock.
"""

from collections.abc import Mapping
from enum import StrEnum

from egress_audit.model.destination import Absent
from egress_audit.values import dataclass

IP_FAMILIES = ("AF_INET", "AF_INET6")
SENDING = ("sendto", "sendmsg", "sendmmsg")

BY_CTRL_C, CTRL_C_NS = (-2, 130), 500_000_000
"""Exit statuses of what SIGINT ended, and how long before we noted it that may have been."""


class Rung(StrEnum):
    """On which step of the ladder a recording stood; the first two see packets and system calls."""

    TUN = "tun"
    """A network namespace whose only way out is a TUN device that we read."""
    VETH = "veth"
    """The same with a veth pair, where there is no usable /dev/net/tun."""
    CALLS = "calls"
    """System calls alone: attempts are exact, there are no packets."""
    POLLING = "polling"
    """Tables of sockets looked at again and again: short connections are missed."""

    @property
    def sees_all(self) -> bool:
        """True where every packet and every attempt is seen; nothing else can HOLD."""
        return self in (Rung.TUN, Rung.VETH)


class Network(StrEnum):
    """What the program met when it wanted out."""

    SEALED = "sealed"
    """Every attempt was refused."""
    SIMULATED = "simulated"
    """Our own stack answered: names, connections, an HTTP 503. Nothing was forwarded."""
    OPEN = "open"
    """The real network."""


class Role(StrEnum):
    """On whose behalf a process ran."""

    TARGET = "target"
    EXERCISER = "exerciser"
    """Started by us to use the program; never counted as the program."""
    CLIENT = "client"
    """Hands the user's own client of this host in: what it begins is inbound to the program."""
    PROBE = "probe"
    """Sends the positive control."""
    RECORDER = "recorder"
    """The first process of the sandbox; sends nothing."""

    @property
    def is_helper(self) -> bool:
        """True for what was started by us to send: listed, and never counted as the program."""
        return self in (Role.EXERCISER, Role.CLIENT, Role.PROBE)


@dataclass(frozen=True, slots=True)
class Process:
    """A process at one executable: an exec makes a new one."""

    id: int
    """From 1, in the order in which they became known."""
    pid: int
    """As the host numbers it."""
    start_time: int
    """Clock ticks since boot, field 22 of /proc/PID/stat: with `pid` it names one process."""
    exe: str
    exe_sha256: str | Absent
    """NOT_FOUND when the file could not be read when the run had ended."""
    cmdline: str | Absent
    """Arguments joined by spaces, secrets masked."""
    parent: int | Absent
    """`id` of the parent, if that is known too."""
    role: Role
    first_ns: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """A system call that wanted out, or to another process; may have no packet."""

    process: int
    """`Process.id`."""
    call: str
    """connect, sendto, sendmsg, sendmmsg, bind, listen, socket, io_uring_setup, execve …"""
    family: str
    """AF_INET, AF_INET6, AF_UNIX, AF_VSOCK …; empty where there is none."""
    type: str
    """stream, dgram, raw, seqpacket …; empty where there is none."""
    address: str | Absent
    """IP address; path of a unix socket, `@name` of an abstract one; else the bytes in hex."""
    port: int | Absent
    denied: str | Absent
    """Name of the error with which the recorder answered (EAFNOSUPPORT …); NOT_APPLICABLE when
    the kernel was let to carry it out."""
    outcome: str | Absent
    """What is known of its end without a packet: `reached` or `absent` for a socket or FIFO of the
    host; `fell-back` for io_uring when the process went on with ordinary calls; `time-of-check` if
    the packet went elsewhere than the call had said; `setuid` for the execution of a program whose
    set-user-id bit had no effect; `elsewhere` for a socket in a network namespace that the program
    made for itself, whose packets are in no capture. NOT_APPLICABLE otherwise."""
    count: int
    first_ns: int

    @property
    def wants_out(self) -> bool:
        """True for a call that sends, or opens a connection, over IP; not for a route probe."""
        sends = self.call in SENDING or (self.call == "connect" and not self.asks_for_route)
        return sends and self.family in IP_FAMILIES

    @property
    def asks_for_route(self) -> bool:
        """True for a connect over IP that sends nothing: it asks the kernel for a route."""
        connects = self.family in IP_FAMILIES and self.call == "connect"
        return connects and self.type in ("dgram", "raw")


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the run with a name."""

    word: str
    begin_ns: int
    end_ns: int | Absent
    proof: str
    """`command` (the command ended with 0, or was alive at the end), `ready`, `exercise` (exit 0
    and the expected output), or `self`: the program says so, which proves nothing alone."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One packet of the positive control, sent under the program's own filter and user."""

    when: str
    """`before` the program, or `after` it."""
    by: str
    """`address` or `name`."""
    version: int
    """IP version of the packet."""
    nonce: str
    """Hex text that the packet carries; in a name, its first label."""
    frame: int | Absent
    """Frame in which the recorder found it; NOT_FOUND when it never came."""
    noticed: bool
    """True if its system call was notified as well."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable of the environment that matters to the verdict, with what it does."""

    name: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """A file with which a product remembers that it has already called home."""

    path: str
    product: str
    hidden: bool
    """True if the program could not see it; else it may have been silent because of it."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model that the program opened or mapped."""

    path: str
    size: int | Absent
    sha256: str | Absent
    """After the run; NOT_FOUND if it was gone or could not be read."""


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file that the run left or changed, wherever that was."""

    path: str
    size: int | Absent


OUR_RESOLVERS = ("10.87.0.1", "fd00:e6e4::1")
"""Addresses of our side of the wire at which names are asked; in the open it passes them on."""


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that the recorder noted of one run."""

    rung: Rung
    network: Network
    recorder: str
    """`run`, later `attach`."""
    command: str
    """Masked, as `Process.cmdline`."""
    own_addresses: tuple[str, ...]
    resolvers: tuple[str, ...]
    """Addresses at which our side answers DNS."""
    synthetic: Mapping[str, str]
    """Address that our DNS invented → the name it was invented for."""
    began_ns: int
    """The sockets were open and recording worked."""
    exec_ns: int | Absent
    """The command was executed; NOT_FOUND if it never was."""
    ended_ns: int | Absent
    """The command itself ended; NOT_FOUND if it was alive when watching ended."""
    tree_ended_ns: int | Absent
    """The last process of the tree was gone, by itself or ended by us."""
    closed_ns: int | Absent
    """The last line of the record; NOT_FOUND when the recorder died."""
    exit_status: int | Absent
    """0 to 255, or minus the signal."""
    ended_by: str
    """`tree` (everything ended by itself), `observed` (the time was up), `interrupted` (Ctrl-C),
    `killed` (the sandbox was, from outside), `lost` (the record stops in the middle)."""
    observed_ns: int
    """From exec to the end of watching."""
    processes: tuple[Process, ...]
    attempts: tuple[Attempt, ...]
    attempts_dropped: int
    """Distinct attempts past the number that is kept."""
    phases: tuple[Phase, ...]
    probes: tuple[Probe, ...]
    conditions: tuple[Setting, ...]
    """Switches that silence a product, as the user set them."""
    endpoints: tuple[Setting, ...]
    """Proxies, mirrors and servers that the environment names."""
    removed_variables: tuple[str, ...]
    """Variables that merely announce CI, which were taken away."""
    home: str
    """`overlay`, `fresh` or `real`."""
    stamps: tuple[Stamp, ...]
    model_files: tuple[ModelFile, ...]
    written_files: tuple[WrittenFile, ...]
    written_beyond: int
    """Files past the number that is kept."""
    reachable_sockets: tuple[str, ...]
    """Listening unix sockets of the host that the program could have reached."""
    unattributed: int
    """Packets of the sandbox whose sender is not known."""
    drops: Mapping[str, int | Absent]
    """Frames lost, by interface, as the kernel counted them."""
    cannot_see: tuple[str, ...]
    """What this rung cannot see on this host, for people."""
    hostname: str = ""
    """The sandbox's own name, which counts as loopback; empty if it was not recorded."""

    @property
    def our_resolvers(self) -> tuple[str, ...]:
        """Those of `resolvers` that are our own side of the wire, not somebody else's server."""
        if self.network is not Network.OPEN:
            return self.resolvers
        return tuple(address for address in self.resolvers if address in OUR_RESOLVERS)

    @property
    def alive_at_end(self) -> bool:
        """True if the command was alive when we ended the watching, and then the command."""
        if isinstance(self.exec_ns, Absent) or self.ended_by not in ("observed", "interrupted"):
            return False
        until_ns = self.exec_ns + self.observed_ns
        if self.ended_by == "interrupted" and self.exit_status in BY_CTRL_C:
            until_ns -= CTRL_C_NS  # It reaches the command and us at once.
        return isinstance(self.ended_ns, Absent) or self.ended_ns >= until_ns

    @property
    def succeeded(self) -> bool:
        """True if the command ended with 0, or was alive when we ended the watching."""
        return not isinstance(self.exec_ns, Absent) and (self.alive_at_end or self.exit_status == 0)

    @property
    def failed(self) -> bool:
        """True if the command ended by itself, and not with 0."""
        ended = not isinstance(self.exit_status, Absent) and not self.alive_at_end
        return ended and self.exit_status != 0

    @property
    def seen_from_start(self) -> bool:
        """True if recording worked when the command was executed."""
        return not isinstance(self.exec_ns, Absent) and self.began_ns <= self.exec_ns

    @property
    def seen_to_end(self) -> bool:
        """True if the record was closed after the whole tree had ended, or we had ended it."""
        ended = not isinstance(self.tree_ended_ns, Absent)
        ended |= self.ended_by in ("observed", "interrupted")
        return ended and not isinstance(self.closed_ns, Absent)
