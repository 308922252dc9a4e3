"""Blind spots of attempts without a packet: what was asked of something that no capture shows."""

import re
from collections.abc import Callable, Iterator

from egress_audit.judge.attempts import (
    BELOW_TRANSPORT,
    ORDINARY_FAMILIES,
    SERVING,
    Port,
    absent_services,
    address_of,
    attempts_of_program,
)
from egress_audit.judge.blind_spots import Spot, always, count_of, never, some
from egress_audit.judge.case import Case
from egress_audit.model.destination import Absent
from egress_audit.model.protocols import UDP
from egress_audit.model.run import IP_FAMILIES, Attempt

NONE = Absent.NOT_APPLICABLE
UNREAD = "EFAULT"
"""How the recorder refuses what it cannot read, and nothing else."""
Picks = Callable[[Attempt], bool]


def _picked(case: Case, picks: Picks) -> list[Attempt]:
    return [attempt for attempt in attempts_of_program(case.run) if picks(attempt)]


def _count_of(picks: Picks) -> Callable[[Case], int | None]:
    """Present if the program made such an attempt; counts distinct ones."""
    return count_of(lambda case: _picked(case, picks))


def _told(picks: Picks, tell: Callable[[Attempt], str]) -> Callable[[Case], str]:
    """Which ones, in words."""
    return lambda case: some(tell(attempt) for attempt in _picked(case, picks))


def _reached(attempt: Attempt) -> bool:
    return attempt.outcome == "reached"


def _other_family(attempt: Attempt) -> bool:
    """Another family, let through or not; a raw or packet socket only where it was refused, since
    the capture shows what it sends."""
    if attempt.family in BELOW_TRANSPORT or (
        attempt.type == "raw" and attempt.family in IP_FAMILIES
    ):
        return _denied(attempt)
    if attempt.family == "AF_NETLINK":
        return _denied(attempt)
    return attempt.family not in ORDINARY_FAMILIES


def _denied(attempt: Attempt) -> bool:
    return not isinstance(attempt.denied, Absent)


def _io_uring(attempt: Attempt) -> bool:
    tried = attempt.call.startswith("io_uring") and _denied(attempt)
    return tried and attempt.outcome != "fell-back"


def _listener(attempt: Attempt) -> bool:
    return attempt.call == "seccomp" and _denied(attempt)


def _setuid(attempt: Attempt) -> bool:
    return attempt.outcome == "setuid"


def _changed(attempt: Attempt) -> bool:
    return attempt.outcome == "time-of-check"


def _elsewhere(attempt: Attempt) -> bool:
    """A call towards someone; a server that nobody calls tells nothing."""
    return attempt.outcome == "elsewhere" and attempt.call not in SERVING


def _unread(attempt: Attempt) -> bool:
    """An address was given and is none, or the recorder could not look and refused; a call without
    one sends where its socket is connected."""
    if attempt.denied == UNREAD:
        return True
    given = not isinstance(attempt.address, Absent)
    return given and attempt.wants_out and address_of(attempt) is None


def _where(attempt: Attempt) -> str:
    """The path, address or name that was called, or else the call."""
    if isinstance(attempt.address, Absent) or not attempt.address:
        return attempt.call
    return attempt.address


def _socket(attempt: Attempt) -> str:
    kind = f" {attempt.type}" if attempt.type == "raw" else ""
    return f"{attempt.family}{kind}"


def _services(case: Case) -> Iterator[str]:
    """The ports where nobody was, each with the variable that names it."""
    for host, port, proto in absent_services(case):
        variable = _variable_for(case, (host, port, proto))
        udp = "/udp" if proto == UDP else ""
        yield f"{host}:{port}{udp}{variable}"


def _variable_for(case: Case, service: Port) -> str:
    """`, named by HTTPS_PROXY` if an endpoint variable names the port; else ''."""
    if isinstance(case.run, Absent):
        return ""
    port = re.compile(rf":{service[1]}(?![0-9])")
    named = [setting.name for setting in case.run.endpoints if port.search(setting.value)]
    return f", named by {some(named)}" if named else ""


def _absent(case: Case) -> int | None:
    return None if isinstance(case.run, Absent) else len(absent_services(case)) or None


def _reachable(case: Case) -> int | None:
    return None if isinstance(case.run, Absent) else len(case.run.reachable_sockets) or None


