"""Runs the live cases: real libraries with tiny models, and the programs of the standard library.

Usage: test_live.py PYTHON FOLDER [RESULT]. PYTHON has the libraries of requirements/live.txt,
FOLDER holds what live_models.py built, RESULT is the file for what was seen (docs/live.md). Leaves
with 1 if any case concludes otherwise than it must. `make test-live` calls it.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import tabulate

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from egress_audit.audit import RULES_VERSION  # noqa: E402 - importable by the line above
from tests.builders.recorded_runs import Way, usual_way  # noqa: E402
from tests.builders.runtimes import (  # noqa: E402
    LIVE,
    RUNTIMES,
    AuditedCase,
    Case,
    Concluded,
    audited,
    cases,
    concluded,
)

LIBRARIES = ("huggingface_hub", "onnxruntime", "tiktoken", "xllamacpp")
VERSIONS = """
import importlib.metadata, json, platform, sys
found = {name: importlib.metadata.version(name) for name in sys.argv[1:]}
print(json.dumps({"Python": platform.python_version(), **found}))
"""
HEADERS = ("Case", "Verdict", "Expected", "Names asked for", "Contacts", "Seconds", "What it is")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case that was run."""

    audited: AuditedCase
    seconds: float

    @property
    def seen(self) -> Concluded:
        """What was concluded."""
        return concluded(self.audited.audit)

    @property
    def right(self) -> bool:
        """True if verdict, rules, names, destinations and blind spots are as expected."""
        return self.seen == self.audited.case.expected

    @property
    def row(self) -> tuple[str, ...]:
        """The row of the table."""
        case, seen = self.audited.case, self.seen
        names, ends = (", ".join(sorted(found)) or "-" for found in (seen.names, seen.destinations))
        verdict = seen.verdict if self.right else f"{seen.verdict} (differs)"
        seconds = f"{self.seconds:.1f}"
        return (case.name, verdict, case.expected.verdict, names, ends, seconds, case.shows)


def run(case: Case, way: Way, python: str, folder: Path) -> Outcome:
    """Runs one case; its line is printed when it is done."""
    began = time.monotonic()
    places = {"models": str(folder / "models"), "hub": str(folder / "hub")}
    library = python if case.folder == LIVE else ""
    outcome = Outcome(audited(case, way, python=library, **places), time.monotonic() - began)
    print(f"{'ok  ' if outcome.right else 'DIFFERS'} {case.name}", file=sys.stderr, flush=True)
    if not outcome.right:
        print(f"  expected {case.expected}\n  seen     {outcome.seen}", file=sys.stderr)
    return outcome


def versions(python: str) -> dict[str, str]:
    """The versions of what is run."""
    asked = [python, "-c", VERSIONS, *LIBRARIES]
    said = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(said))


def report(outcomes: list[Outcome], way: Way, used: dict[str, str]) -> str:
    """The text of docs/live.md. It names no host and no path."""
    right = sum(outcome.right for outcome in outcomes)
    by = "root, who starts the program as nobody" if way.by_root else "an ordinary user"
    software = ", ".join(f"{name} {version}" for name, version in used.items())
    table = tabulate.tabulate(
        [outcome.row for outcome in outcomes], HEADERS, tablefmt="github", disable_numparse=True
    )
    return f"""# Live runs

Written by `make test-live`, which installs the libraries, builds tiny models with random weights,
and runs each program in a sandbox of its own. Compared are the verdict, the rules broken, the names
asked for, the destinations and the blind spots that are material; how each is run, and what must
come out, stands in `tests/runtimes/cases.yaml` and `tests/runtimes/live/cases.yaml`. Contacts are
those beyond the machine, all of them answered by the sandbox: nothing left.

- {right} of {len(outcomes)} cases concluded as they must.
- Rung: {way.rung}, by {by}.
- Software: {software}; rules version {RULES_VERSION}.

{table}
"""


def main(python: str, folder: str, result: str = "") -> int:
    """Runs all and reports; 1 if any case differs."""
    way = usual_way()
    # Not resolved: it is by its own path that a venv's Python finds its libraries.
    here = str(Path(python).absolute())
    every = [*cases(LIVE).values(), *cases(RUNTIMES).values()]
    outcomes = [run(case, way, here, Path(folder).absolute()) for case in every]
    text = report(outcomes, way, versions(here))
    print(text)
    if result:
        Path(result).write_text(text, encoding="utf-8", newline="\n")
    return 0 if all(outcome.right for outcome in outcomes) else 1


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main(*sys.argv[1:]))
