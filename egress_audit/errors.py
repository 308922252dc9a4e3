"""Everything that can stop an audit, and the exit codes.

    EgressAuditError            what, where, remedy: one line for a person     exit 12
    ├── InputUnreadable         the evidence cannot be opened or is no capture
    ├── ProfileInvalid          a profile file that does not say what it must
    ├── CatalogueInvalid        a file of the endpoint catalogue that does not
    ├── ListUnreadable          an address list or operator table is missing or damaged
    └── WrongUsage              the command line asks for what does not exist     exit 2

A bad *packet* is none of these: it is a value, and it is counted. Any other exception is a bug
and leaves with exit 1, which is never a verdict.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says when it leaves; the table of the README is held to this one."""

    HOLDS = 0
    CRASH = 1
    USAGE = 2
    VIOLATED = 10
    INCONCLUSIVE = 11
    NO_AUDIT = 12
    NOT_VERIFIED = 13
    GATE_FAILED = 14


class EgressAuditError(Exception):
    """An audit that cannot be made: says what is wrong, where, and what would help."""

    exit_code = ExitCode.NO_AUDIT
    about_input = False
    """Whether a place called `-` is standard input."""

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = "standard input" if self.about_input and where == "-" else where
        """File, line, offset or option; empty when `what` already names it."""
        self.hint = hint
        """The remedy, as a phrase a person can act on; empty when there is none."""

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.what}{hint}"


class InputUnreadable(EgressAuditError):
    """The evidence is missing, may not be opened, or holds no readable capture header."""

    about_input = True


class ProfileInvalid(EgressAuditError):
    """A profile with an unknown key, a wrong type, a duplicate or a contradiction."""


class CatalogueInvalid(EgressAuditError):
    """A file of endpoints with an unknown key, a wrong type, a duplicate, or an entry that would
    match what it does not mean."""


class ListUnreadable(EgressAuditError):
    """An address list or an operator table that cannot be used."""


class WrongUsage(EgressAuditError):
    """A word on the command line that names nothing."""

    exit_code = ExitCode.USAGE
    about_input = True
