"""What is to be run, and how; and all of it that can be settled before anything is made."""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from egress_audit.errors import EgressAuditError, WrongUsage
from egress_audit.model.run import Network, Rung
from egress_audit.paths import is_folder
from egress_audit.record.environment import ChildEnvironment, child_environment
from egress_audit.record.kept_paths import command_path, unreadable_for
from egress_audit.record.masking import mask_arguments
from egress_audit.record.privileges import TargetUser, target_user
from egress_audit.record.ready import endpoint_of


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What is to be run, and how; each field is an option of the command."""

    command: tuple[str, ...]
    network: Network = Network.SIMULATED
    observe_s: float = 60.0
    ready: str | None = None
    """URL or port that answers when the program is ready to be used."""
    exercise: str | None = None
    """Shell command that uses the program."""
    expect: str | None = None
    """Regular expression that must be found in what the exercise prints."""
    home: str = "overlay"
    user: str | None = None
    folder: str | None = None
    env_file: str | None = None
    publish: tuple[int, ...] = ()
    bind: tuple[str, ...] = ()
    dns: str = "answer"
    answer_range: str | None = None
    ipv6: bool = True
    headers_only: bool = False
    rungs: tuple[Rung, ...] = tuple(Rung)
    """Which may be tried, from the one that sees most downwards."""
    keep_capabilities: int = 0
    """Capabilities left to the program in its namespaces, as bits: for tests of what is seen."""
    environment: Mapping[str, str] | None = None
    """Variables to start from; None means those of this process."""


class CommandFailed(EgressAuditError):
    """The command could not be executed: there was nothing to audit."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan whose words have been looked up."""

    plan: RunPlan
    user: TargetUser
    environment: ChildEnvironment
    folder: str
    """Working folder of the command, absolute."""
    shown: str
    """The command as the record may hold it: secrets masked."""
    ready: tuple[str, int, str] | None
    expect: re.Pattern[str] | None


def prepared(plan: RunPlan) -> Prepared:
    """Looks everything up. Raises WrongUsage, or CommandFailed where there is nothing to run."""
    if not plan.command:
        raise WrongUsage("no command to run", hint="name it behind --")
    if (plan.exercise is None) != (plan.expect is None):
        raise WrongUsage(
            "an exercise proves something only by what it prints",
            where="--exercise",
            hint="give --exercise and --expect together",
        )
    source = os.environ if plan.environment is None else plan.environment
    user = target_user(plan.user, source)
    environment = child_environment(_of_user(source, user), plan.env_file)
    folder = _folder(plan)
    _check_command(plan, user, folder, environment.variables)
    return Prepared(
        plan,
        user,
        environment,
        folder,
        mask_arguments(plan.command),
        endpoint_of(plan.ready) if plan.ready is not None else None,
        _pattern(plan.expect),
    )


def _folder(plan: RunPlan) -> str:
    """The absolute path of the working folder. Raises EgressAuditError if it was deleted."""
    try:
        return str(Path(plan.folder or Path.cwd()).absolute())
    except FileNotFoundError as error:
        raise EgressAuditError(
            "the folder that we are in was deleted", hint="go to another one"
        ) from error


def _of_user(source: Mapping[str, str], user: TargetUser) -> dict[str, str]:
    """The environment with the names of the user whom the program runs as."""
    own = dict(source)
    if user.is_other:
        own |= {"HOME": user.home, "USER": user.name, "LOGNAME": user.name}
        for name in [name for name in own if name.startswith("SUDO_")]:
            del own[name]
    return own


def _pattern(text: str | None) -> re.Pattern[str] | None:
    try:
        return None if text is None else re.compile(text)
    except re.error as error:
        raise WrongUsage(f"is no regular expression: {error}", where="--expect") from error


def _check_command(
    plan: RunPlan, user: TargetUser, folder: str, environment: Mapping[str, str]
) -> None:
    """Finds what would keep the command from being executed. Raises CommandFailed."""
    if not is_folder(folder):
        raise CommandFailed("is no folder", where=folder, hint="name another with --cwd")
    name = plan.command[0]
    path = command_path(name, folder, environment)
    if path is None:
        # Of an empty name the path is that of the working folder.
        kind = (
            "is a folder, not a command"
            if name and is_folder(Path(folder, name))
            else "no such command"
        )
        raise CommandFailed(kind, where=name or "''", hint="nothing was run")
    home = os.path.realpath(user.home)
    # Root shows its own home to the user, so its modes say nothing.
    paths = [p for p in (path, folder) if not (user.is_other and _is_below(p, home))]
    with suppress(PermissionError):  # Behind a closed folder, of which the next lines speak.
        if not Path(path).stat().st_mode & 0o111:
            raise CommandFailed("may not be executed", where=path, hint="nothing was run")
    closed = unreadable_for(user.uid, user.gid, user.groups, paths)
    if closed:
        raise CommandFailed(
            f"is closed to {user.name}, as whom the program would run",
            where=closed[0],
            hint="name another user with --user, or move the program",
        )


def _is_below(path: str, folder: str) -> bool:
    return os.path.realpath(path).startswith(folder.rstrip("/") + "/")
