"""Builds what a recorder noted, in few words: `run(attempts=(attempt("203.0.113.9"),))`."""

from typing import Any

from egress_audit.model.audit import Owner
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import Recording
from egress_audit.model.run import Attempt, Network, Phase, Probe, Process, Role, Run, Rung, Setting
from egress_audit.model.versions import ProductVersion, VersionHow

from .audit_parts import SECOND_NS, START_NS, interface

OWN, OWN6 = "10.87.0.2", "fd00:e6e4::2"
RESOLVER, RESOLVER6 = "10.87.0.1", "fd00:e6e4::1"
TARGET, EXERCISER, PROBER = 2, 3, 4
"""`Process.id` of the program, of our exerciser, and of who sends the probes."""
NOTHING = Absent.NOT_APPLICABLE


def process(number: int = TARGET, role: Role = Role.TARGET, **changes: Any) -> Process:
    """A process of the sandbox."""
    plain: dict[str, Any] = {
        "id": number,
        "pid": 1000 + number,
        "start_time": 5000 + number,
        "exe": "/usr/bin/program",
        "exe_sha256": "cd" * 32,
        "cmdline": "program --quiet",
        "parent": 1 if number > 1 else Absent.NOT_FOUND,
        "role": role,
        "first_ns": START_NS,
    }
    return Process(**(plain | changes))


PROCESSES = (
    process(1, Role.RECORDER, exe="/usr/bin/python3", cmdline="recorder"),
    process(TARGET),
    process(EXERCISER, Role.EXERCISER, exe="/usr/bin/curl", cmdline="curl http://127.0.0.1:8080"),
    process(PROBER, Role.PROBE, exe="/usr/bin/python3", cmdline="probe"),
)


def attempt(address: str | Absent = "203.0.113.9", **changes: Any) -> Attempt:
    """A connect of the program to port 443 of an address outside, carried out by the kernel."""
    plain: dict[str, Any] = {
        "process": TARGET,
        "call": "connect",
        "family": "AF_INET6" if ":" in str(address) else "AF_INET",
        "type": "stream",
        "address": address,
        "port": 443,
        "denied": NOTHING,
        "outcome": NOTHING,
        "count": 1,
        "first_ns": START_NS,
    }
    return Attempt(**(plain | changes))


def phase(word: str = "run", proof: str = "command", **changes: Any) -> Phase:
    """A phase of the whole minute."""
    plain: dict[str, Any] = {
        "word": word,
        "begin_ns": START_NS,
        "end_ns": START_NS + 60 * SECOND_NS,
        "proof": proof,
    }
    return Phase(**(plain | changes))


def probe(when: str = "before", by: str = "address", version: int = 4, **changes: Any) -> Probe:
    """A probe that was found and noticed."""
    plain: dict[str, Any] = {
        "when": when,
        "by": by,
        "version": version,
        "nonce": f"{when}{by}{version}".encode().hex(),
        "frame": 1,
        "noticed": True,
    }
    return Probe(**(plain | changes))


def ran(product: str, version: str = "", how: str = "mapped", **changes: Any) -> ProductVersion:
    """A product that ran in the program, in a version or in one that is not known."""
    seen = how != "stated"
    plain: dict[str, Any] = {
        "product": product,
        "version": version or Absent.NOT_FOUND,
        "how": VersionHow(how),
        "source": f"/site-packages/{product}-{version}.dist-info" if seen and version else "",
        "modules": (product,) if seen else (),
        "processes": (TARGET,) if seen else (),
    }
    return ProductVersion(**(plain | changes))


def setting(name: str, value: str, meaning: str = "what it does") -> Setting:
    """A variable of the environment."""
    return Setting(name, value, meaning)


def run(**changes: Any) -> Run:
    """A run in which all went well: simulated, over a TUN, watched for a minute to its end."""
    end_ns = START_NS + 60 * SECOND_NS
    plain: dict[str, Any] = {
        "rung": Rung.TUN,
        "network": Network.SIMULATED,
        "recorder": "run",
        "command": "program --quiet",
        "own_addresses": (OWN, OWN6),
        "resolvers": (RESOLVER, RESOLVER6),
        "synthetic": {},
        "began_ns": START_NS - SECOND_NS,
        "exec_ns": START_NS,
        "ended_ns": end_ns,
        "tree_ended_ns": end_ns,
        "closed_ns": end_ns + SECOND_NS,
        "exit_status": 0,
        "ended_by": "tree",
        "observed_ns": 60 * SECOND_NS,
        "processes": PROCESSES,
        "attempts": (),
        "attempts_dropped": 0,
        "phases": (phase(),),
        "probes": (),
        "conditions": (),
        "endpoints": (),
        "removed_variables": (),
        "home": "overlay",
        "stamps": (),
        "model_files": (),
        "written_files": (),
        "written_beyond": 0,
        "reachable_sockets": (),
        "unattributed": 0,
        "drops": {"eg0": 0, "lo": 0},
        "cannot_see": (),
        "hostname": "sandbox",
    }
    return Run(**(plain | changes))


def recording(**changes: Any) -> Recording:
    """A recording that can be believed, with all its probes."""
    plain: dict[str, Any] = {
        "complete": True,
        "altered": (),
        "problems": (),
        "missing_probes": (),
        "unattributed": 0,
        "not_the_programs": {"probe": 8},
    }
    return Recording(**(plain | changes))


RECORDED: dict[str, Any] = {
    "probes": 8,
    "phases": ("run", "load", "generate"),
    "drops": 0,
    "interfaces": (interface(name="eg0", drops=0), interface(index=1, name="lo", drops=0)),
    "recording": recording(),
}
"""What the ledger of a good recording says."""


def owner(role: Role = Role.TARGET, how: str = "seccomp", **changes: Any) -> Owner:
    """The process behind a row."""
    plain: dict[str, Any] = {
        "pid": 1002,
        "start_time": 5002,
        "exe": "/usr/bin/program",
        "exe_sha256": "cd" * 32,
        "cmdline": "program --quiet",
        "parent": 1001,
        "how": how,
        "role": role,
    }
    return Owner(**(plain | changes))
