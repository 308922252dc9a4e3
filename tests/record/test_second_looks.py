"""A path that leads elsewhere after a call than before it may have led there during it."""

import pytest

from egress_audit.record import second_looks
from egress_audit.record.second_looks import SecondLooks

TID, OTHER = 7, 8


class World:
    """Paths that lead out, those that were looked at, and attempts that may have come to one."""

    def __init__(self) -> None:
        self.outside: set[str] = set()
        self.seen: list[str] = []
        self.reached: list[int | None] = []
        self.looks = SecondLooks(self._leads_out, self.reached.append)

    def _leads_out(self, tid: int, path: str) -> bool:
        self.seen.append(path)
        return path in self.outside


@pytest.fixture
def world() -> World:
    made = World()
    made.looks.watch(TID, "/a", 1)
    made.looks.watch(OTHER, "/b", 2)
    return made


def test_a_path_is_looked_at_when_its_thread_calls_again(world: World) -> None:
    world.outside = {"/a", "/b"}
    world.looks.done(TID)
    assert (world.seen, world.reached) == (["/a"], [1])


def test_a_path_that_still_leads_nowhere_has_reached_nobody(world: World) -> None:
    world.looks.done(TID)
    assert (world.seen, world.reached) == (["/a"], [])


def test_a_sweep_looks_at_all_of_them_and_only_once(world: World) -> None:
    world.outside = {"/b"}
    world.looks.sweep()
    world.looks.sweep()
    assert (world.seen, world.reached) == (["/a", "/b"], [2])


def test_no_more_wait_than_so_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_looks, "MOST_WAITING", 2)
    world.looks.watch(TID, "/c", 3)
    assert world.seen == ["/a"]