def _which_reachable(case: Case) -> str:
    return "" if isinstance(case.run, Absent) else some(case.run.reachable_sockets)


def _dropped(case: Case) -> int | None:
    return None if isinstance(case.run, Absent) else case.run.attempts_dropped or None


SPOTS_OF_ATTEMPTS: tuple[Spot, ...] = (
    Spot(
        "local-service-absent",
        "A local proxy or resolver that is not there",
        "ports of this machine that were called where nobody served; a proxy or resolver there "
        "would have been told what nothing shows: {count} ({what})",
        "a service of the tree at that port, at any time of the run",
        NONE,
        "every claim",
        "start the service in the run, or run without the setting that names it",
        _absent,
        always,
        lambda case: some(_services(case)),
    ),
    Spot(
        "host-socket-reached",
        "A socket of the host was reached",
        "sockets or FIFOs of the host that the program reached, or made where the host can reach "
        "them; what was said there, and done with it, is not in the capture: {count} ({what})",
        "no such connection, and what the program makes for itself in /tmp, which is its own",
        NONE,
        "every claim",
        "stop the service behind it, or hide its path, or have the program make its own in /tmp, "
        "and run again",
        _count_of(_reached),
        always,
        _told(_reached, _where),
    ),
    Spot(
        "host-sockets-reachable",
        "Sockets of the host within reach",
        "listening sockets of the host that the program could have reached, and did not: "
        "{count} ({what})",
        "no such socket in sight of the program",
        NONE,
        "no claim: reaching one would have been seen",
        "move them out of sight",
        _reachable,
        never,
        _which_reachable,
    ),
    Spot(
        "family-denied",
        "Sockets that lead past the network",
        "sockets of families that are not recorded, or below the transport, which were refused; "
        "what they would have sent is not known: {count} ({what})",
        "no such socket asked for",
        NONE,
        "every claim",
        "ask why the program wants one",
        _count_of(_other_family),
        always,
        _told(_other_family, _socket),
    ),
    Spot(
        "io-uring-denied",
        "Refused io_uring",
        "the program asked for io_uring, which no filter of system calls sees into, was refused, "
        "and was not seen to go on without it: {count}",
        "ordinary calls of the same process afterwards",
        NONE,
        "every claim",
        "switch io_uring off in the program's settings",
        _count_of(_io_uring),
        always,
    ),
    Spot(
        "listener-denied",
        "The program's own filter was refused",
        "the program wanted to answer system calls itself, as sandboxes do, and was refused: "
        "{count}",
        "no such filter asked for",
        NONE,
        "every claim",
        "switch the program's own sandbox off",
        _count_of(_listener),
        always,
    ),
    Spot(
        "setuid-ignored",
        "A program of another user",
        "programs that should have run as another user ran as the same one, and may have done less "
        "than they would: {count} ({what})",
        "no such program executed",
        NONE,
        "every claim",
        "run without the step that needs another user",
        _count_of(_setuid),
        always,
        _told(_setuid, _where),
    ),
    Spot(
        "time-of-check",
        "An address that changed under the call",
        "calls whose address was another when the kernel used it; packets show where they went, "
        "but what was refused does not: {count} ({what})",
        "no such call",
        NONE,
        "every claim",
        "ask why the program does that",
        _count_of(_changed),
        always,
        _told(_changed, _where),
    ),
    Spot(
        "network-elsewhere",
        "A network of the program's own",
        "calls in a network namespace that the program made for itself, whose packets are in no "
        "capture; what was said there, a question for a name too, is not known: {count} ({what})",
        "no such call",
        NONE,
        "every claim",
        "switch off the part of the program that isolates itself",
        _count_of(_elsewhere),
        always,
        _told(_elsewhere, _where),
    ),
    Spot(
        "addresses-unread",
        "Calls whose address could not be read",
        "calls to connect or send whose address could not be read: {count}",
        "readable addresses",
        NONE,
        "every claim",
        "ask why the program does that",
        _count_of(_unread),
        always,
    ),
    Spot(
        "attempts-dropped",
        "More attempts than are kept",
        "distinct system calls that were not kept, because there were too many: {count}",
        "fewer of them",
        NONE,
        "every claim",
        "run a shorter part of the work",
        _dropped,
        always,
    ),
)
