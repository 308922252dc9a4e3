"""What a replay costs, beside programs that read captures too: CPU seconds, and memory.

    python bench/replay.py [FOLDER] [--scale 1.0] [--rounds 3] [--without tshark ...]

Makes the captures in FOLDER (bench/out) that are not there yet. All programs read the same files in
the same rounds, one after the other, so that a busy machine slows each of them alike: medians and
ratios are what to compare. A ratio is the median of those of the rounds. Each program finds the
capture in memory: it is read once before every run, since what a disk costs is no program's merit
or fault, and what lay in memory a minute ago may be gone. Prints the tables of docs/performance.md.
Sends nothing; softflowd reports to a closed port of this machine.
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "bench" / "out"
SMALL_CAPTURES = 1000
READ_AT_ONCE = 1 << 20
SERVER_NAME = "tls.handshake.extensions_server_name"
ALL_NAMES = ("ip.src", "ip.dst", SERVER_NAME, "http.host", "dns.qry.name")
"""What a person asks tshark for who wants to know who was talked to."""
OURS = (str(Path(sys.executable).with_name("egress-audit")),)
"""As people start it."""
COMPILED = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""The environment in which programs are measured: as an installed package has its modules
compiled, ours are compiled before the first round, and read from there."""
FOLDER_OF_CAPTURES = """
import sys
from egress_audit.api import audit_capture
from egress_audit.classify.destination import embedded_classifier
lists = embedded_classifier()
for _ in range(int(sys.argv[2])):
    audit_capture(sys.argv[1], classifier=lists)
"""


@dataclass(frozen=True)
class Program:
    """A command line, in which {capture} and {out} (a folder of its own) are filled in."""

    name: str
    words: tuple[str, ...]
    gives: str

    @property
    def installed(self) -> bool:
        """Whether there is such a program."""
        return shutil.which(self.words[0]) is not None


TEXT = Program(
    "egress-audit replay", (*OURS, "replay", "{capture}"), "verdict, flows, names, classes"
)
JSON = Program(
    "… --format json", (*OURS, "replay", "{capture}", "--format", "json"), "the same as JSON"
)
UNHASHED = Program(
    "… --no-hash", (*OURS, "replay", "{capture}", "--no-hash"), "the same, but no sha256"
)
FLOWS = Program(
    "… --flows", (*OURS, "replay", "{capture}", "--flows", "{out}/flows"), "and every flow"
)
PEERS = (
    Program("ndpiReader -q", ("ndpiReader", "-q", "-i", "{capture}"), "flows, names, protocols"),
    Program("nfpcapd", ("nfpcapd", "-r", "{capture}", "-w", "{out}"), "one-way flows"),
    Program("argus", ("argus", "-r", "{capture}", "-w", "{out}/argus"), "flows"),
    Program(
        "softflowd",
        ("softflowd", "-d", "-r", "{capture}", "-n", "127.0.0.1:9995"),
        "flows, sent as NetFlow",
    ),
    Program("tcpdump", ("tcpdump", "-n", "-r", "{capture}", "tcp[13] = 2"), "a filter, no flows"),
    Program(
        "tshark, fields of SNI",
        ("tshark", "-n", "-r", "{capture}", "-T", "fields", "-e", SERVER_NAME),
        "server names, a line for each packet",
    ),
    Program(
        "… of hellos alone",
        ("tshark", "-n", "-r", "{capture}", "-Y", SERVER_NAME, "-T", "fields", "-e", SERVER_NAME),
        "server names",
    ),
    Program(
        "tshark, names of all kinds",
        ("tshark", "-n", "-r", "{capture}", "-T", "fields", *(f"-e{name}" for name in ALL_NAMES)),
        "names of TLS, HTTP, DNS, for each packet",
    ),
)


@dataclass
class Costs:
    """What one program cost, a value a round."""

    cpu_s: list[float] = field(default_factory=list)
    rss_mb: list[float] = field(default_factory=list)


def bring_into_memory(capture: Path) -> None:
    """Reads a file to its end, so that the system has it at hand."""
    part = bytearray(READ_AT_ONCE)
    with capture.open("rb", buffering=0) as stream:
        while stream.readinto(part):
            pass


def cost_of(words: Sequence[str], capture: Path) -> tuple[float, float]:
    """CPU seconds (user and system) and largest resident set in MB of one run.

    Raises SystemExit if the program failed; our exit codes of verdicts are no failures. A program
    smaller than this one (some 15 MB) is shown as large as this one, which started it.
    """
    bring_into_memory(capture)
    with tempfile.TemporaryDirectory(dir=capture.parent) as out, tempfile.TemporaryFile() as said:
        filled = [word.format(capture=capture, out=out) for word in words]
        if filled[1:2] == ["-c"]:
            filled = [*words[:3], *(word.format(capture=capture, out=out) for word in words[3:])]
        child = subprocess.Popen(
            filled,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=COMPILED,
        )
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in (0, 10, 11):
            said.seek(0)
            tail = said.read().decode(errors="replace")[-500:]
            raise SystemExit(f"bench: {filled[0]} ended with {child.returncode}: {tail}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def rounds_of(
    programs: Sequence[Program], capture: Path, rounds: int, slow: set[str]
) -> dict[Program, Costs]:
    """The costs of the programs, in interleaved rounds; those named in `slow` run in the first
    round alone."""
    costs = {program: Costs() for program in programs}
    for number in range(rounds):
        for program in programs:
            if number and program.words[0] in slow:
                continue
            cpu_s, rss_mb = cost_of(program.words, capture)
            costs[program].cpu_s.append(cpu_s)
            costs[program].rss_mb.append(rss_mb)
            print(f"  {program.name:24} {cpu_s:8.2f} CPU s", file=sys.stderr, flush=True)
    return costs


