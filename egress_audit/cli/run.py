"""`egress-audit run`: start a program where nothing can leave, and judge what it tried."""

import os
import shlex
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from egress_audit.cli.durations import seconds_of
from egress_audit.cli.other_systems import refuse_other_systems
from egress_audit.cli.output import held, refuse_overwriting
from egress_audit.cli.report_options import (
    catalogue_option,
    output_options,
    profile_option,
    refuse_sharing,
    write_audit,
)
from egress_audit.cli.stated_versions import version_of_option
from egress_audit.cli.tidying import ended_tidily, place_for, terminal_kept
from egress_audit.errors import EgressAuditError
from egress_audit.paths import is_folder, is_there, led_to

if TYPE_CHECKING:
    from egress_audit.api import Audited
    from egress_audit.endpoints import ReadCatalogue
    from egress_audit.model.claim import Claim
    from egress_audit.model.versions import ProductVersion
    from egress_audit.record.plan import RunPlan

THREADS = "OPENBLAS_NUM_THREADS"
"""Set by our own start for ourselves; the program must not inherit it."""
HIGHEST_PORT = 65_535


def ports_of(
    ctx: click.Context, param: click.Parameter, numbers: tuple[int, ...]
) -> tuple[int, ...]:
    """Callback of an option: the ports. Raises BadParameter for a number that is none."""
    for number in numbers:
        if not 0 < number <= HIGHEST_PORT:
            raise click.BadParameter(f"{number} is no port: 1 to {HIGHEST_PORT}", ctx, param)
    return numbers


@click.command(
    context_settings={"allow_interspersed_args": False},
    options_metavar="[OPTIONS] --",
    short_help="Run a program where nothing can leave, and judge what it tried.",
)
@profile_option
@click.option(
    "--network",
    type=click.Choice(["sealed", "simulated", "open"]),
    default="simulated",
    show_default=True,
    help="What it meets: refusals, answers that we invent, or the real network.",
)
@click.option(
    "--observe",
    callback=seconds_of,
    metavar="TIME",
    default="60s",
    show_default=True,
    help="Watch for so long (500ms, 90s, 5m, 2h) if it does not end before.",
)
@click.option("--ready", metavar="URL|PORT", help="Answers when the program can be used.")
@click.option("--exercise", metavar="CMD", help="Shell command, run inside, that uses the program.")
@click.option("--expect", metavar="REGEX", help="What --exercise must print for it to count.")
@click.option(
    "--home",
    type=click.Choice(["overlay", "fresh", "real"]),
    default="overlay",
    show_default=True,
    help="HOME copied on write, empty but for caches, or as it is.",
)
@click.option("--user", metavar="USER", help="As whom to run it, if you are root.")
@click.option("--cwd", "folder", metavar="DIR", help="Its working folder.")
@click.option("--env-file", metavar="FILE", help="Variables for it, one NAME=value a line.")
@click.option(
    "--publish",
    type=int,
    callback=ports_of,
    metavar="PORT",
    multiple=True,
    help="Let clients on this host reach this port of it; repeatable.",
)
@click.option(
    "--bind", metavar="PATH", multiple=True, help="Show it this path as it is; repeatable."
)
@click.option(
    "--answer-range",
    metavar="PREFIX",
    help="Invent IPv4 addresses from here, not from 198.18.0.0/15.",
)
@click.option(
    "--dns",
    type=click.Choice(["answer", "nxdomain", "servfail"]),
    help="What the simulated network says of names.  [default: answer]",
)
@click.option("--no-ipv6", is_flag=True, help="Give it IPv4 alone.")
@click.option(
    "--snaplen",
    type=click.Choice(["full", "headers"]),
    default="full",
    show_default=True,
    help="Keep packets whole, or without what they carry.",
)
@click.option("--bundle", metavar="DIR", help="Keep the evidence in this new folder.")
@catalogue_option
@version_of_option
@output_options
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="COMMAND...")
def run(
    command: tuple[str, ...],
    profile: str,
    bundle: str | None,
    form: str,
    output: str | None,
    flows: str | None,
    catalogue: tuple[str, ...],
    stated_versions: "tuple[ProductVersion, ...]",
    **words: Any,
) -> int:
    """Run COMMAND in a sandbox from which no packet leaves, and judge what it wanted to send.

    Everything behind `--` is the command and its arguments. Its output and input are the
    terminal's; the report follows when it has ended, or when --observe is over. Ctrl-C ends it and
    still gives a verdict.

    The exit code is the verdict: 0 HOLDS, 10 VIOLATED, 11 INCONCLUSIVE; 12 if there is none.
    """
    from egress_audit.api import catalogue_with, claim_of
    from egress_audit.cli.forewarnings import forewarnings

    if not command:
        raise click.UsageError("no command: write it behind --, as in `run -- python app.py`")
    refuse_other_systems()
    plan = plan_of(command, **words)
    for path in plan.bind:
        if not is_there(path):
            raise EgressAuditError("is not there", where=path, hint="--bind shows what there is")
    _refuse_outputs(bundle, output, flows, (profile, words["env_file"] or "", *catalogue))
    endpoints = catalogue_with(catalogue)
    claim = claim_of(profile, endpoints)
    for line in forewarnings(claim, plan):
        click.echo(f"egress-audit: {line}", err=True)
    outputs = held((output, flows))
    with place_for(bundle) as place, ended_tidily(), outputs as (report, lines):
        result = _audited(plan, place, claim, endpoints, stated_versions)
        if output in (None, "-") and sys.stdout is not None and sys.stdout.isatty():
            click.echo()  # The program's last line may not have ended.
        write_audit(result, form, report, lines)
    verdict = result.audit.verdict
    click.echo(f"egress-audit: {verdict} (exit code {int(verdict.exit_code)})", err=True)
    click.echo(_where_evidence_is(bundle), err=True)
    return result.audit.verdict.exit_code


