"""`egress-audit doctor`: what this host can do for a run, in plain words."""

import json
from typing import TYPE_CHECKING

import click

from egress_audit.cli.other_systems import refuse_other_systems
from egress_audit.cli.output import deliver, terminal_width
from egress_audit.cli.report_options import format_option
from egress_audit.errors import ExitCode

if TYPE_CHECKING:
    from egress_audit.record.doctor import Check, Diagnosis
    from egress_audit.record.remedies import Remedy

WIDTH = 100
MEANING_WIDTH = 46
"""Columns of the meanings, at most: the table is no wider than it has to be."""
GAP = 2
"""Columns between two columns of the table, and those that a header has more than its word."""
HEADERS = ("Check", "Result", "What it means", "Remedy")
NOT_TRIED = "(from manuals; not tried by us)"
SEEN = {
    "tun": "a run here can HOLD",
    "veth": "a run here can HOLD",
    "calls": "attempts could be seen but no packets, and no run here can HOLD",
    "polling": "connections could only be polled for, and no run here can HOLD",
}


@click.command()
@format_option
def doctor(form: str) -> int:
    """Say what this host can do for `run`, and how to get to the next rung.

    Everything is tried, in processes that end at once; nothing of the host is changed and nothing
    is sent. The exit code is 0 if a run here can end in HOLDS (rung 1 or 2), 11 if it cannot (rung
    3 or 4), and 12 on a system that is not Linux.
    """
    refuse_other_systems()
    from egress_audit.record.doctor import diagnosis

    found = diagnosis()
    if form == "json":
        deliver(diagnosis_json(found), None)
    else:
        deliver(diagnosis_text(found, min(WIDTH, terminal_width(None))), None)
    return ExitCode.HOLDS if found.can_hold else ExitCode.INCONCLUSIVE


def diagnosis_text(found: "Diagnosis", width: int = WIDTH) -> str:
    """Where we are, the table, what would help, and the conclusion as the last line.

    No line but a command is wider than `width` columns, which are at least 80.
    """
    from tabulate import tabulate

    from egress_audit.report.safe_text import clean, narrow, wrapped

    remedies = list(dict.fromkeys(check.remedy for check in found.checks if _helps(check)))
    room = min(MEANING_WIDTH, width - _beside_meanings(found))
    rows = [
        [
            narrow(check.title),
            narrow(check.result),
            "\n".join(wrapped(_meaning(check), room)),
            str(remedies.index(check.remedy) + 1) if check.remedy in remedies else "",
        ]
        for check in found.checks
    ]
    table = tabulate(rows, HEADERS, tablefmt="simple", disable_numparse=True)
    parts = [_heading(found), table]
    parts += [
        _remedy_text(number, remedy, width) for number, remedy in enumerate(remedies, 1) if remedy
    ]
    parts.append(conclusion(found))
    text = "\n\n".join(parts)
    return "\n".join(clean(line) for line in text.split("\n")) + "\n"


def _beside_meanings(found: "Diagnosis") -> int:
    """Columns of the table that are not the meanings'."""
    titles = (HEADERS[0] + " " * GAP, *(check.title for check in found.checks))
    results = (HEADERS[1] + " " * GAP, *(check.result for check in found.checks))
    return max(map(len, titles)) + max(map(len, results)) + len(HEADERS[3]) + 4 * GAP


def conclusion(found: "Diagnosis") -> str:
    """`This host reaches rung 1 of 4 (tun): a run here can HOLD.`"""
    rung = found.rung.value
    return f"This host reaches rung {found.number} of {len(SEEN)} ({rung}): {SEEN[rung]}."


def diagnosis_json(found: "Diagnosis") -> str:
    """The same as one JSON object."""
    facts = found.facts
    document = {
        "rung": found.number,
        "rung_name": found.rung.value,
        "can_hold": found.can_hold,
        "host": {
            "kernel": facts.release,
            "machine": facts.machine,
            "container": facts.container,
            "security_modules": list(facts.modules),
            "root": facts.as_root,
        },
        "checks": [_check_object(check) for check in found.checks],
    }
    return json.dumps(document, indent=2) + "\n"


def _check_object(check: "Check") -> dict[str, object]:
    plain: dict[str, object] = {
        "id": check.id,
        "title": check.title,
        "worked": check.worked,
        "result": check.result,
        "meaning": check.meaning,
    }
    if check.remedy is not None:
        plain["why"] = check.remedy.why
        plain["remedy"] = check.remedy.advice
        plain["commands"] = list(check.remedy.commands)
        plain["tried"] = check.remedy.tried
    return plain


def _heading(found: "Diagnosis") -> str:
    facts = found.facts
    who = "root, which runs the program as " + found.user if facts.as_root else found.user
    where = f", in a container ({facts.container})" if facts.container else ""
    return f"Linux {facts.release} on {facts.machine}{where}; tried as {who}"


def _meaning(check: "Check") -> str:
    return check.meaning if check.remedy is None else f"{check.meaning}: {check.remedy.why}"


def _helps(check: "Check") -> bool:
    return check.remedy is not None and bool(check.remedy.advice)


def _remedy_text(number: int, remedy: "Remedy", width: int) -> str:
    """The advice, wrapped, and under it the commands, each on a line of its own to copy."""
    from egress_audit.report.safe_text import wrapped

    advice = remedy.advice if remedy.tried else f"{remedy.advice} {NOT_TRIED}"
    if remedy.commands:
        advice += ":"
    first, *others = wrapped(advice, width - 4)
    lines = [f"{number:>2}  {first}", *(f"    {line}" for line in others)]
    return "\n".join([*lines, *(f"      {command}" for command in remedy.commands)])
