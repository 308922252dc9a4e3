"""egress-audit: says what a capture proves about the claim that a program stays offline.

The public names are imported on first use, so that `--help` and `--version` stay fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from egress_audit.api import Audit, EgressAuditError, Verdict, audit_capture

__version__ = "0.1.0"

__all__ = ["Audit", "EgressAuditError", "Verdict", "__version__", "audit_capture"]


def __getattr__(name: str) -> object:
    """The public name `name`, from `egress_audit.api`."""
    if name in __all__:
        return getattr(import_module("egress_audit.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
