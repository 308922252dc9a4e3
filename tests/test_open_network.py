"""A run with the real network: it works, all of it is recorded, and nobody else is touched.

The internet is one server in a network namespace; passt runs as it would on a host.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from egress_audit.errors import EgressAuditError
from egress_audit.evidence.account import read_account
from egress_audit.model.run import Network, Role, Rung
from egress_audit.record.plan import RunPlan
from egress_audit.record.run import record
from egress_audit.record.tun import make_node
from tests.builders.fake_internet import (
    REFUSED,
    SERVER4,
    SERVER6,
    STUB,
    STUB_WEB,
    UPLINK,
    WEB,
    Host,
    on_a_host,
)
from tests.builders.namespaces import in_child

PYTHON = "/usr/bin/python3"

pytestmark = [
    pytest.mark.opens_sockets,
    pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="makes a host as root"),
    pytest.mark.skipif(not Path(PYTHON).exists(), reason=f"needs {PYTHON} to run as nobody"),
]
needs_passt = pytest.mark.skipif(shutil.which("passt") is None, reason="needs the package passt")
needs_nft = pytest.mark.skipif(shutil.which("nft") is None, reason="needs the package nftables")

HEAD = """
import socket, sys, urllib.request
def said(ask):
    try:
        print(ask(), flush=True)
    except OSError as error:
        print(type(error).__name__, flush=True)
def length(url):
    return len(urllib.request.urlopen(url, timeout=5).read())
def connect(address, port):
    return bool(socket.create_connection((address, port), 2))
