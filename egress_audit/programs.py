"""What a process may be called, by its executable and its arguments.

The executable is what the kernel ran. The first argument is whatever the caller wrote, so it counts
only where no executable is known.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import PurePosixPath, PureWindowsPath

from egress_audit.model.catalogue import Entry

INTERPRETERS = frozenset(
    {"python", "pythonw", "pypy", "node", "deno", "bun", "electron", "java", "javaw", "dotnet"}
    | {"ruby", "perl", "php", "lua", "julia", "r"}
)
"""Programs that are many: what they load is not in their name, and seldom in their arguments."""
CODE = frozenset({"-c", "-e", "-p", "--eval", "--print"})
"""Options behind which stands the program itself, which has no name then."""
VALUED = frozenset({"-W", "-X", "-r", "--require", "--import"})
"""Options whose value is no script."""
KEPT_STEMS = 1024
"""Names that are kept worked out: those of one run are asked for at each of its rows."""

_GAPS = re.compile(r"[\s_-]+")


def program_names(exe: str, cmdline: Sequence[str]) -> frozenset[str]:
    """What a program may be called, lower case: its file, and for an interpreter its script or
    module."""
    program = exe or "".join(cmdline[:1])
    words = [program]
    if is_interpreter(program):
        words += _script(cmdline[1:])
    return frozenset(filter(None, map(_stem, words)))


def is_interpreter(exe: str) -> bool:
    """Whether a program runs others that its own name does not tell."""
    return _stem(exe).rstrip("0123456789.") in INTERPRETERS


def is_named(entry: Entry, names: frozenset[str]) -> bool:
    """Whether an entry is known of a program of one of these names, as `program_names` has them."""
    return any(_stem(process) in names for process in entry.processes)


def _script(arguments: Sequence[str]) -> list[str]:
    """The first argument that is no option, or what stands behind `-m`, with its first part."""
    left = iter(arguments)
    for word in left:
        if word in CODE:
            return []
        if word == "-m":
            module = next(left, "")
            return [module, module.partition(".")[0]]
        if word in VALUED:
            next(left, "")
        elif not word.startswith("-"):
            return [word]
    return []


@lru_cache(maxsize=KEPT_STEMS)
def _stem(path: str) -> str:
    """The last part of a path of either system, lower case, without `.exe` or `.py`; words in it
    joined by `-`, since systems spell them otherwise (`LM Studio`, `lm-studio`)."""
    name = PureWindowsPath(PurePosixPath(path).name).name.lower()
    return _GAPS.sub("-", name.removesuffix(".exe").removesuffix(".py"))
