"""Reads every capture of a corpus and holds the flows and names to truth made by other programs.

    scripts/corpus.py CORPUS [--jobs N] [--only WORD] [--show N]

CORPUS: a folder with `captures/`, `truth/` and `compare_truth.py`, which compares. Called
by `make corpus`. Leaves with 1 if any capture crashes us.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from traceback import format_exception

from egress_audit.api import audit_capture
from egress_audit.errors import EgressAuditError
from egress_audit.report.flow_records import flow_line

CLEAN, REFUSED, CRASHED = "read", "refused with a reason", "crashed"
SLOW_S = 5.0
"""CPU seconds past which a capture is named: none of a corpus is large."""


def exported(capture: Path, export: Path) -> tuple[str, float]:
    """Writes the flows of one capture; what became of it, and CPU seconds."""
    began = time.process_time()
    try:
        audited = audit_capture(str(capture))
        with export.open("w", encoding="ascii") as lines:
            lines.writelines(f"{flow_line(*record)}\n" for record in audited.flow_records())
        outcome = CLEAN
    except EgressAuditError:
        outcome = REFUSED
    return outcome, time.process_time() - began


def export_all(captures: Iterable[Path], folder: Path, jobs: int) -> Counter[str]:
    """Exports every capture into a folder, as NAME.jsonl; counts what became of them."""
    counted: Counter[str] = Counter()
    with ProcessPoolExecutor(jobs) as pool:
        running = {
            pool.submit(exported, capture, folder / f"{capture.name}.jsonl"): capture.name
            for capture in captures
        }
        for job in as_completed(running):
            error = job.exception()
            outcome, cpu_s = (CRASHED, 0.0) if error else job.result()
            counted[outcome] += 1
            if error:
                print(f"{running[job]}: {''.join(format_exception(error))}", file=sys.stderr)
            if cpu_s > SLOW_S:
                print(f"slow: {running[job]}, {cpu_s:.1f} CPU s", file=sys.stderr)
    return counted


def main() -> int:
    """Prints the table of the corpus's own comparator, and what we could not read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="captures whose name holds this word")
    parser.add_argument("--show", default="0", help="differences to print of each capture")
    asked = parser.parse_args()
    captures = sorted(p for p in (asked.corpus / "captures").iterdir() if asked.only in p.name)
    with tempfile.TemporaryDirectory() as name:
        counted = export_all(captures, Path(name), asked.jobs)
        outcomes = ", ".join(f"{outcome} {count}" for outcome, count in sorted(counted.items()))
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        peak = f"{used.ru_utime + used.ru_stime:.0f} CPU s, peak {used.ru_maxrss // 1024} MiB"
        print(f"{len(captures)} captures: {outcomes}; {peak}")
        sys.stdout.flush()
        comparator = asked.corpus / "compare_truth.py"
        command = [sys.executable, str(comparator), str(asked.corpus / "truth"), name]
        subprocess.run([*command, "--only", asked.only, "--show", asked.show], check=True)
    return int(counted[CRASHED] > 0)


if __name__ == "__main__":
    sys.exit(main())
