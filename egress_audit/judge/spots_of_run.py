"""Blind spots of every capture, since it knows nothing of the program. Assertions lift them."""

from egress_audit.judge.blind_spots import Spot, always, never, some
from egress_audit.judge.case import Case
from egress_audit.judge.phases import open_phases
from egress_audit.model.destination import Absent
from egress_audit.periods import DAY_NS

RUN = "audit the program itself with `egress-audit run`"
OLD_NS = 90 * DAY_NS  # In as long about one address in a hundred changes its AS.


def _foreign(case: Case) -> int | None:
    """Not made by us: such evidence has no probes."""
    return 0 if case.coverage.probes is Absent.NOT_APPLICABLE else None


def _half_seen(case: Case) -> int | None:
    """Not made by us, or by a rung that sees packets or system calls alone."""
    if isinstance(case.run, Absent) or case.run.rung.sees_all:
        return _foreign(case)
    return 0


def _start(case: Case) -> int | None:
    if isinstance(case.run, Absent):
        return _foreign(case)
    return None if case.run.seen_from_start else 0


def _end(case: Case) -> int | None:
    if isinstance(case.run, Absent):
        return _foreign(case)
    return None if case.run.seen_to_end else 0


def _no_frames(case: Case) -> int | None:
    return None if case.coverage.frames else 0


def _probes(case: Case) -> int | None:
    if not case.claim.require.probes:
        return None
    recording, seen = case.coverage.recording, case.coverage.probes
    if isinstance(recording, Absent):
        return None if not isinstance(seen, Absent) and seen > 0 else 0
    return len(recording.missing_probes) or None


def _which_probes(case: Case) -> str:
    recording = case.coverage.recording
    missing = () if isinstance(recording, Absent) else recording.missing_probes
    return f"; missing: {some(missing)}" if missing else ""


def _observation(case: Case) -> int | None:
    return _foreign(case) if case.claim.require.observe_ns else None


def _phases(case: Case) -> int | None:
    required = set(case.claim.require.phases) - set(case.coverage.phases)
    return len(required) if required else None


def _which_phases(case: Case) -> str:
    run, proven = case.run, case.coverage.phases
    return "" if isinstance(run, Absent) else open_phases(case.claim.require.phases, proven, run)


def _owners(case: Case) -> int | None:
    return None if case.owners_known else 0


def _host_sockets(case: Case) -> int | None:
    """Knowing who sent is not knowing who asked for it."""
    return 0 if not case.owners_known or _half_seen(case) is not None else None


def _scope(case: Case) -> int | None:
    return 0 if case.claim.scope == "process-tree" and not case.owners_known else None


def _kernel(case: Case) -> int | None:
    sent = sum(seen.pkts_out for seen in case.contacts() if case.is_link_maintenance(seen))
    return sent if sent and not case.owners_known else None


def _kernel_matters(case: Case) -> bool:
    return not case.claim.allow.everything


def _drops(case: Case) -> int | None:
    return 0 if isinstance(case.coverage.drops, Absent) else None


def _filter(case: Case) -> int | None:
    if not isinstance(case.run, Absent):
        return None
    interfaces = case.coverage.interfaces
    unknown = [i for i in interfaces if isinstance(i.capture_filter, Absent)]
    return len(unknown) if unknown or not interfaces else None


def _old_lists(case: Case) -> int | None:
    ages = [case.list_age_ns(used) for used in (*case.lists, *case.catalogue)]
    old = [age for age in ages if not isinstance(age, Absent) and age > OLD_NS]
    return max(old) // DAY_NS if old else None


def _whole_run(case: Case) -> bool:
    return case.claim.require.whole_run


