"""What a sandbox is made of on this host, and the word why it cannot be made."""

import os
from pathlib import Path

import pytest

from egress_audit.model.run import Rung
from egress_audit.record.sandbox import start
from egress_audit.record.setup import NoDevice, NoNamespaces, Setup
from egress_audit.record.syscalls import CLONE_NEWNS, CLONE_NEWUSER
from tests.builders.namespaces import in_child, links_of_the_host, mounts_of_the_host
from tests.builders.recorded_runs import Way, done_by, every_way, needs_namespaces

pytestmark = [pytest.mark.opens_sockets, needs_namespaces]


def looked_into(setup: Setup) -> tuple[Rung, list[str]]:
    """The rung of a sandbox that is made and ended, and the links of its network."""
    sandbox = start(setup)
    try:
        lines = Path(f"/proc/{sandbox.init}/net/dev").read_text(encoding="ascii").splitlines()
        return sandbox.rung, sorted(line.partition(":")[0].strip() for line in lines[2:])
    finally:
        sandbox.close()


def test_without_a_usable_tun_device_a_veth_pair_is_the_way_out() -> None:
    rung, links = in_child(
        lambda: looked_into(Setup((Rung.TUN, Rung.VETH), {}, tun_node="/dev/null")), as_nobody=True
    )
    assert rung is Rung.VETH
    assert "eg0" in links


def test_without_any_device_there_is_no_sandbox_and_a_word_why() -> None:
    with pytest.raises(NoDevice, match=r"tun: .*doctor"):
        in_child(
            lambda: looked_into(Setup((Rung.TUN,), {}, tun_node="/nowhere/tun")), as_nobody=True
        )


def test_without_namespaces_there_is_no_sandbox_and_a_word_why() -> None:
    def where_namespaces_are_forbidden() -> None:
        Path("/proc/sys/user/max_user_namespaces").write_text("0", encoding="ascii")
        start(Setup((Rung.TUN, Rung.VETH), {}))

    with pytest.raises(NoNamespaces, match="user namespaces are not to be had"):
        in_child(
            where_namespaces_are_forbidden,
            as_nobody=True,
            namespaces=CLONE_NEWUSER | CLONE_NEWNS,
        )


def test_a_host_without_namespaces_keeps_no_process_of_ours() -> None:
    def where_namespaces_are_forbidden() -> list[int]:
        Path("/proc/sys/user/max_user_namespaces").write_text("0", encoding="ascii")
        with pytest.raises(NoNamespaces):
            start(Setup((Rung.TUN, Rung.VETH), {}))
        try:
            return [os.waitpid(-1, os.WNOHANG)[0]]
        except ChildProcessError:
            return []

    left = in_child(
        where_namespaces_are_forbidden, as_nobody=True, namespaces=CLONE_NEWUSER | CLONE_NEWNS
    )
    assert not left


@every_way
def test_making_a_sandbox_leaves_mounts_and_links_of_the_host_alone(way: Way) -> None:
    before = mounts_of_the_host(), links_of_the_host()
    done_by(way, lambda: start(Setup((Rung.VETH,), {})).close())
    assert (mounts_of_the_host(), links_of_the_host()) == before
