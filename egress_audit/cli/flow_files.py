"""Where the flows of several captures are written: a file for each, in one folder."""

from collections.abc import Sequence
from pathlib import Path

import click

from egress_audit.cli.output import cannot_write
from egress_audit.paths import is_there

SUFFIX = ".jsonl"


def flow_paths(folder: str | None, captures: Sequence[str]) -> list[str | None]:
    """`FOLDER/NAME.jsonl` for each capture, a second of the same name being `NAME-2.jsonl`.

    None for each if there is no folder. Raises UsageError for a file that is there already.
    """
    if folder is None:
        return [None] * len(captures)
    taken: set[str] = set()
    found: list[str | None] = []
    for capture in captures:
        name = Path(capture).absolute().name
        candidates = (f"{name}-{count}" for count in range(2, len(captures) + 2))
        chosen = name
        # Some file systems do not tell capitals apart.
        while chosen.casefold() in taken:
            chosen = next(candidates)
        taken.add(chosen.casefold())
        path = Path(folder) / f"{chosen}{SUFFIX}"
        if is_there(path):
            raise click.UsageError(f"{path} is there already: name another folder, or remove it")
        found.append(str(path))
    return found


def make_folder(folder: str) -> None:
    """Makes the folder, if it is not there yet. Raises EgressAuditError if it cannot."""
    try:
        Path(folder).mkdir(exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