SPOTS_OF_RUN: tuple[Spot, ...] = (
    Spot(
        "no-frames",
        "An empty capture",
        "the capture holds no frame, so nothing in it shows that recording worked",
        "probe packets, or any frame",
        "whole-run",
        "every claim",
        RUN,
        _no_frames,
        always,
    ),
    Spot(
        "start-unknown",
        "When recording began",
        "nothing shows that recording began before the program started",
        "a recording that notes when the program started",
        "whole-run",
        "claims that require the whole run",
        RUN,
        _start,
        _whole_run,
    ),
    Spot(
        "end-unknown",
        "When recording ended",
        "nothing shows that recording went on until the program's last process had ended",
        "a recording that notes when the last process ended",
        "whole-run",
        "claims that require the whole run",
        RUN,
        _end,
        _whole_run,
    ),
    Spot(
        "probes-missing",
        "No proof that packets would have been seen",
        "no probe packets of known content show that a packet would have been recorded{what}",
        "probes sent beside the program and found in the capture",
        "whole-run",
        "claims that require probes",
        RUN,
        _probes,
        always,
        _which_probes,
    ),
    Spot(
        "observation-unknown",
        "How long the program was watched",
        "nothing shows for how long the program was watched; telemetry may start after hours",
        "a recording with the times of the program",
        "whole-run",
        "claims that require a time of observation",
        RUN,
        _observation,
        always,
    ),
    Spot(
        "phases-unproven",
        "Whether the program did its work",
        "nothing shows that the program went through what the claim requires; phases: "
        "{count}{what}",
        "an exercise with an expected result",
        "exercised",
        "claims that require phases",
        "audit the program with `egress-audit run`, and use it with --exercise and --expect",
        _phases,
        always,
        _which_phases,
        "see why the command ended as it did, or use it with --exercise and --expect",
    ),
    Spot(
        "environment-unknown",
        "Under which settings it ran",
        "nothing says with which settings, caches and opt-outs the program ran; a fresh cache "
        "stamp or a CI variable can silence it",
        "a recording of the environment",
        "exercised",
        "every claim",
        RUN,
        _foreign,
        always,
    ),
    Spot(
        "owners-unknown",
        "Who sent",
        "nothing says which process sent what, or that the program's own host is in the capture",
        "process records of a recorder that is trusted",
        "single-host",
        "every claim",
        RUN,
        _owners,
        always,
    ),
    Spot(
        "scope-without-owners",
        "A claim about processes, a capture without them",
        "the claim speaks of a process tree, and the capture names no process",
        "process records of a recorder that is trusted",
        "single-host",
        "claims with `scope: process-tree`",
        RUN,
        _scope,
        always,
    ),
    Spot(
        "host-sockets-unknown",
        "Helpers on the same host",
        "a process outside the program could have sent for it, asked through a local socket or "
        "file",
        "a recording of the sockets and files that the program reached",
        "single-host",
        "every claim",
        RUN,
        _host_sockets,
        always,
    ),
    Spot(
        "kernel-packets",
        "Packets of the kernel",
        "packets of neighbour discovery, MLD or IGMP, which kernels send by themselves, and "
        "nothing says that these were: {count}",
        "process records of a recorder that is trusted",
        "single-host",
        "claims that do not allow every destination",
        RUN,
        _kernel,
        _kernel_matters,
    ),
    Spot(
        "drops-unknown",
        "Loss",
        "the file does not say how many frames were lost; unknown is not zero",
        "drop counts of every interface (pcapng, isb_ifdrop)",
        "no-drops",
        "every claim",
        "record as pcapng with interface statistics, for instance with dumpcap",
        _drops,
        always,
    ),
    Spot(
        "interfaces-unknown",
        "Other ways off the machine",
        "nothing shows that these interfaces were the only way off the machine, nor what was asked "
        "of a resolver or proxy over loopback",
        "a recording in which there is no other way",
        "all-interfaces",
        "every claim",
        RUN,
        _half_seen,
        always,
    ),
    Spot(
        "attempts-unseen",
        "Attempts without a packet",
        "an attempt that was refused before it became a packet (no route, a firewall) leaves none",
        "a recording of system calls",
        "all-interfaces",
        "every claim",
        RUN,
        _half_seen,
        always,
    ),
    Spot(
        "filter-unknown",
        "Capture filter",
        "the file does not say whether a capture filter left frames out; interfaces: {count}",
        "a recorded filter that is empty by a recorder that always records it",
        "unfiltered",
        "every claim",
        "record without a filter, and say so",
        _filter,
        always,
    ),
    Spot(
        "lists-old",
        "Age of the lists",
        "the lists are of another time than the capture (4 % of addresses change their AS in 14 "
        "months, and programs change whom they call); days: {count}",
        "lists of the time of the capture",
        Absent.NOT_APPLICABLE,
        "no claim by itself; see `lists-stale`",
        "use lists of that time",
        _old_lists,
        never,
    ),
)
