"""Unix sockets of the host that can be reached from inside, and those that cannot."""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from egress_audit.record import host_sockets as module
from egress_audit.record.host_sockets import reachable_sockets
from egress_audit.record.inside import O_PATH, Inside

pytestmark = pytest.mark.opens_sockets

STREAM, DGRAM, SEQPACKET = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET


class Host:
    """Sockets of this host, and a process that sees the whole of it or one folder."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack = stack
        self.folder = folder

    def socket(self, name: str, kind: int = STREAM, *, listens: bool = True) -> str:
        """The path of a bound socket."""
        made = self._stack.enter_context(socket.socket(socket.AF_UNIX, kind))
        path = str(self.folder / name)
        made.bind(path)
        if listens and kind != DGRAM:
            made.listen()
        return path

    def reachable(self, root: str = "/") -> list[str]:
        """Those of our folder that can be reached from a root."""
        inside = Inside(os.open(root, O_PATH | os.O_DIRECTORY))
        found = reachable_sockets(inside)
        inside.close()
        return [path for path in found if path.startswith(str(self.folder))]


@pytest.fixture
def host() -> Iterator[Host]:
    # A short path: an address has room for 108 bytes, and pytest's folders may lie deep.
    with tempfile.TemporaryDirectory(prefix="s-", dir="/tmp") as folder, ExitStack() as stack:
        yield Host(stack, Path(folder))


@pytest.mark.parametrize("kind", [STREAM, SEQPACKET, DGRAM])
def test_a_socket_that_others_can_send_to_is_reachable(host: Host, kind: int) -> None:
    path = host.socket("s", kind)
    assert host.reachable() == [path]


def test_a_socket_that_does_not_listen_is_not_reachable(host: Host) -> None:
    host.socket("s", listens=False)
    assert host.reachable() == []


def test_a_socket_that_is_not_shown_inside_is_not_reachable(host: Host) -> None:
    host.socket("s")
    (host.folder / "empty").mkdir()
    assert host.reachable(str(host.folder / "empty")) == []


def test_another_file_with_the_same_path_inside_is_not_that_socket(host: Host) -> None:
    path = host.socket("s")
    there = Path(f"{host.folder}/root{path}")
    there.parent.mkdir(parents=True)
    there.touch()
    assert host.reachable(str(host.folder / "root")) == []


def test_the_same_socket_by_another_link_is_reachable(host: Host) -> None:
    path = host.socket("s")
    there = Path(f"{host.folder}/root{path}")
    there.parent.mkdir(parents=True)
    there.hardlink_to(path)
    assert host.reachable(str(host.folder / "root")) == [path]


def test_a_socket_whose_file_is_gone_is_not_reachable(host: Host) -> None:
    Path(host.socket("s")).unlink()
    assert host.reachable() == []


def test_an_abstract_socket_is_not_reachable(host: Host) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"\0{host.folder}/s")
        made.listen()
        assert host.reachable() == []


def test_a_path_with_blanks_is_whole(host: Host) -> None:
    path = host.socket("a socket of ours")
    assert host.reachable() == [path]


@pytest.mark.parametrize("rest", ["\n1 2 3 zz zz 6 7 /x", "\n0: 1 0 10000 1 1 9 /etc/passwd", "\n"])
def test_a_path_with_line_ends_hides_no_other(host: Host, rest: str) -> None:
    host.socket("hostile" + rest.replace("/", ":"))
    path = host.socket("s")
    assert path in host.reachable()


def test_a_line_that_is_no_socket_is_passed_over(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = host.socket("s")
    (host.folder / "h").mkdir()
    with socket.socket(socket.AF_UNIX) as made:
        # As a path that holds a line of eight words, of which two are no numbers.
        monkeypatch.chdir(host.folder / "h")
        (host.folder / "h" / "\n1 2 3 zz zz 6 7 ").mkdir()
        made.bind("\n1 2 3 zz zz 6 7 /x")
        assert host.reachable() == [path]


def test_many_are_sorted(host: Host) -> None:
    paths = [host.socket(name) for name in ("c", "a", "b")]
    assert host.reachable() == sorted(paths)


def test_a_host_that_does_not_tell_its_sockets_is_no_host_without_any(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TABLE", str(host.folder / "hidden"))
    with pytest.raises(FileNotFoundError):
        host.reachable()