def ratio(ours: Costs, theirs: Costs) -> float:
    """Our CPU seconds by theirs, the median over the rounds in which both ran."""
    return statistics.median(a / b for a, b in zip(ours.cpu_s, theirs.cpu_s, strict=False) if b)


def peers_table(costs: dict[Program, Costs]) -> list[str]:
    """The comparison as lines of Markdown."""
    lines = [
        "| program | gives | CPU s | RSS MB | replay by it | without hash |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for program, cost in costs.items():
        cpu_s, rss_mb = statistics.median(cost.cpu_s), max(cost.rss_mb)
        beside = " | ".join(f"{ratio(costs[ours], cost):.3g}" for ours in (TEXT, UNHASHED))
        lines.append(
            f"| `{program.name}` | {program.gives} | {cpu_s:.2f} | {rss_mb:.0f} | {beside} |"
        )
    return lines


def bounds_table(folder: Path, scale: float, rounds: int, *, four: bool) -> list[str]:
    """What single cases of ours cost, as lines of Markdown."""
    few, scan = made(folder, "few", 1), made(folder, "scan", scale)
    cases = [
        ("`--help`", (*OURS, "--help"), few, "0.15 CPU s"),
        ("a capture of 100 packets", TEXT.words, few, "0.5 CPU s"),
        (
            f"{SMALL_CAPTURES} such captures in one process",
            (sys.executable, "-c", FOLDER_OF_CAPTURES, "{capture}", str(SMALL_CAPTURES)),
            few,
            "30 CPU s",
        ),
        (f"scan of {3 * scale:g} million flows", TEXT.words, scan, "700 MB"),
        ("the capture above", TEXT.words, made(folder, "big", scale), "120 MB"),
        ("the same as pcapng", TEXT.words, made(folder, "big", scale, "pcapng"), "120 MB"),
    ]
    if four:
        long, more = made(folder, "long", scale), made(folder, "big", 4 * scale)
        cases.append(("four times as long, as many flows", TEXT.words, long, "120 MB"))
        cases.append(("four times as long, four times the flows", TEXT.words, more, "120 MB"))
    lines = ["| case | CPU s | RSS MB | mark |", "|---|---:|---:|---:|"]
    for name, words, capture, mark in cases:
        costs = [cost_of(words, capture) for _ in range(1 if capture == scan else rounds)]
        cpu_s, rss_mb = statistics.median(c for c, _ in costs), max(m for _, m in costs)
        lines.append(f"| {name} | {cpu_s:.2f} | {rss_mb:.0f} | {mark} |")
        print(f"  {name:40} {cpu_s:8.2f} CPU s", file=sys.stderr, flush=True)
    return lines


def made(folder: Path, kind: str, scale: float, form: str = "pcap") -> Path:
    """A generated capture, made if it is not there. In a process of its own: the memory of this one
    would show in that of every program it starts."""
    path = folder / f"{kind}-{scale:g}.{form}"
    if not path.exists():
        words = [str(folder), kind, "--scale", str(scale), "--formats", form]
        subprocess.run(
            [sys.executable, str(ROOT / "bench" / "generate.py"), *words],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return path


def machine() -> str:
    """The machine, without its name."""
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()} {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


def main() -> None:
    """Reads the command line, measures, and prints the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=OUT)
    parser.add_argument("--scale", type=float, default=1.0, help="of packets and flows")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--without", nargs="*", default=[], help="programs that are not run")
    parser.add_argument("--every-round", action="store_true", help="tshark too, which is slow")
    parser.add_argument("--not-four", action="store_true", help="no file four times as large")
    given = parser.parse_args()
    given.folder = given.folder.resolve()
    given.folder.mkdir(parents=True, exist_ok=True)
    big = made(given.folder, "big", given.scale)
    cost_of(TEXT.words, made(given.folder, "few", 1))  # compiles the modules
    wanted = [peer for peer in PEERS if peer.words[0] not in given.without]
    missing = [peer.words[0] for peer in wanted if not peer.installed]
    programs = [TEXT, UNHASHED, JSON, FLOWS, *(peer for peer in wanted if peer.installed)]
    slow = set() if given.every_round else {"tshark"}
    costs = rounds_of(programs, big, given.rounds, slow)
    print(f"{machine()}; {big.stat().st_size / 1e6:.0f} MB; rounds: {given.rounds}\n")
    print("\n".join(peers_table(costs)) + "\n")
    left_out = [*(f"{name} (not installed)" for name in missing), *given.without]
    print(f"Not run: {', '.join(left_out) or 'nothing'}.\n")
    four = not given.not_four
    print("\n".join(bounds_table(given.folder, given.scale, given.rounds, four=four)))


if __name__ == "__main__":
    main()