"""
LENGTH = 3_000_000
DOWNLOAD = f'said(lambda: length("http://{SERVER4}:{WEB}/{LENGTH}"))\n'


@dataclass
class Told:
    """What is left of one run."""

    printed: list[str]
    events: list[dict[str, Any]]
    capture: bytes
    uplink: list[bytes]
    host_before: list[str]
    host_after: list[str]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == kind]


def state_of_the_host() -> list[str]:
    """Links, routes, forwarding and nft rules."""
    routes = [
        [line.split()[:2] for line in Path("/proc/self/net", name).read_text().splitlines()]
        for name in ("route", "ipv6_route")
    ]
    settings = Path("/proc/sys/net")
    links = sorted(entry.name for entry in (settings / "ipv4/conf").iterdir())
    names = ["ipv4/ip_forward", f"ipv4/conf/{UPLINK}/forwarding", "ipv6/conf/all/forwarding"]
    nft = shutil.which("nft")
    rules = ""
    if nft is not None:
        rules = subprocess.run([nft, "list", "ruleset"], capture_output=True, text=True).stdout
    return [str(routes), str(links), *((settings / name).read_text() for name in names), rules]


def settled_state() -> list[str]:
    """The same once nothing changes any more, which takes the guardian a moment."""
    deadline = time.monotonic() + 5
    state = state_of_the_host()
    while any(name in str(state) for name in ("'eg", "table")) and time.monotonic() < deadline:
        time.sleep(0.05)
        state = state_of_the_host()
    return state


def plan_of(script: str, rung: Rung = Rung.TUN) -> RunPlan:
    return RunPlan(
        (PYTHON, "-c", HEAD + script),
        network=Network.OPEN,
        rungs=(rung,),
        observe_s=25,
        home="fresh",
        folder="/",
        environment={"HOME": "/tmp", "PATH": os.environ["PATH"]},
    )


def told_of(
    script: str,
    *,
    as_nobody: bool = False,
    resolver: str = SERVER4,
    ipv6: bool = True,
    path: str | None = None,
    rung: Rung = Rung.TUN,
) -> Told:
    """What a run of a Python script leaves, on a host of its own; path: PATH of the recorder."""

    def there(host: Host, folder: str) -> Told:
        output, bundle = Path(folder, "output"), Path(folder, "bundle")
        output.touch()
        make_node("/mnt")

        def recorded() -> None:
            os.dup2(os.open(output, os.O_WRONLY | os.O_APPEND), 1)
            os.environ["PATH"] = path or os.environ["PATH"]
            record(plan_of(script, rung), bundle)

        output.chmod(0o666)
        before = state_of_the_host()
        in_child(recorded, as_nobody=as_nobody)
        with (bundle / "events.jsonl").open("rb") as stream:
            account = read_account(stream)
        assert account.complete
        lines = (bundle / "events.jsonl").read_text().splitlines()
        return Told(
            output.read_text().splitlines(),
            [json.loads(line) for line in lines],
            (bundle / "capture.pcapng").read_bytes(),
            host.uplink_frames(),
            before,
            settled_state(),
        )

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        return on_a_host(lambda host: there(host, folder), resolver=resolver, ipv6=ipv6)


def without_passt(folder: Path) -> str:
    """A PATH on which nft is, and passt is not."""
    nft = shutil.which("nft")
    assert nft is not None
    (folder / "nft").symlink_to(nft)
    return str(folder)


USERS = pytest.mark.parametrize(
    "as_nobody", [pytest.param(False, id="root"), pytest.param(True, id="nobody")]
)


@needs_passt
@USERS
def test_a_download_comes_through_and_is_in_the_capture(as_nobody: bool) -> None:
    told = told_of(DOWNLOAD, as_nobody=as_nobody)
    assert told.printed == [str(LENGTH)]
    assert len(told.capture) > LENGTH


@needs_passt
@USERS
def test_names_are_answered_by_the_real_resolver(as_nobody: bool) -> None:
    ask = 'said(lambda: sorted({row[4][0] for row in socket.getaddrinfo("host.example", 80)}))'
    told = told_of(ask, as_nobody=as_nobody)
    assert told.printed == [str([SERVER6, SERVER4])]
    assert told.of("begin")[0]["resolvers"] == [SERVER4]
    assert told.of("name") == []


@needs_passt
def test_a_resolver_on_the_loopback_of_the_host_answers_too() -> None:
    told = told_of('said(lambda: socket.gethostbyname("host.example"))', resolver=STUB)
    assert told.printed == [SERVER4]


@needs_passt
def test_ipv6_works_where_the_host_has_it() -> None:
    told = told_of(f'said(lambda: length("http://[{SERVER6}]:{WEB}/7000"))')
    assert told.printed == ["7000"]


@needs_passt
def test_ipv6_is_refused_at_once_where_the_host_has_none() -> None:
    script = f'said(lambda: connect("{SERVER6}", {WEB}))\n' + DOWNLOAD
    assert told_of(script, ipv6=False).printed == ["ConnectionRefusedError", str(LENGTH)]


@needs_passt
def test_a_port_that_nobody_listens_on_cannot_be_connected_to() -> None:
    (printed,) = told_of(f'said(lambda: connect("{SERVER4}", {REFUSED}))').printed
    # passt of 2023 lets a refusal time out.
    assert printed in ("ConnectionRefusedError", "TimeoutError")


@needs_passt
@USERS
def test_neither_loopback_nor_gateway_leads_to_servers_of_the_host(as_nobody: bool) -> None:
    ask = "".join(
        f'said(lambda: connect("{address}", {STUB_WEB}))\n'
        for address in ("127.0.0.1", "10.87.0.1", "10.87.0.2", SERVER4)
    )
    told = told_of(ask, as_nobody=as_nobody, resolver=STUB)
    assert len(told.printed) == 4
    assert "True" not in told.printed


@needs_passt
def test_every_packet_of_the_program_has_its_owner() -> None:
    told = told_of(DOWNLOAD)
    assert told.of("unattributed") == []
    program = {row["id"] for row in told.of("process") if row["role"] == Role.TARGET}
    assert {row["process"] for row in told.of("owner")} & program


@needs_passt
@USERS
def test_nothing_is_lost(as_nobody: bool) -> None:
    assert [row["dropped"] for row in told_of(DOWNLOAD, as_nobody=as_nobody).of("loss")] == [0, 0]


def assert_probes_stay(told: Told) -> None:
    probes = told.of("probe")
    assert len(probes) == 8
    assert all(probe["frame"] for probe in probes)
    assert told.uplink
    for probe in probes:
        assert probe["nonce"].encode() in told.capture
        assert not any(probe["nonce"].encode() in frame for frame in told.uplink)


@needs_passt
@USERS
def test_probes_are_seen_and_never_leave_the_host(as_nobody: bool) -> None:
    assert_probes_stay(told_of(DOWNLOAD, as_nobody=as_nobody))


@needs_passt
@USERS
def test_the_host_is_as_it_was(as_nobody: bool) -> None:
    told = told_of(DOWNLOAD, as_nobody=as_nobody)
    assert told.host_after == told.host_before


@needs_nft
def test_root_gets_out_without_passt_and_leaves_the_host_as_it_was(tmp_path: Path) -> None:
    told = told_of(DOWNLOAD, path=without_passt(tmp_path))
    assert told.printed == [str(LENGTH)]
    assert told.host_after == told.host_before
    assert [row["dropped"] for row in told.of("loss")] == [0, 0]
    assert_probes_stay(told)


@needs_passt
@USERS
def test_a_pair_of_links_serves_where_the_sandbox_has_no_tun(as_nobody: bool) -> None:
    told = told_of(DOWNLOAD, as_nobody=as_nobody, rung=Rung.VETH)
    assert told.printed == [str(LENGTH)]
    assert_probes_stay(told)


@needs_nft
def test_a_pair_of_links_serves_without_passt_too(tmp_path: Path) -> None:
    told = told_of(DOWNLOAD, path=without_passt(tmp_path), rung=Rung.VETH)
    assert told.printed == [str(LENGTH)]


def test_an_ordinary_user_without_passt_is_told_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(EgressAuditError) as raised:
        told_of(DOWNLOAD, as_nobody=True, path=str(tmp_path))
    assert "passt" in raised.value.hint


def killed(path: str | None) -> tuple[list[str], list[str], list[str]]:
    """The state of the host before, during and after a run whose recorder is killed, each with the
    processes of the run."""

    def there(host: Host, folder: str) -> tuple[list[str], list[str], list[str]]:
        make_node("/mnt")
        before = [*state_of_the_host(), str(ours(folder))]
        caller = os.fork()
        if caller == 0:
            os.environ["PATH"] = path or os.environ["PATH"]
            record(plan_of(f"# {folder}\nimport time; time.sleep(50)"), Path(folder, "bundle"))
            os._exit(0)
        running = until(lambda: any("sleep" in line for line in ours(folder)))
        assert running
        during = [*state_of_the_host(), str(ours(folder))]
        recorder = int(Path(f"/proc/{caller}/task/{caller}/children").read_text().split()[0])
        os.kill(recorder, signal.SIGKILL)
        os.waitpid(caller, 0)
        until(lambda: not ours(folder))
        return before, during, [*settled_state(), str(ours(folder))]

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        return on_a_host(lambda host: there(host, folder))


def until(done: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not (over := done()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return over


def ours(folder: str) -> list[str]:
    """Command lines in our network namespace, and those that name a folder."""
    here, found = Path("/proc/self/ns/net").stat().st_ino, []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            in_sight = (process / "ns/net").stat().st_ino == here and line.startswith("passt ")
            if folder in line or in_sight:
                found.append(line)
    return found


@needs_passt
def test_a_killed_recorder_takes_the_program_and_passt_with_it() -> None:
    before, during, after = killed(None)
    assert "passt -f" in during[-1]
    assert after == before


@needs_nft
def test_a_killed_recorder_leaves_no_rule_link_or_setting(tmp_path: Path) -> None:
    before, during, after = killed(without_passt(tmp_path))
    assert "masquerade" in during[-2]
    assert after == before
