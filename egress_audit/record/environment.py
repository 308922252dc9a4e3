"""The program's environment: the user's own, without the variables that announce CI."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from egress_audit.errors import EgressAuditError
from egress_audit.model.run import Setting
from egress_audit.record import known_variables
from egress_audit.record.masking import mask_text

_LONGEST_VALUE = 200
_NAME = re.compile(r"^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "$": "$", "`": "`"}


@dataclass(frozen=True, slots=True)
class ChildEnvironment:
    """What the program gets, and what of it enters evidence."""

    variables: dict[str, str]
    """Never enters evidence."""
    removed: tuple[str, ...]
    """Names that announced CI."""
    conditions: tuple[Setting, ...]
    endpoints: tuple[Setting, ...]
    """Secrets in values are masked."""


def child_environment(environ: Mapping[str, str], env_file: str | None = None) -> ChildEnvironment:
    """`environ` with the variables of a file laid over it, less those that announce CI.

    Raises EgressAuditError for a file that cannot be read or understood.
    """
    variables = dict(environ)
    if env_file is not None:
        variables |= read_env_file(env_file)
    removed = tuple(sorted(name for name in variables if name in known_variables.CI))
    for name in removed:
        del variables[name]
    conditions, endpoints = [], []
    for name, value in sorted(variables.items()):
        if meaning := known_variables.condition(name):
            conditions.append(Setting(name, _shown(value), meaning))
        elif meaning := known_variables.endpoint(name, value):
            endpoints.append(Setting(name, _shown(value), meaning))
    return ChildEnvironment(variables, removed, tuple(conditions), tuple(endpoints))


def read_env_file(path: str) -> dict[str, str]:
    """Variables of a file with a NAME=value a line.

    Blank lines and lines that begin with # say nothing; `export` may stand before a name. A value
    in single quotes is literal, one in double quotes may hold escapes; of one without quotes, what
    follows a blank and # is a comment. Values are never expanded. Raises EgressAuditError with the
    line.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        hint = "name a text file of NAME=value lines that you may read"
        raise EgressAuditError(f"cannot be read: {reason}", where=path, hint=hint) from error
    variables = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        found = _NAME.match(stripped)
        value = _value(found[2]) if found else None
        if found is None or value is None or "\0" in value:
            what = "no NAME=value" if found is None else f"the value of {found[1]} does not end"
            if value is not None:
                what = "a zero byte"
            raise EgressAuditError(what, where=f"{path}:{number}", hint="one NAME=value a line")
        variables[found[1]] = value
    return variables


def _value(text: str) -> str | None:
    """What stands behind the equals sign; None for a quote that is not closed, or text after it."""
    if text[:1] == "'":
        inside, quote, rest = text[1:].partition("'")
        return inside if quote and _is_comment(rest) else None
    if text[:1] == '"':
        return _in_double_quotes(text)
    return re.split(r"(?:^|\s)#", text, maxsplit=1)[0].rstrip()


def _in_double_quotes(text: str) -> str | None:
    value: list[str] = []
    position = 1
    while position < len(text):
        letter = text[position]
        if letter == '"':
            return "".join(value) if _is_comment(text[position + 1 :]) else None
        if letter == "\\" and text[position + 1 : position + 2] in _ESCAPES:
            position += 1
            letter = _ESCAPES[text[position]]
        value.append(letter)
        position += 1
    return None


def _is_comment(rest: str) -> bool:
    return not rest.strip() or rest.lstrip().startswith("#")


def _shown(value: str) -> str:
    """A value that may enter evidence."""
    masked = mask_text(value)
    return masked if len(masked) <= _LONGEST_VALUE else masked[:_LONGEST_VALUE] + "…"
