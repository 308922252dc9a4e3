"""What is made and started inside the sandbox of one plan: its network, its files, its jobs."""

import os
import socket
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from egress_audit.errors import EgressAuditError
from egress_audit.model.run import Network, Role
from egress_audit.record.idmap import idmapped_home
from egress_audit.record.init import Job
from egress_audit.record.jobs import EXERCISE, PROBES, READY, RELAY, TARGET
from egress_audit.record.on_host import as_it_is
from egress_audit.record.phases import PLACE, VARIABLE
from egress_audit.record.plan import Prepared, RunPlan
from egress_audit.record.privileges import become
from egress_audit.record.probe import Expected, send
from egress_audit.record.progress import READY_S
from egress_audit.record.publish import Publisher, relay
from egress_audit.record.ready import wait_until_ready
from egress_audit.record.setup import (
    ADDRESS4,
    ADDRESS6,
    HOSTNAME,
    Mounted,
    Setup,
)
from egress_audit.record.syscalls import (
    CAP_SYS_ADMIN,
    CLONE_NEWNS,
    MS_PRIVATE,
    MS_REC,
    mount,
    unshare,
)
from egress_audit.record.tun import TUN_NODE, make_node
from egress_audit.record.view import Wanted, make_view
from egress_audit.record.way_on import mtu_of, resolvers_of

SHELL = "/bin/sh"


def _own_addresses(plan: RunPlan) -> tuple[str, ...]:
    return (ADDRESS4, ADDRESS6) if plan.ipv6 else (ADDRESS4,)


def setup_of(
    prepared: Prepared,
    bundle: str,
    before: tuple[Expected, ...],
    after: tuple[Expected, ...],
    output: int,
    publisher: Publisher | None = None,
) -> Setup:
    """The sandbox of a plan. output: takes what the exerciser prints."""
    plan = prepared.plan
    notes: list[str] = []
    return Setup(
        plan.rungs,
        _jobs(prepared, before, after, output, publisher),
        ipv6=plan.ipv6,
        mtu=mtu_of(plan),
        as_root=_as_root(prepared, notes) if os.geteuid() == 0 else None,
        mounts=lambda: _mounts(prepared, bundle, notes),
        keep=plan.keep_capabilities,
        is_open=plan.network is Network.OPEN,
        on_host=lambda: as_it_is(prepared, other_user=os.geteuid() == 0),
    )


def _jobs(
    prepared: Prepared,
    before: tuple[Expected, ...],
    after: tuple[Expected, ...],
    output: int,
    publisher: Publisher | None,
) -> Mapping[str, Job]:
    variables = {**prepared.environment.variables, VARIABLE: PLACE}
    jobs = {
        PROBES["before"]: Job(Role.PROBE, function=lambda: send(before)),
        PROBES["after"]: Job(Role.PROBE, function=lambda: send(after)),
        TARGET: Job(Role.TARGET, prepared.plan.command, variables, prepared.folder),
    }
    if prepared.ready is not None:
        endpoint = prepared.ready
        jobs[READY] = Job(
            Role.EXERCISER, function=lambda: wait_until_ready(endpoint, READY_S), background=True
        )
    if publisher is not None:
        orders = publisher.theirs
        jobs[RELAY] = Job(
            Role.CLIENT,
            function=lambda: relay(orders),
            background=True,
            descriptors=(orders.fileno(),),
        )
    if prepared.plan.exercise is not None:
        words = (SHELL, "-c", prepared.plan.exercise)
        jobs[EXERCISE] = Job(Role.EXERCISER, words, variables, prepared.folder, output)
    return jobs


def _as_root(prepared: Prepared, notes: list[str]) -> Callable[[], None]:
    """Makes the device and HOME usable for an ordinary user, and becomes that user.

    Adds to `notes` what could not be shown of HOME.
    """
    user = prepared.user

    def as_root() -> None:
        try:
            unshare(CLONE_NEWNS)
        except PermissionError:
            become(user)  # Root of a container without CAP_SYS_ADMIN: an ordinary user may do more.
            return
        mount(None, "/", None, MS_REC | MS_PRIVATE)
        with suppress(OSError):  # Not to be had in some containers: a veth pair may be.
            # Without it the node would have to stay where it was made, over what is there.
            Path(TUN_NODE).stat()
            make_node(tempfile.gettempdir())
        try:
            notes.extend(idmapped_home(user.home, user.uid, user.gid))
        except EgressAuditError:
            if prepared.plan.home != "fresh":
                raise
        become(user, keep=1 << CAP_SYS_ADMIN)

    return as_root


def _mounts(prepared: Prepared, bundle: str, notes: list[str]) -> Mounted:
    """Makes the program's view of the file system, and says what became of it."""
    plan = prepared.plan
    view = make_view(
        Wanted(
            plan.home,
            prepared.user.home,
            plan.command,
            prepared.folder,
            prepared.environment.variables,
            resolvers_of(plan),
            plan.bind,
            own_names=dict.fromkeys(_own_addresses(plan), HOSTNAME),
            bundle=bundle,
        )
    )
    with suppress(PermissionError):
        socket.sethostname(HOSTNAME)
    Path(PLACE).touch()
    words = {
        "home": view.home_kind,
        "layers": [[layer.shown, sorted(layer.ours)] for layer in view.layers],
        "open_folders": list(view.open_folders),
        "evidence": os.path.realpath(bundle) if bundle else "",
        "stamps": [[stamp.path, stamp.product, stamp.hidden] for stamp in view.stamps],
        "gpus": list(view.gpus),
        "notes": [*notes, *view.notes],
    }
    return Mounted(words, tuple(layer.descriptor for layer in view.layers))
