"""The command line: the list of commands, and the one place where errors become exit codes."""

import os
import sys
from collections.abc import Sequence
from errno import EAGAIN, EDQUOT, EFBIG, EMFILE, ENFILE, ENOMEM, ENOSPC
from importlib import import_module
from typing import TextIO

import click

from egress_audit import __version__
from egress_audit.cli.output import ReaderLeft, cannot_write
from egress_audit.errors import EgressAuditError, ExitCode

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("egress_audit.cli.run", "Run a program where nothing can leave, and judge it."),
    "replay": ("egress_audit.cli.replay", "Judge a saved capture or bundle against a claim."),
    "explain": (
        "egress_audit.cli.explain",
        "Show frames of a capture, dissected, with their flow.",
    ),
    "whois": ("egress_audit.cli.whois", "Say who is behind a host, an address or an AS."),
    "profiles": ("egress_audit.cli.profiles", "List, show, check and draft claims."),
    "lists": ("egress_audit.cli.lists", "Show, ask, import or update the lists of addresses."),
    "doctor": ("egress_audit.cli.doctor", "Say what this host can do, and what would help."),
}
"""Command → module that has it under the same name, and its line in the help. Modules are imported
when they are asked for, so that `--help` stays fast."""


FULL = (ENOSPC, EDQUOT, EFBIG)
"""Errors of writing that are nobody's bug: no room left."""
EXHAUSTED = (EMFILE, ENFILE, EAGAIN, ENOMEM)
"""Errors of limits that somebody set for this process or this host: files, processes, memory."""
ASK_LESS = "raise what `ulimit` shows; of many captures, give fewer at once, or --jobs 1"


class Commands(click.Group):
    """Looks commands up in COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(COMMANDS[cmd_name][0]), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


EPILOG = """\b
Exit codes:
   0  HOLDS           10  VIOLATED       11  INCONCLUSIVE
  12  no audit could be made             2  wrong usage

\b
The auditor itself opens no network connection, but for `lists update
--from URL`; what `run` starts is kept from the network, unless you say
--network open."""


def _say_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    """Says which version this is and what reads captures, and leaves."""
    if not wanted or context.resilient_parsing:
        return
    from egress_audit.compiled.library import is_in_use

    reader = "compiled" if is_in_use() else "numpy alone"
    click.echo(f"egress-audit, version {__version__} (hot path: {reader})")
    context.exit()


@click.group(
    cls=Commands,
    no_args_is_help=False,  # click would make an error of the help, and that would be one line
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    *("--version", "show_version"),
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_say_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Does this "offline" model really stay offline? Answers with evidence.

    A verdict is HOLDS, VIOLATED or INCONCLUSIVE, with its reasons and with what could not be seen.
    """


def run(arguments: Sequence[str]) -> int:
    """Runs one command and says how the process should leave."""
    try:
        code = cli.main(list(arguments), prog_name="egress-audit", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.ClickException as error:
        _complain(_one_line(error))
        return ExitCode.USAGE if isinstance(error, click.UsageError) else ExitCode.NO_AUDIT
    except (click.Abort, KeyboardInterrupt):
        _complain("egress-audit: interrupted: no audit was made")
        return ExitCode.NO_AUDIT
    except EgressAuditError as error:
        _complain(f"egress-audit: {error}")
        _drop_what_finds_no_room(sys.stdout)
        return error.exit_code
    except (BrokenPipeError, ReaderLeft):
        _drop(sys.stdout)
        return ExitCode.NO_AUDIT
    except SystemExit:
        # click's way out where whoever read a remark has gone: it wraps both streams, and leaves
        # with the code of a crash.
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        _drop(sys.stdout)
        _drop(sys.stderr)
        return ExitCode.NO_AUDIT
    except OSError as error:
        if error.errno in EXHAUSTED:
            _complain(f"egress-audit: the system gave no more: {error.strerror} ({ASK_LESS})")
            return ExitCode.NO_AUDIT
        # What is not a report (help, a version) click writes by itself.
        if error.errno not in FULL:
            raise
        _complain(f"egress-audit: {cannot_write('standard output', error)}")
        _drop(sys.stdout)
        return ExitCode.NO_AUDIT
    return int(code or 0)


def _complain(line: str) -> None:
    """Prints what is wrong; a file name in it may hold anything, and a terminal would obey. If it
    cannot be said, the exit code has to do."""
    # Late, since `--help` imports nothing that it can do without.
    try:
        from egress_audit.report.safe_text import clean

        line = clean(line)
    except OSError:  # No file can be opened any more, not even that one.
        line = ascii(line)
    try:
        click.echo(line, err=True)
    except OSError:
        _drop(sys.stderr)


def _one_line(error: click.ClickException) -> str:
    """What is wrong and where to read more, in the shape of our own errors."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "egress-audit"
    message = " ".join(error.format_message().split()).rstrip(".")
    return f"{command}: {message} (see {command} --help)"


def _drop_what_finds_no_room(stream: TextIO | None) -> None:
    """Writes what is left in a stream, or drops it: a short report that found no room would be
    tried once more on the way out, which then would be that of a crash."""
    try:
        if stream is not None:
            stream.flush()
    except OSError:
        _drop(stream)


def _drop(stream: TextIO | None) -> None:
    """Sends nowhere what is left in a stream that takes no more: Python would complain once more
    when it flushes it on its way out. None for a stream that was closed from the start."""
    if stream is None:
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
