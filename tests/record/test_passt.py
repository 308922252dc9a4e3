"""passt is started as the program's user, and ends when we do."""

import os
import shutil
import time
from pathlib import Path

import pytest

from egress_audit.record.netlink import Links
from egress_audit.record.passt import NoPassage, passt_path, start_passt
from egress_audit.record.privileges import NOBODY, TargetUser
from tests.builders.fake_internet import UPLINK, Host, on_a_host

pytestmark = pytest.mark.opens_sockets
needs_passt = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("passt") is None,
    reason="needs root, to make a host, and the package passt",
)
USER = TargetUser(NOBODY, NOBODY, (), "/", "nobody")


def test_a_path_without_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoPassage) as raised:
        start_passt(USER, forwards_dns=False)
    assert "passt" in raised.value.hint


def test_pasta_alone_is_the_same_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pasta = tmp_path / "pasta"
    pasta.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert passt_path() == str(pasta)


@needs_passt
def test_it_runs_as_the_user_and_is_gone_when_closed() -> None:
    def lives(host: Host) -> tuple[int, bool]:
        passt = start_passt(USER, forwards_dns=False)
        uid = Path(f"/proc/{passt.pid}").stat().st_uid
        passt.close()
        return uid, Path(f"/proc/{passt.pid}").exists()

    assert on_a_host(lives) == (NOBODY, False)


@needs_passt
def test_it_ends_when_our_end_of_the_socket_does() -> None:
    def ends(host: Host) -> bool:
        passt = start_passt(USER, forwards_dns=False)
        os.close(passt.fileno())
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if os.waitpid(passt.pid, os.WNOHANG)[0]:
                return True
            time.sleep(0.01)
        return False

    assert on_a_host(ends)


@needs_passt
def test_on_a_host_without_a_network_it_says_why() -> None:
    def refused(host: Host) -> str:
        with Links() as links:
            links.delete(UPLINK)
        with pytest.raises(NoPassage) as raised:
            start_passt(USER, forwards_dns=False)
        return raised.value.what

    assert "nterface" in on_a_host(refused)
