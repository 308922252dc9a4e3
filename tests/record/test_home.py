"""What is told of a HOME: stamps that could silence the program, caches that were covered."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from egress_audit.model.run import Stamp
from egress_audit.record import syscalls
from egress_audit.record.home import HomeView, fresh_home, overlay_home, real_home, told
from egress_audit.record.overlay import scratch
from egress_audit.record.stamps import FoundStamp
from tests.builders.namespaces import in_child

Result = TypeVar("Result")

YOUNG = FoundStamp("/young", "product", True)
OLD = FoundStamp("/old", "product", False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("scratch", "home/cache", "home/work", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "home" / "cache" / "stamp").touch()
    return tmp_path / "home"


def made(home: Path, make: Callable[[str], HomeView], look: Callable[[HomeView], Result]) -> Result:
    def inside() -> Result:
        with scratch(str(home.parent / "scratch")) as place:
            view = make(place)
        return look(view)

    return in_child(inside, namespaces=syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWNS)


def test_a_young_stamp_is_told_whether_hidden_or_not() -> None:
    assert told([YOUNG], set()) == (Stamp("/young", "product", False),)
    assert told([YOUNG], {"/young"}) == (Stamp("/young", "product", True),)


def test_an_old_stamp_is_told_only_if_it_was_hidden() -> None:
    assert told([OLD], set()) == ()
    assert told([OLD], {"/old"}) == (Stamp("/old", "product", True),)


def test_a_real_home_has_no_layers() -> None:
    assert real_home([YOUNG]) == HomeView((), (Stamp("/young", "product", False),), ())


def test_a_writable_cache_outside_of_home_is_copied_on_write(home: Path) -> None:
    cache = home.parent / "elsewhere"

    def look(view: HomeView) -> list[str]:
        (cache / "new").touch()
        return [layer.shown for layer in view.layers]

    shown = made(home, lambda place: overlay_home(str(home), [str(cache)], [], place), look)
    assert shown == [str(home), str(cache)]
    assert not (cache / "new").exists()


def test_a_stamp_in_a_cache_of_a_fresh_home_looks_old(home: Path) -> None:
    stamp = home / "cache" / "stamp"
    found = [FoundStamp(str(stamp), "product", True)]

    def look(view: HomeView) -> tuple[float, bool]:
        return stamp.stat().st_mtime, view.stamps[0].hidden

    changed_s, hidden = made(
        home, lambda place: fresh_home(str(home), [str(home / "cache")], {}, found, place), look
    )
    assert changed_s == 0.0
    assert hidden
    assert stamp.stat().st_mtime > 0


def test_in_a_fresh_home_the_working_folder_can_be_written_and_the_rest_is_gone(
    home: Path,
) -> None:
    (home / "private").touch()
    work = home / "work"

    def look(view: HomeView) -> list[str]:
        (work / "result").touch()
        return sorted(os.listdir(home))  # noqa: PTH208 (names alone)

    kept = {str(work): True}
    assert made(home, lambda place: fresh_home(str(home), [], kept, [], place), look) == ["work"]
    assert (work / "result").exists()
