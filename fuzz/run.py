"""Feeds targets with bytes that coverage chooses, for some seconds each.

    fuzz/run.py [--seconds N] [TARGET ...]

Called by `make fuzz`, which installs atheris first. What is found lies in build/fuzz/TARGET, and
belongs into fuzz/findings/TARGET once it is mended: every test run feeds these again.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from fuzz.seeds import LARGEST, ROOT, findings, seeds

WORK = ROOT / "build" / "fuzz"
MEMORY_MIB = 2048
SLOWEST_S = 20
ONE_PROCESS_S = 60
"""Seconds of one process; the next one goes on with what it found. atheris lets go of no array that
a comparison gave: of big buffers that is half a megabyte an input."""


def fuzz(target: str, seconds: int) -> int:
    """Exit status of one search; 0 if nothing was found. Ends with the first finding."""
    folder = WORK / target
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(target)):
        (corpus / f"seed-{number}").write_bytes(seed)
    for path in findings(target):
        (corpus / path.name).write_bytes(path.read_bytes())
    options = [
        *(f"-artifact_prefix={folder}/", f"-max_len={LARGEST}"),
        *(f"-rss_limit_mb={MEMORY_MIB}", f"-timeout={SLOWEST_S}", "-print_final_stats=1"),
    ]
    command = [sys.executable, "-m", "fuzz.engine", target, str(corpus), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    log, status = folder / "log.txt", 0
    with log.open("wb") as output:
        while seconds > 0 and not status:
            search = [*command, f"-max_total_time={min(seconds, ONE_PROCESS_S)}"]
            done = subprocess.run(search, cwd=ROOT, env=environment, stdout=output, stderr=output)
            seconds, status = seconds - ONE_PROCESS_S, done.returncode
    print(f"{target:15} {_summary(log)}")
    return status


def _summary(log: Path) -> str:
    """How many inputs were tried, and what came of it."""
    lines = log.read_text(errors="replace").splitlines()
    runs = sum(int(line.split()[-1]) for line in lines if "number_of_executed_units" in line)
    found = [line for line in lines if "Test unit written to" in line]
    return f"{runs:>9} inputs; " + (found[-1].split("Test unit ")[1] if found else "nothing found")


def main() -> int:
    """Runs each target in turn; 1 if anything was found."""
    from fuzz.targets import TARGETS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    asked = parser.parse_args()
    unknown = sorted(set(asked.targets) - set(TARGETS))
    if unknown:
        parser.error(f"no such target: {', '.join(unknown)}")
    statuses = [fuzz(target, asked.seconds) for target in asked.targets or TARGETS]
    return int(any(statuses))


if __name__ == "__main__":
    sys.exit(main())
