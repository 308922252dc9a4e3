"""System calls that left no packet in the capture, and what our own helpers did."""

from collections import Counter
from collections.abc import Iterator

from egress_audit.model.audit import Audit, Kind, Observation
from egress_audit.model.destination import Absent
from egress_audit.model.run import IP_FAMILIES, Attempt, Role, Run
from egress_audit.report.section import Entry, Section
from egress_audit.report.words import counted, listed, number, protocol

MAX_ATTEMPTS = 20
ROUTE = "route probe, no packet, no effect"
NO_PACKET = "no packet"
JOINED = "group joined, as the kernel reports by packets of its own"
SERVING = ("bind", "listen")
JOINING = "setsockopt"
"""Recorded only where it joins a multicast group."""


def attempts_section(audit: Audit, run: Run) -> Section | None:
    """The program's calls that are not in the capture; None if there are none."""
    found = list(_without_packet(audit, run))
    if not found:
        return None
    by_id = {process.id: process for process in run.processes}
    lines: dict[str, list[str]] = {}
    for attempt in found[:MAX_ATTEMPTS]:
        sender = by_id.get(attempt.process)
        who = f"{sender.exe} (pid {sender.pid})" if sender else "an unknown process"
        lines.setdefault(who, []).append(_told(attempt))
    entries = [Entry(who, tuple(told)) for who, told in lines.items()]
    if len(found) > MAX_ATTEMPTS:
        more = f"and {number(len(found) - MAX_ATTEMPTS)} more: --format json"
        entries.append(Entry("…", (more,)))
    return Section("Attempts without a packet", tuple(entries), f"{number(len(found))}")


def helpers_section(audit: Audit, run: Run) -> Section | None:
    """What was sent on our own behalf, a line a role; None if nothing was."""
    recording = audit.coverage.recording
    if isinstance(recording, Absent) or not recording.not_the_programs:
        return None
    entries = []
    for role, flows in recording.not_the_programs.items():
        rows = [seen for seen in audit.observations if _role(seen) == role]
        ends = Counter(_end(seen) for seen in rows if seen.kind is Kind.CONTACT)
        said = f"{counted(flows, 'flow')}, to {listed(list(ends), 6)}" if ends else ""
        entries.append(Entry(role, (said or counted(flows, "flow"),)))
    return Section("Not the program's", tuple(entries), "ours; in no finding and no blind spot")


def _role(seen: Observation) -> str:
    return "" if isinstance(seen.owner, Absent) else seen.owner.role.value


def _end(seen: Observation) -> str:
    address = f"[{seen.far_h}]" if ":" in str(seen.far_h) else str(seen.far_h)
    port = "" if isinstance(seen.far_p, Absent) else f":{seen.far_p}"
    return f"{address}{port}/{protocol(seen.proto)}"


def _without_packet(audit: Audit, run: Run) -> Iterator[Attempt]:
    """Attempts of the program that no contact of it stands for."""
    roles = {process.id: process.role for process in run.processes}
    sent = {
        (seen.far_h, seen.far_p)
        for seen in audit.observations
        if seen.kind is Kind.CONTACT and not seen.by_helper
    }
    for attempt in run.attempts:
        if roles.get(attempt.process, Role.TARGET) is not Role.TARGET or attempt.call in SERVING:
            continue
        if attempt.family in IP_FAMILIES and (attempt.address, attempt.port) in sent:
            continue
        yield attempt


def _told(attempt: Attempt) -> str:
    """`connect 1.2.3.4:443 (stream), 3 times: refused with EACCES`."""
    where = "" if isinstance(attempt.address, Absent) else f" {attempt.address}"
    if attempt.family == "AF_INET6" and where:
        where = f" [{attempt.address}]"
    if where and not isinstance(attempt.port, Absent):
        where += f":{attempt.port}"
    kind = " ".join(word for word in (attempt.family, attempt.type) if word)
    times = f", {counted(attempt.count, 'time')}" if attempt.count > 1 else ""
    return f"{attempt.call}{where}{f' ({kind})' if kind else ''}{times}: {_end_of(attempt)}"


def _end_of(attempt: Attempt) -> str:
    facts = []
    if not isinstance(attempt.denied, Absent):
        facts.append(f"refused with {attempt.denied}")
    if not isinstance(attempt.outcome, Absent):
        facts.append(attempt.outcome)
    if facts:
        return ", ".join(facts)
    if attempt.call == JOINING:
        return JOINED
    return ROUTE if attempt.asks_for_route else NO_PACKET
