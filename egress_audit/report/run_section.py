"""How a program was run: the command, what it met, for how long, and under which proofs."""

from collections import Counter
from collections.abc import Iterator

from egress_audit.model.audit import Audit, Owner
from egress_audit.model.destination import Absent
from egress_audit.model.run import ModelFile, Network, Phase, Role, Run, Rung, WrittenFile
from egress_audit.report.safe_text import clean, middle_cut
from egress_audit.report.section import Entry, Section
from egress_audit.report.words import counted, duration_text, first_of, listed, number

RUNG_WORDS = {
    Rung.TUN: "every packet and every system call (a network namespace with a TUN device)",
    Rung.VETH: "every packet and every system call (a network namespace with a veth pair)",
    Rung.CALLS: "system calls alone, no packets",
    Rung.POLLING: "tables of sockets, looked at again and again; short connections are missed",
}
NETWORK_WORDS = {
    Network.SEALED: "sealed: every attempt was refused",
    Network.SIMULATED: "simulated: names, connections and requests were answered by us, and "
    "nothing was passed on",
    Network.OPEN: "open: the real network",
}
HOME_WORDS = {
    "overlay": "the user's own, under a layer that took every change and was thrown away",
    "fresh": "an empty one",
    "real": "the user's own",
}
ENDED_WORDS = {
    "tree": "by itself, with its last process",
    "observed": "by us, when the time was up",
    "interrupted": "by the user, who interrupted it",
    "killed": "when its sandbox was killed from outside, and every process in it",
    "lost": "nobody knows how: the record stops in the middle",
}
PROOF_WORDS = {
    "command": "the command ended with 0, or was alive at the end",
    "ready": "found ready",
    "exercise": "exercised, with the expected output",
    "self": "said by the program itself, which proves nothing alone",
}
MAX_FILES = 10
MAX_WRITTEN = 8
CACHES = (".cache", "__pycache__", "cache", "caches", ".npm", ".cargo", ".nv", ".triton")
"""Names of folders in which a program keeps what it could make again."""
SHORT_HASH = 16
LONGEST_SENDER = 240
"""Columns of a line that tells a process."""


def run_section(audit: Audit, run: Run) -> Section:
    """The run in a few lines."""
    texts = [
        ("Command", (run.command, f"it {status_text(run)}")),
        ("Recorded", (RUNG_WORDS[run.rung],)),
        ("Network", (NETWORK_WORDS[run.network],)),
        ("Watched for", (_watched(audit, run),)),
        ("Home", (HOME_WORDS.get(run.home, run.home),)),
        ("Phases", tuple(_phase(phase, audit) for phase in run.phases)),
        ("Control", (_probes(audit),)),
        ("Loss", (_loss(run),)),
        ("Processes", (_processes(run),)),
        ("Senders", first_of(list(_senders(audit)), MAX_FILES)),
        ("Models opened", first_of([_model(file) for file in run.model_files], MAX_FILES)),
    ]
    return Section("How it was run", tuple(Entry(term, lines) for term, lines in texts if lines))


def status_text(run: Run) -> str:
    """`ended with exit status 0`, `was ended by signal 9`, `was alive when watching ended`."""
    if run.alive_at_end:
        return "was alive when watching ended"
    if isinstance(run.exit_status, Absent):
        return "ended in a way that is not known"
    if run.exit_status < 0:
        return f"was ended by signal {-run.exit_status}"
    return f"ended with exit status {run.exit_status}"


def _watched(audit: Audit, run: Run) -> str:
    wanted = audit.claim.require.observe_ns
    asked = f"; the profile asks for {duration_text(wanted)}" if wanted else ""
    ended = ENDED_WORDS.get(run.ended_by, run.ended_by)
    return f"{duration_text(run.observed_ns)}{asked}; ended {ended}"


def _phase(phase: Phase, audit: Audit) -> str:
    """A phase with its proof; of one that is not proven, that it is not."""
    proof = PROOF_WORDS.get(phase.proof, phase.proof)
    if phase.proof != "self" and phase.word not in audit.coverage.phases:
        proof = "not proven"
    if isinstance(phase.end_ns, Absent):
        return f"{phase.word}, to the end: {proof}"
    return f"{phase.word}, {duration_text(phase.end_ns - phase.begin_ns)}: {proof}"


