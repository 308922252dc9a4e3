"""Which paths the program needs although they lie in a folder that is private or fresh."""

import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from egress_audit.record.mounts import is_there

Kept = dict[str, bool]
"""Path → whether the program may write there."""

_LISTS_OF_FOLDERS = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "NODE_PATH", "VIRTUAL_ENV")
"""Variables that name folders of programs and libraries."""


def command_path(command: str, cwd: str, environ: Mapping[str, str]) -> str | None:
    """Absolute path of the command as exec would find it; None if there is none."""
    if "/" in command:
        path = Path(cwd, command)
        try:
            return os.path.normpath(path) if path.is_file() else None
        except PermissionError:
            return os.path.normpath(path)  # behind a closed folder; unreadable_for names it
    folders = environ.get("PATH", os.defpath).split(os.pathsep)
    searched = os.pathsep.join(str(Path(cwd, folder)) for folder in folders)
    return shutil.which(command, mode=os.F_OK, path=searched)


def kept_paths(
    argv: Sequence[str],
    cwd: str,
    binds: Iterable[str],
    environ: Mapping[str, str],
    covered: Iterable[str],
) -> Kept:
    """Real paths to be shown as they are, even in a covered folder; whether they may be written.

    Writable: the working folder, `binds`, what arguments name. Not: of the command and of the
    variables that name folders of programs, the whole entry of the covered folder in which they
    lie, since a program finds its libraries beside itself. Sockets only if they are bound by name.
    """
    folders = [os.path.realpath(folder) for folder in covered]
    command = command_path(argv[0], cwd, environ) if argv else None
    programs = [command] if command else []
    for variable in _LISTS_OF_FOLDERS:
        programs += [part for part in environ.get(variable, "").split(os.pathsep) if part]
    kept: Kept = {}
    for program in programs:
        for path in (os.path.normpath(Path(cwd, program)), os.path.realpath(Path(cwd, program))):
            kept |= {os.path.realpath(entry): False for entry in _outermost(path, folders)}
    named = [cwd, *(str(Path(cwd, path)) for path in binds)]
    named += [path for word in argv[1:] for path in _named(word, cwd)]
    kept |= {os.path.realpath(path): True for path in named}
    return {path: writable for path, writable in kept.items() if is_there(path)}


def unreadable_for(uid: int, gid: int, groups: Iterable[int], paths: Iterable[str]) -> list[str]:
    """The first component of each path that keeps a user from reaching or executing it.

    Of a file the user must be allowed to read and execute it, of a folder to enter it. Judged by
    the mode alone, as the kernel does without access control lists. [] if all is well; a path
    that does not exist is its own answer.
    """
    members = {gid, *groups}
    found = []
    for path in paths:
        real = Path(os.path.realpath(path))
        for component in (*reversed(real.parents), real):
            try:
                facts = component.stat()
            except OSError:
                found.append(str(component))
                break
            if not _may_enter(facts, uid, members):
                found.append(str(component))
                break
    return list(dict.fromkeys(found))


def _may_enter(facts: os.stat_result, uid: int, groups: set[int]) -> bool:
    needed = 0o1 if stat.S_ISDIR(facts.st_mode) else 0o5
    if facts.st_uid == uid:
        return facts.st_mode >> 6 & needed == needed
    if facts.st_gid in groups:
        return facts.st_mode >> 3 & needed == needed
    return facts.st_mode & needed == needed


def _named(word: str, cwd: str) -> Iterator[str]:
    """Paths that an argument names, alone or behind an equals sign."""
    for part in (word, word.partition("=")[2]):
        if not part or "\0" in part:
            continue
        path = Path(cwd, part)
        try:
            mode = path.stat().st_mode
        except OSError:
            continue  # most arguments are no paths
        if not stat.S_ISSOCK(mode):
            yield str(path)


def _outermost(path: str, folders: Iterable[str]) -> Iterator[str]:
    """The entry of a covered folder in which `path` lies."""
    for folder in folders:
        prefix = folder.rstrip("/") + "/"
        if path.startswith(prefix):
            yield prefix + path[len(prefix) :].partition("/")[0]
