"""Where a path of a unix socket leads, asked of the kernel by calls of this process itself."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from egress_audit.record import unix_paths
from egress_audit.record.private_place import Private
from tests.builders.call_world import LET_GO, World

pytestmark = pytest.mark.opens_sockets


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def listening(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    made.listen()
    return made


def test_a_socket_that_the_tree_did_not_bind_is_reached(world: World, tmp_path: Path) -> None:
    with listening(tmp_path / "s"):
        assert world.connects(str(tmp_path / "s")) == LET_GO
    assert world.wanted() == [("connect", "AF_UNIX", str(tmp_path / "s"), None)]
    assert world.outcomes == [(0, "reached")]


def test_a_datagram_whose_path_leads_elsewhere_afterwards_may_have_reached_it(
    world: World, tmp_path: Path
) -> None:
    world.binds(str(tmp_path / "own"))
    own, other = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2))
    with own, other:
        own.bind(str(tmp_path / "own"))
        other.bind(str(tmp_path / "others"))
        (tmp_path / "link").symlink_to("own")
        for _ in range(2):
            world.sends(str(tmp_path / "link"))
            assert world.outcomes == []
        (tmp_path / "link").unlink()
        (tmp_path / "link").symlink_to("others")
        world.calls.sweep()
    assert world.wanted()[1:] == [("sendto", "AF_UNIX", str(tmp_path / "link"), None)]
    assert world.outcomes == [(1, "reached")]


def test_a_datagram_to_a_socket_that_is_gone_afterwards_has_reached_nobody_else(
    world: World, tmp_path: Path
) -> None:
    world.binds(str(tmp_path / "own"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
        own.bind(str(tmp_path / "own"))
        world.sends(str(tmp_path / "own"))
    (tmp_path / "own").unlink()
    world.calls.sweep()
    assert world.outcomes == []


def test_a_socket_that_is_not_there_is_absent(world: World, tmp_path: Path) -> None:
    world.connects(str(tmp_path / "s"))
    assert world.outcomes == [(0, "absent")]


def test_a_file_that_is_no_socket_is_absent(world: World, tmp_path: Path) -> None:
    (tmp_path / "s").touch()
    world.connects(str(tmp_path / "s"))
    assert world.outcomes == [(0, "absent")]


def test_a_socket_that_the_tree_bound_leads_nowhere(world: World, tmp_path: Path) -> None:
    world.binds(str(tmp_path / "s"))
    with listening(tmp_path / "s"):
        world.connects(str(tmp_path / "s"))
    assert world.outcomes == []


@pytest.mark.parametrize("way", ["/proc/self/root", "/proc/thread-self/cwd/..", "link"])
def test_a_socket_behind_a_link_of_proc_is_reached(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    (tmp_path / "link").symlink_to("/proc/self/root")
    monkeypatch.chdir(tmp_path)
    with listening(tmp_path / "s"):
        world.connects(f"{way}/{tmp_path}/s")
    assert [outcome for _, outcome in world.outcomes] == ["reached"]


def test_a_link_where_the_tree_bound_a_socket_is_not_ours(world: World, tmp_path: Path) -> None:
    world.binds(str(tmp_path / "s"))
    with listening(tmp_path / "another"):
        (tmp_path / "s").symlink_to("another")
        world.connects(str(tmp_path / "s"))
    assert [outcome for _, outcome in world.outcomes] == ["reached"]


def test_a_socket_of_the_tree_by_another_name_leads_nowhere(world: World, tmp_path: Path) -> None:
    world.binds(str(tmp_path / "s"))
    (tmp_path / "link").symlink_to("s")
    with listening(tmp_path / "s"):
        world.connects(str(tmp_path / "link"))
    assert world.outcomes == []


def test_binding_where_a_socket_is_already_does_not_make_it_ours(
    world: World, tmp_path: Path
) -> None:
    with listening(tmp_path / "s"):
        world.binds(str(tmp_path / "s"))
        world.connects(str(tmp_path / "s"))
    assert [outcome for _, outcome in world.outcomes] == ["reached"]


def test_a_socket_moved_to_where_the_tree_bound_one_is_not_ours(
    world: World, tmp_path: Path
) -> None:
    with listening(tmp_path / "elsewhere"):
        time.sleep(0.03)  # Older than the bind by more than the clock of files may lag.
        world.binds(str(tmp_path / "s"))
        (tmp_path / "elsewhere").rename(tmp_path / "s")
        world.connects(str(tmp_path / "s"))
    assert [outcome for _, outcome in world.outcomes] == ["reached"]


def test_a_relative_path_is_that_of_its_process(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with listening(tmp_path / "s"):
        world.connects("s")
    assert world.outcomes == [(0, "reached")]


def test_a_relative_path_that_begins_as_an_abstract_name_is_followed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "@").mkdir()
    monkeypatch.chdir(tmp_path)
    with listening(tmp_path / "s"):
        world.connects("@/../s")
    assert world.outcomes == [(0, "reached")]


def test_dots_behind_a_link_lead_where_the_kernel_says(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "far/folder").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    (tmp_path / "here/link").symlink_to(tmp_path / "far/folder")
    monkeypatch.chdir(tmp_path / "here")
    with listening(tmp_path / "far/s"):
        world.connects("link/../s")
    assert world.outcomes == [(0, "reached")]


def test_an_abstract_name_leads_nowhere(world: World) -> None:
    world.connects("\0egress-audit-test")
    assert world.attempts[0]["address"] == "@egress-audit-test\0"
    assert world.outcomes == []


def test_no_more_bound_paths_are_kept_than_so_many(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unix_paths, "MOST_BOUND_PATHS", 1)
    for name in ("a", "b"):
        world.binds(str(tmp_path / name))
    with listening(tmp_path / "a"), listening(tmp_path / "b"):
        world.connects(str(tmp_path / "a"))
        world.connects(str(tmp_path / "b"))
    assert [outcome for _, outcome in world.outcomes] == ["reached"]


def test_a_socket_bound_where_the_host_sees_it_may_be_reached_from_there(tmp_path: Path) -> None:
    shared = World(private=Private(frozenset()))
    shared.binds(str(tmp_path / "own"))
    assert (shared.wanted()[0][0], shared.outcomes) == ("bind", [(0, "reached")])
    shared.close()


def test_one_bound_in_a_private_folder_may_not(world: World, tmp_path: Path) -> None:
    world.binds(str(tmp_path / "own"))
    assert world.outcomes == []


@pytest.mark.parametrize("name", ["there", "no/such/folder"])
def test_a_bind_that_the_kernel_will_refuse_shows_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "there").touch()
    shared = World(private=Private(frozenset()))
    shared.binds(str(tmp_path / name))
    assert shared.outcomes == []
    shared.close()