def _probes(audit: Audit) -> str:
    """The positive control in one line."""
    coverage = audit.coverage
    if isinstance(coverage.probes, Absent) or isinstance(coverage.recording, Absent):
        return "none"
    found = f"{counted(coverage.probes, 'probe')} found in the capture"
    missing = coverage.recording.missing_probes
    if missing:
        return f"{found}; missing: {listed(missing, 4)}"
    return f"{found}, before and after the program: what it sends is recorded"


def _loss(run: Run) -> str:
    """What each interface lost."""
    return (
        ", ".join(
            f"{name} unknown" if isinstance(lost, Absent) else f"{name} {counted(lost, 'frame')}"
            for name, lost in sorted(run.drops.items())
        )
        or "unknown"
    )


def _processes(run: Run) -> str:
    """How many there were, by whose they are, and how many executables."""
    program = {process.pid for process in run.processes if process.role is Role.TARGET}
    ours = {(p.role.value, p.pid) for p in run.processes if p.role.is_helper}
    helpers = Counter(role for role, _ in ours)
    executables = len({p.exe for p in run.processes if p.role is Role.TARGET} - _before_exec(run))
    told = ", ".join(counted(count, role) for role, count in sorted(helpers.items()))
    beside = f"; and of ours, which are not judged: {told}" if told else ""
    return (
        f"{counted(len(program), 'process', 'processes')} of the program, "
        f"{counted(executables, 'executable')}{beside}"
    )


def _before_exec(run: Run) -> set[str]:
    """The executable as which the command's process was forked, before it became the command."""
    ours = {process.id for process in run.processes if process.role is Role.RECORDER}
    forked: dict[int, list[str]] = {}
    for process in run.processes:
        if process.role is Role.TARGET and process.parent in ours:
            forked.setdefault(process.pid, []).append(process.exe)
    first = {exes[0] for exes in forked.values() if len(exes) > 1}
    rest = [p.exe for p in run.processes if p.role is Role.TARGET and p.parent not in ours]
    return first - {*rest, *(exe for exes in forked.values() for exe in exes[1:])}


def _senders(audit: Audit) -> Iterator[str]:
    """Whoever sent something of the program's, with path, hash and arguments."""
    told: dict[tuple[str, str | Absent], Owner] = {}
    for seen in audit.observations:
        owner = seen.owner
        if not isinstance(owner, Absent) and not seen.by_helper:
            told.setdefault((owner.exe, owner.cmdline), owner)
    for owner in told.values():
        command = "" if isinstance(owner.cmdline, Absent) else f": {owner.cmdline}"
        line = f"pid {owner.pid} {owner.exe}, {_hash(owner.exe_sha256)}{command}"
        yield middle_cut(clean(line), LONGEST_SENDER)


def _model(file: ModelFile) -> str:
    size = "size unknown" if isinstance(file.size, Absent) else counted(file.size, "byte")
    return f"{file.path}, {size}, {_hash(file.sha256)}"


def _hash(sha256: str | Absent) -> str:
    return "not hashed" if isinstance(sha256, Absent) else f"sha256 {sha256[:SHORT_HASH]}…"


def written_section(run: Run) -> Section:
    """The files that the run left: outside of caches first, then the largest; and how many."""
    shown = sorted(run.written_files, key=_least_worth_a_look)[:MAX_WRITTEN]
    lines = [
        f"{file.path}, size unknown"
        if isinstance(file.size, Absent)
        else f"{file.path}, {counted(file.size, 'byte')}"
        for file in shown
    ]
    total = len(run.written_files) + run.written_beyond
    if total > len(shown):
        lines.append(f"… and {number(total - len(shown))} more: --format json")
    note = f"{counted(total, 'file')}; what is queued there may be sent another day"
    return Section("Files written", (Entry("Files", tuple(lines)),), note)


def _least_worth_a_look(file: WrittenFile) -> tuple[bool, int, str]:
    """Sorts what a person would look at to the front."""
    cached = any(part.lower() in CACHES for part in file.path.split("/"))
    return cached, 0 if isinstance(file.size, Absent) else -file.size, file.path