def _where_evidence_is(bundle: str | None) -> str:
    """A line for whoever wants to look at the frames that the report names."""
    if bundle is None:
        return "evidence not kept; --bundle DIR keeps the capture and the record"
    kept = shlex.quote(bundle)
    return f"evidence kept in {kept}; judge it again: egress-audit replay {kept}"


def plan_of(
    command: tuple[str, ...],
    *,
    network: str,
    observe: float,
    dns: str | None,
    answer_range: str | None,
    no_ipv6: bool,
    snaplen: str,
    **words: Any,
) -> "RunPlan":
    """The plan that the options make. Raises UsageError or WrongUsage for what cannot be meant."""
    from egress_audit.model.run import Network
    from egress_audit.record.plan import RunPlan

    if network != "simulated" and (dns or answer_range):
        option = "--dns" if dns else "--answer-range"
        raise click.UsageError(f"{option} is about answers, and --network {network} invents none")
    return RunPlan(
        command,
        network=Network(network),
        observe_s=observe,
        dns=dns or "answer",
        answer_range=None if answer_range is None else _answer_range(answer_range),
        ipv6=not no_ipv6,
        headers_only=snaplen == "headers",
        environment=environment_of_the_user(),
        **words,
    )


def environment_of_the_user() -> dict[str, str]:
    """The environment that we were started with, as far as we changed it for ourselves."""
    environment = dict(os.environ)
    started_with = Path("/proc/self/environ").read_bytes().split(b"\0")
    if not any(entry.startswith(THREADS.encode() + b"=") for entry in started_with):
        environment.pop(THREADS, None)
    return environment


def _answer_range(text: str) -> str:
    from egress_audit.addresses import Scope, parse_prefix, scope_of

    prefix = parse_prefix(text, "--answer-range")
    if prefix.version != 4 or not 8 <= prefix.prefixlen <= 24:
        raise click.UsageError(f"--answer-range {text}: an IPv4 prefix of /8 to /24 is wanted")
    scope = scope_of(prefix[1])
    if scope in (Scope.LOOPBACK, Scope.LINK_LOCAL, Scope.MULTICAST, Scope.RESERVED):
        said = f"no host off the machine has a {scope} address"
        raise click.UsageError(f"--answer-range {text}: {said}")
    return str(prefix)


def _refuse_outputs(
    bundle: str | None, output: str | None, flows: str | None, inputs: tuple[str, ...]
) -> None:
    """Refuses what could not be written in the end, before anybody waits for it."""
    refuse_overwriting((output, flows), [path for path in inputs if path])
    refuse_sharing(output, flows)
    for path in (output, flows):
        if path is None or path == "-":
            continue
        where = led_to(path)
        if bundle is not None and led_to(bundle) in (where, *where.parents):
            raise click.UsageError(f"{path} lies in the bundle, which holds evidence alone")
        if what := _no_place_for_output(where):
            raise EgressAuditError(what, where=path, hint="choose another place")


def _no_place_for_output(where: Path) -> str | None:
    """What is wrong with a file to write; None if it can be written, as far as can be known."""
    if is_folder(where):
        return "is a folder"
    if is_there(where):  # Such as /dev/null, in a folder where not everybody may make files.
        return None if os.access(where, os.W_OK) else "cannot be written: you may not write to it"
    if not is_folder(where.parent):
        return f"cannot be written: there is no folder {where.parent}"
    if not os.access(where.parent, os.W_OK):
        return f"cannot be written: you may not make a file in {where.parent}"
    return None


def _audited(
    plan: "RunPlan",
    bundle: str,
    claim: "Claim",
    catalogue: "ReadCatalogue",
    versions: "tuple[ProductVersion, ...]",
) -> "Audited":
    """Runs and judges, with the live view if there is a terminal for it."""
    # The last one early: the recorder may not be able to read our own files any more when it
    # shows something, once it has given root's rights away.
    from egress_audit.api import Asserted, audit_run
    from egress_audit.cli.live import ExerciseOutput, LiveView, is_wanted
    from egress_audit.report import safe_text  # noqa: F401

    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    said, stated = ExerciseOutput().take, Asserted(versions=versions)
    audit = partial(audit_run, plan, bundle, claim, catalogue=catalogue, asserted=stated)
    if not is_wanted():
        with terminal_kept():
            return audit(on_output=said)
    view = LiveView()
    try:
        # Inside, since a terminal in the middle of a sequence would not obey when rows are cleared.
        with terminal_kept():
            return audit(on_tick=view.tick, on_output=said)
    finally:
        view.close()
