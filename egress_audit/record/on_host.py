"""The program's view of the host on rungs without namespaces: as it is, and what that costs."""

import os
import time
from collections.abc import Mapping

import psutil

from egress_audit.model.run import Network, Rung
from egress_audit.record.home import real_home
from egress_audit.record.plan import Prepared
from egress_audit.record.private_folders import gpu_devices
from egress_audit.record.privileges import become
from egress_audit.record.stamps import stamps

CALLS = (
    "packets: none is seen on this rung, so what a call led to is not known",
    "names: a question of DNS is refused before it is asked, and its name is not read",
    "datagrams and streams on descriptors that the program was started with (0, 1, 2)",
    "what it would have done next: nothing answers it but its own servers",
)
CALLS_IN_THE_OPEN = (
    "packets: none is seen on this rung, so neither names, contents nor amounts are known",
    "a call whose arguments are changed while it waits: what was asked for is noted, not done",
    "sends on sockets that are connected, and the names that are asked through them",
)
POLLING = (
    "anything short: sockets are looked at every few milliseconds, and a connection that lives for "
    "less is missed (measured: 1 of 1000 was seen)",
    "packets, names, datagrams without a connection, unix sockets, refusals, files and io_uring",
)
EVERY = (
    "HOME, /tmp and every other folder are the host's own; files left there are listed as far as "
    "their opening was seen, and others may read them later",
    "clients of this host that call a server of the program: they reach it directly",
    "other processes of the same user, which the program could ask or make to send for it",
)
LOCAL = (
    "a call that is changed while it waits could reach a server of this machine, never another "
    "machine",
)
OWN_EVIDENCE = "the program runs as the user who keeps the evidence, and could change it"


def as_it_is(prepared: Prepared, *, other_user: bool) -> Mapping[str, object]:
    """Becomes the program's user, and says what it finds; values that JSON can carry.

    other_user: whether we are root, who keeps the evidence out of the program's reach.
    """
    become(prepared.user)
    os.chdir(prepared.folder)
    found = stamps(
        os.path.realpath(prepared.user.home), prepared.environment.variables, time.time()
    )
    notes = [] if other_user else [OWN_EVIDENCE]
    if not os.access(prepared.user.home, os.X_OK):
        notes.append(f"HOME, {prepared.user.home}, is closed to {prepared.user.name}")
    told = real_home(found).stamps
    return {
        "home": "real",
        "stamps": [[stamp.path, stamp.product, stamp.hidden] for stamp in told],
        "gpus": list(gpu_devices()),
        "notes": notes,
    }


def blindness_of(rung: Rung, network: Network) -> list[str]:
    """What a rung cannot see, in words for people; [] for those that see all."""
    if rung.sees_all:
        return []
    if rung is Rung.POLLING:
        return [*POLLING, *EVERY]
    if network is Network.OPEN:
        return [*CALLS_IN_THE_OPEN, *EVERY]
    return [*CALLS, *LOCAL, *EVERY]


def network_of(rung: Rung, network: Network) -> Network:
    """What the program really met: a rung without packets cannot answer, only refuse."""
    if network is Network.SIMULATED and not rung.sees_all:
        return Network.SEALED
    return network


def own_addresses() -> list[str]:
    """Addresses of this host, loopback aside; IPv6 without its zone."""
    found: dict[str, None] = {}
    for addresses in psutil.net_if_addrs().values():
        for one in addresses:
            text = one.address.partition("%")[0]
            if one.family.name in ("AF_INET", "AF_INET6") and text not in ("127.0.0.1", "::1"):
                found[text] = None
    return list(found)
