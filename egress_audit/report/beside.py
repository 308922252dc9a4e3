"""What a report tells beside an audit and is no part of it: who made it, labels, and places of
frames."""

from egress_audit.values import dataclass


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands around an audit: who made it and from which files; never a time or a path."""

    version: str
    """Of the tool."""
    inputs: tuple[str, ...]
    """File names without folder, `-` for standard input; of a bundle, which has the same report
    under any name, the program's. In the order of the audit's evidence."""
    tool: str = "egress-audit"
    engine: str = "numpy"


@dataclass(frozen=True, slots=True)
class FrameOrigin:
    """Where a frame of captures that were merged is from."""

    frame: int
    """Its number in the order of all, from 1."""
    input: int
    """Which of the envelope's inputs, from 0."""
    number: int
    """Its number in that capture, from 1."""


@dataclass(frozen=True, slots=True)
class AddressLabel:
    """What the user calls an address: never evidence, and nothing that was judged."""

    address: str
    name: str
    role: str
    """Empty if the user names none."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What is told beside one audit; each None where nobody asked for it."""

    origins: tuple[FrameOrigin, ...] | None = None
    """Of every frame that a finding cites, if captures were merged."""
    labels: tuple[AddressLabel, ...] | None = None
    """Of every labelled address in the audit, if there are labels."""

    def label_of(self, address: object) -> str:
        """`“printer-3” (printer)`; empty if the address has none."""
        for label in self.labels or ():
            if label.address == address:
                role = f" ({label.role})" if label.role else ""
                return f"“{label.name}”{role}"
        return ""


NOTHING_BESIDE = Beside()
