"""What a sandbox is to be, and what can keep it from being made."""

import json
import os
import socket
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn

from egress_audit.errors import EgressAuditError
from egress_audit.model.run import OUR_RESOLVERS, Rung
from egress_audit.record.init import Job
from egress_audit.record.tun import TUN_NODE

ADDRESS4, ADDRESS6 = "10.87.0.2", "fd00:e6e4::2"
"""The sandbox's own."""
HOSTNAME = "sandbox"
"""Its name, in place of the host's, which is nobody's business."""
RESOLVER4, RESOLVER6 = OUR_RESOLVERS


class NoNamespaces(EgressAuditError):
    """This host does not let us make the namespaces of a sandbox."""


class NoDevice(EgressAuditError):
    """There are namespaces, but no device whose packets we could read."""


class NoFilter(EgressAuditError):
    """This host does not let us watch system calls."""


def confess(
    control: socket.socket,
    error: EgressAuditError | OSError,
    kind: type[EgressAuditError] = EgressAuditError,
) -> None:
    """Tells the recorder, if it is there, why no sandbox can be made.

    kind: what an OSError is raised as there.
    """
    if isinstance(error, OSError):
        error = kind(f"{error.strerror}", where=str(error.filename or ""))
    words = {"failed": type(error).__name__, "what": error.what}
    words |= {"where": error.where, "hint": error.hint}
    with suppress(OSError):
        control.send(json.dumps(words).encode())


def leave(status: int) -> NoReturn:
    """Ends this process at once, in a `finally`; a bug is shown, which nobody above would see."""
    if sys.exc_info()[0] is not None:
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(status)


@dataclass(frozen=True, slots=True)
class Mounted:
    """What was made of the file system."""

    words: Mapping[str, object]
    """Values that JSON can carry."""
    descriptors: tuple[int, ...]
    """Open folders, which the recorder gets as descriptors of its own."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a sandbox is to be."""

    rungs: tuple[Rung, ...]
    """In the order in which to try them; those with devices, or one of the others (`ladder`)."""
    jobs: Mapping[str, Job]
    """What can be started inside, by name."""
    ipv6: bool = True
    tun_node: str = TUN_NODE
    as_root: Callable[[], None] | None = None
    """Done first, by a builder that is root: ends as the user whom the program runs as."""
    mounts: "Callable[[], Mounted]" = field(default=lambda: Mounted({}, ()))
    """Done inside the new mount namespace; what it returns comes back in `Sandbox.mounted`."""
    keep: int = 0
    """Capabilities that the program keeps inside its user namespace; bits."""
    mtu: int = 1500
    """Of the device."""
    is_open: bool = False
    """Whether the program is to have the real network."""
    on_host: Callable[[], Mapping[str, object]] = dict
    """Done instead of `as_root` and `mounts` where there are no namespaces: becomes the user, and
    says what `Mounted.words` would."""
