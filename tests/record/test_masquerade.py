"""The host's own forwarding is borrowed, and given back however we end."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from egress_audit.record.masquerade import Masquerade, uplink_mtu
from egress_audit.record.passt import NoPassage
from tests.builders.fake_internet import UPLINK, Host, on_a_host

pytestmark = [
    pytest.mark.opens_sockets,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make a host"),
]
needs_nft = pytest.mark.skipif(shutil.which("nft") is None, reason="needs the package nftables")


def forwarding() -> str:
    return Path(f"/proc/sys/net/ipv4/conf/{UPLINK}/forwarding").read_text().strip()


def tables() -> str:
    return subprocess.run(["nft", "list", "tables"], capture_output=True, text=True).stdout


@needs_nft
def test_the_uplink_forwards_while_it_is_there_and_not_before_or_after() -> None:
    def seen(host: Host) -> list[str]:
        before = forwarding()
        way = Masquerade(1500)
        during = forwarding()
        way.close()
        return [before, during, forwarding()]

    assert on_a_host(seen) == ["0", "1", "0"]


@needs_nft
def test_an_uplink_that_forwarded_before_goes_on_doing_so() -> None:
    def seen(host: Host) -> str:
        Path(f"/proc/sys/net/ipv4/conf/{UPLINK}/forwarding").write_text("1")
        Masquerade(1500).close()
        return forwarding()

    assert on_a_host(seen) == "1"


@needs_nft
def test_its_table_and_its_device_go_with_it() -> None:
    def seen(host: Host) -> tuple[bool, str, bool]:
        way = Masquerade(1500)
        had = way.name in tables() and Path(f"/sys/class/net/{way.name}").parent.exists()
        way.close()
        return had, tables(), Path(f"/proc/sys/net/ipv4/conf/{way.name}").exists()

    assert on_a_host(seen) == (True, "", False)


def test_without_nft_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoPassage) as raised:
        Masquerade(1500)
    assert "nftables" in raised.value.hint


def test_a_host_without_the_device_says_where_it_was_missed(tmp_path: Path) -> None:
    if shutil.which("nft") is None:
        pytest.skip("needs the package nftables")
    with pytest.raises(NoPassage) as raised:
        Masquerade(1500, str(tmp_path / "tun"))
    assert raised.value.where == str(tmp_path / "tun")


def test_an_mtu_that_is_not_said_is_that_of_ethernet() -> None:
    # /sys is the host's own here, which has no such link.
    assert on_a_host(lambda host: uplink_mtu()) == 1500
