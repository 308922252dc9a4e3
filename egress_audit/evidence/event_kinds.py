"""The kinds of event that a record may hold, and the fields of each: the one table of them.

A record is `events.jsonl`: one JSON object a line with sorted keys, no spaces, ASCII only; each has
`event` (its kind) and `t` (ns since the epoch, UTC). Writer and reader both hold to this table.
"""

from collections.abc import Callable, Mapping

from egress_audit.model.run import Network, Role, Rung
from egress_audit.model.versions import VersionHow

VERSION = 1
"""Of the record, as its `begin` says."""

LIMIT = 1 << 62
"""No number of a record reaches it: times end in 2116, so that differences fit 64 bits."""

Check = Callable[[object], bool]


def natural(value: object) -> bool:
    """A whole number from 0."""
    return type(value) is int and 0 <= value < LIMIT


def positive(value: object) -> bool:
    """A whole number from 1."""
    return natural(value) and value != 0


def text(value: object) -> bool:
    """Any text."""
    return type(value) is str


def flag(value: object) -> bool:
    """true or false."""
    return type(value) is bool


def texts(value: object) -> bool:
    """A list of texts."""
    return isinstance(value, list) and all(type(item) is str for item in value)


def status(value: object) -> bool:
    """An exit status from 0 to 255, or minus a signal."""
    return type(value) is int and -64 <= value <= 255


def version_known(value: object) -> bool:
    """The version of records that this program reads."""
    return type(value) is int and value == VERSION


def ip_version(value: object) -> bool:
    """4 or 6."""
    return type(value) is int and value in (4, 6)


def or_null(check: Check) -> Check:
    """What `check` takes, or null."""
    return lambda value: value is None or check(value)


def one_of(*words: str) -> Check:
    """One of some words."""
    return lambda value: type(value) is str and value in words


EDGES = ("begin", "end")
OUTCOMES = ("reached", "absent", "fell-back", "time-of-check", "setuid", "elsewhere")
HOWS = ("seccomp", "kernel, on behalf of")
"""How the owner of a frame became known."""

OPTIONAL: Mapping[str, Mapping[str, Check]] = {"begin": {"hostname": text}}
"""Fields that a record may leave out; what they must be if they are there."""

KINDS: Mapping[str, Mapping[str, Check]] = {
    "begin": {
        "version": version_known,
        "rung": one_of(*Rung),
        "network": one_of(*Network),
        "recorder": one_of("run", "attach"),
        "command": text,
        "own_addresses": texts,
        "resolvers": texts,
        "home": one_of("overlay", "fresh", "real"),
        "cannot_see": texts,
    },
    "process": {
        "id": positive,
        "pid": natural,
        "start_time": natural,
        "exe": text,
        "cmdline": or_null(text),
        "parent": or_null(positive),
        "role": one_of(*Role),
    },
    "exe": {"path": text, "sha256": or_null(text)},
    "exec": {"process": positive},
    "attempt": {
        "process": natural,  # 0 where it is not known who called
        "call": text,
        "family": text,
        "type": text,
        "address": or_null(text),
        "port": or_null(natural),
        "denied": or_null(text),
    },
    "attempt-more": {"attempt": natural, "count": positive},
    "outcome": {"attempt": natural, "outcome": one_of(*OUTCOMES)},
    "attempts-dropped": {"count": natural},
    "owner": {"frame": positive, "process": positive, "how": one_of(*HOWS)},
    "unattributed": {"frame": positive},
    "unattributed-count": {"count": natural},
    "name": {"host": text, "address": text, "frame": natural},
    "phase": {
        "phase": text,
        "proof": one_of("command", "ready", "exercise", "self"),
        "edge": one_of(*EDGES),
    },
    "probe": {
        "when": one_of("before", "after"),
        "by": one_of("address", "name"),
        "version": ip_version,
        "nonce": text,
        "frame": or_null(positive),
        "noticed": flag,
    },
    "setting": {
        "kind": one_of("condition", "endpoint"),
        "name": text,
        "value": text,
        "meaning": text,
    },
    "removed": {"name": text},
    "stamp": {"path": text, "product": text, "hidden": flag},
    "library": {
        "process": positive,
        "module": text,
        "product": text,
        "version": or_null(text),
        "how": one_of(*(how for how in VersionHow if how.is_seen)),
        "source": text,
    },
    "model-file": {"path": text, "size": or_null(natural), "sha256": or_null(text)},
    "written": {"path": text, "size": or_null(natural)},
    "written-beyond": {"count": natural},
    "socket-reachable": {"path": text},
    "cannot-see": {"text": text},
    "exited": {"status": status},
    "tree-ended": {},
    "watched-until": {"by": one_of("tree", "observed", "interrupted", "killed")},
    "loss": {"interface": text, "received": natural, "dropped": or_null(natural)},
    "end": {},
}
