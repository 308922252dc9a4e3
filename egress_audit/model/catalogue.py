"""What is known of an endpoint: who is there, which product calls it, why, and how to stop it."""

from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network

from egress_audit.model.destination import Absent
from egress_audit.values import dataclass

CATALOGUE = "catalogue"
"""How lists/SOURCES.yaml calls the catalogue that comes with the program."""


class Purpose(StrEnum):
    """Why a program calls an endpoint."""

    TELEMETRY = "telemetry"
    UPDATE_CHECK = "update-check"
    MODEL_DOWNLOAD = "model-download"
    HOSTED_INFERENCE = "hosted-inference"
    AUTH = "auth"
    CRASH_REPORT = "crash-report"
    ANALYTICS = "analytics"
    """Of a web page or an app, by a third party."""
    CONNECTIVITY = "connectivity"
    RESOLVER = "resolver"
    TUNNEL = "tunnel"
    METADATA_SERVICE = "metadata-service"
    OS_NOISE = "os-noise"
    """By the operating system, whatever program runs."""


class Verified(StrEnum):
    """How the fact behind an entry was established, the strongest first."""

    RAN = "ran"
    """The program was run, and the call was seen."""
    CODE = "code"
    """Its own, or that of others who call the place."""
    DOCUMENTS = "documents"
    """The maker's documents or a thread in which its developers say so, a report by others who
    watched it, or a standard: the source says which."""
    CURATED = "curated"
    """Somebody else's list, or general knowledge."""


@dataclass(frozen=True, slots=True)
class Switch:
    """How a call is switched off."""

    how: str
    variables: tuple[tuple[str, str], ...] = ()
    """Environment variables that do it, with the value that does."""
    fails: tuple[str, ...] = ()
    """Known cases in which it does not help."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the catalogue: a product calls these places for this purpose."""

    id: str
    vendor: str
    product: str
    purpose: Purpose
    source: str
    verified: Verified
    confidence: str
    """`high`, `medium` or `low`: of the fact, not of its weight."""
    example: str
    """HOST[:PORT[/PROTO]] or an address, which this entry matches."""
    hosts: tuple[str, ...] = ()
    """`a.b` is exact, `*.a.b` is a.b and all below it, `/…/` is an anchored regular expression."""
    prefixes: tuple[IPv4Network | IPv6Network, ...] = ()
    ports: tuple[str, ...] = ()
    """`443/tcp`; none for any."""
    jurisdiction: str | Absent = Absent.NOT_FOUND
    """ISO 3166-1 alpha-2, of the vendor's parent."""
    note: str = ""
    """What is to be known of the vendor's places as a whole; the same in its other entries."""
    versions: str = ""
    """Which versions this is known of, as `>=1.29,<2`; empty for any. Others are not covered."""
    seen_in: tuple[str, ...] = ()
    """Versions of the product that were run or read, where no bounds are known: nobody has looked
    at any other. It is told, and judges nothing."""
    trigger: str = ""
    first_ns: int | Absent = Absent.NOT_FOUND
    """From the start of the program to the first call."""
    every_ns: int | Absent = Absent.NOT_FOUND
    phases: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    """Executables or Python modules that are known to call it."""
    sends: str = ""
    switch: Switch | Absent = Absent.NOT_FOUND
    """NOT_FOUND if no switch is known."""
    stamps: tuple[str, ...] = ()
    """Files that silence it until they are older than `every_ns`."""
    packetless: bool = False
    """True for what sends no packet: a UDP connect that asks for a route. Whatever did send one was
    something else."""
    labels_only: bool = False
    """True for what rests on general knowledge: it names, and never accuses."""

    @property
    def vendor_and_law(self) -> str:
        """`Ollama (US)`; the vendor alone where its jurisdiction is not known."""
        known = not isinstance(self.jurisdiction, Absent)
        return f"{self.vendor} ({self.jurisdiction})" if known else self.vendor

    @property
    def variables(self) -> tuple[tuple[str, str], ...]:
        """Environment variables that switch it off, with the value that does."""
        return () if isinstance(self.switch, Absent) else self.switch.variables

    @property
    def accuses(self) -> bool:
        """True if a contact with it can contradict a claim about purposes."""
        return not self.labels_only
