"""System calls that left no packet in the capture, and what our own helpers did."""

from collections import Counter
from collections.abc import Iterator, Mapping

from egress_audit.model.audit import Audit, Kind, Observation
from egress_audit.model.destination import Absent
from egress_audit.model.run import IP_FAMILIES, Attempt, Process, Role, Run
from egress_audit.report.section import Entry, Section
from egress_audit.report.words import counted, listed, number, protocol

MAX_ATTEMPTS = 20
NO_PACKET = "no packet"
JOINED = "group joined, as the kernel reports by packets of its own"
WITHIN_REACH = "processes of the host can reach it there"
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
    routes = [attempt for attempt in found if _is_route(attempt)]
    others = [attempt for attempt in found if not _is_route(attempt)]
    for attempt in others[:MAX_ATTEMPTS]:
        lines.setdefault(_who(by_id.get(attempt.process)), []).append(_told(attempt))
    entries = [Entry(who, tuple(told)) for who, told in lines.items()]
    if len(others) > MAX_ATTEMPTS:
        more = f"and {number(len(others) - MAX_ATTEMPTS)} more: --format json"
        entries.append(Entry("…", (more,)))
    if routes:
        entries.append(Entry("Route probes", (_routes(routes, by_id),)))
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
        if roles.get(attempt.process, Role.TARGET) is not Role.TARGET:
            continue
        if attempt.call in SERVING and attempt.outcome != "reached":
            continue
        if attempt.family in IP_FAMILIES and (attempt.address, attempt.port) in sent:
            continue
        yield attempt


def _told(attempt: Attempt) -> str:
    """`connect 1.2.3.4:443 (stream), 3 times: refused with EACCES`."""
    where = _where(attempt)
    kind = " ".join(word for word in (attempt.family, attempt.type) if word)
    times = f", {counted(attempt.count, 'time')}" if attempt.count > 1 else ""
    return f"{attempt.call}{where}{f' ({kind})' if kind else ''}{times}: {_end_of(attempt)}"


def _where(attempt: Attempt) -> str:
    """` 1.2.3.4:443`; '' if there is no address."""
    where = "" if isinstance(attempt.address, Absent) else f" {attempt.address}"
    if attempt.family == "AF_INET6" and where:
        where = f" [{attempt.address}]"
    if where and not isinstance(attempt.port, Absent):
        where += f":{attempt.port}"
    return where


def _who(sender: Process | None) -> str:
    return f"{sender.exe} (pid {sender.pid})" if sender else "an unknown process"


def _is_route(attempt: Attempt) -> bool:
    """True for a connect that only asked for a route, and of which nothing else is known."""
    nothing_else = isinstance(attempt.denied, Absent) and isinstance(attempt.outcome, Absent)
    return attempt.asks_for_route and nothing_else


def _routes(routes: list[Attempt], by_id: Mapping[int, Process]) -> str:
    """All of them in one line, since programs make them by the hundred."""
    ends = list(dict.fromkeys(_where(attempt).strip() for attempt in routes))
    senders = {_who(by_id.get(attempt.process)) for attempt in routes}
    by = senders.pop() if len(senders) == 1 else counted(len(senders), "process", "processes")
    calls = counted(sum(attempt.count for attempt in routes), "connect")
    return f"{calls} by {by}, to {listed(ends, 4)}: no packet, no effect"


def _end_of(attempt: Attempt) -> str:
    facts = []
    if not isinstance(attempt.denied, Absent):
        facts.append(f"refused with {attempt.denied}")
    if not isinstance(attempt.outcome, Absent):
        serves = attempt.call in SERVING and attempt.outcome == "reached"
        facts.append(WITHIN_REACH if serves else attempt.outcome)
    if facts:
        return ", ".join(facts)
    return JOINED if attempt.call == JOINING else NO_PACKET
