"""Records the golden bundles anew, live: captures/NAME.bundle, its description and expected audit.

Run it on purpose, on Linux, and read the diff: each recording is another one, with other times and
ports. To have expected audits of the bundles that are there, make_captures.py --expect does.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.builders.golden import CAPTURES, expectation, replayed  # noqa: E402 - as above
from tests.builders.recorded_runs import usual_way  # noqa: E402
from tests.builders.runtimes import RUNTIMES, AuditedCase, audited, cases, concluded  # noqa: E402

NAMES = (
    "control-busy-loopback",
    "control-served",
    "grey-loopback-proxy",
    "grey-udp-connect",
    "plant-doublefork-post",
)
COMMAND = [".venv/bin/python", "scripts/make_bundles.py"]
"""As whom a bundle names the recorder: a command that tells nothing of this machine."""


def description(name: str, seen: AuditedCase) -> dict[str, Any]:
    """What NAME.yaml says."""
    verdict = seen.audit.verdict
    return {
        "capture": f"{name}.bundle",
        "made": "by scripts/make_bundles.py, live: a program of tests/runtimes in our own sandbox; "
        "names and connections were answered by us, nothing was forwarded",
        "licence": "BSD-3-Clause",
        "shows": seen.case.shows,
        "profile": seen.case.profile,
        "assertions": [],
        "local": [],
        "verdict": verdict.value,
        "exit_code": int(verdict.exit_code),
    }


def make(case_name: str) -> None:
    """Records one, and writes its three parts; stops if it concludes otherwise than it must."""
    case = cases(RUNTIMES)[case_name]
    seen = audited(case, usual_way())
    if concluded(seen.audit) != case.expected:
        sys.exit(f"{case_name}: {concluded(seen.audit)}")
    name = f"run-{case_name}"
    target = CAPTURES / f"{name}.bundle"
    shutil.rmtree(target, ignore_errors=True)
    # Not the modes: the owner alone may read a bundle, and everybody what is published.
    shutil.copytree(seen.seen.place.bundle, target, copy_function=shutil.copyfile)
    target.chmod(0o755)
    said = description(name, seen)
    text = yaml.safe_dump(said, sort_keys=False, width=96)
    target.with_suffix(".yaml").write_text(text, encoding="utf-8", newline="\n")
    audit = replayed(said, ()).audit
    target.with_suffix(".json").write_text(expectation(audit), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    if sys.orig_argv != COMMAND:
        os.chdir(ROOT)
        os.execv(COMMAND[0], COMMAND)
    for case_name in NAMES:
        make(case_name)
