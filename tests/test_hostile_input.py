"""Captures made to exhaust us are read within bounds that the kernel holds us to."""

import json
import resource
import subprocess
import sys
from typing import Any

import pytest

from tests.builders.hostile import CAPTURES, MILLION

CPU_S = 60
"""Where the kernel ends us: many times what any of them takes, little for one without a bound."""
MEMORY = 1 << 30
"""Address space, of which the libraries take a third."""


def bounded() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


@pytest.fixture(scope="module", params=CAPTURES)
def audited(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The name of a capture, our exit status, and the audit."""
    path = tmp_path_factory.mktemp("hostile") / "hostile.pcap"
    path.write_bytes(CAPTURES[request.param]())
    command = [sys.executable, "-m", "egress_audit", "replay", str(path), "--format", "json"]
    done = subprocess.run(command, capture_output=True, preexec_fn=bounded)
    path.unlink()
    assert b"Traceback" not in done.stderr, done.stderr[-2000:].decode()
    return request.param, done.returncode, json.loads(done.stdout)["audit"]


def test_it_comes_to_a_verdict_that_is_not_holds(audited: tuple[str, int, Any]) -> None:
    assert audited[1] in (10, 11)


def test_every_frame_is_in_one_counter(audited: tuple[str, int, Any]) -> None:
    coverage = audited[2]["coverage"]
    others = sum(coverage["undecoded"].values()) + sum(coverage["no_destination"].values())
    assert coverage["frames"] == coverage["packets"] + others


FRAMES = {
    "half_open_flows": MILLION,
    "fragments": MILLION,
    "empty_records": 100_000,
    "interfaces": 1,
    "records_in_gzip": MILLION,
    "compression_loops": 4000,
    "nested_tunnels": 500,
    "jumping_times": 2000,
    "names_of_every_byte": 256,
    "alike_keys": 300_000,
}


def test_nothing_was_skipped(audited: tuple[str, int, Any]) -> None:
    name, _, audit = audited
    coverage = audit["coverage"]
    if name in FRAMES:
        assert coverage["frames"] == FRAMES[name]
    else:
        assert coverage["damage"]


def test_the_report_stays_small(audited: tuple[str, int, Any]) -> None:
    assert len(audited[2]["observations"]) <= 20_002
