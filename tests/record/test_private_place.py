"""What is private is told by the file system that a path lies in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from egress_audit.record.inside import Inside
from egress_audit.record.private_place import ALL_PRIVATE, Private
from tests.builders.call_world import PID

OTHER = "/proc/sys"
"""A folder of another file system than that of any test."""


@pytest.fixture
def inside() -> Iterator[Inside]:
    made = Inside.of(PID)
    yield made
    made.close()


def test_what_is_made_in_a_private_folder_is_private(inside: Inside, tmp_path: Path) -> None:
    assert Private.of(inside, [str(tmp_path)]).holds(inside, PID, f"{tmp_path}/new")


def test_what_is_made_elsewhere_is_not(inside: Inside, tmp_path: Path) -> None:
    assert not Private.of(inside, [OTHER]).holds(inside, PID, f"{tmp_path}/new")
    assert not Private.of(inside, []).holds(inside, PID, f"{tmp_path}/new")


def test_a_way_through_a_descriptor_is_followed(inside: Inside, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/proc/self/cwd")
    for path in ("/proc/self/cwd/new", f"{tmp_path}/link/new"):
        assert not Private.of(inside, [OTHER]).holds(inside, PID, path)


def test_a_folder_that_is_not_there_is_an_error(inside: Inside, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Private.of(inside, [str(tmp_path / "gone")]).holds(inside, PID, f"{tmp_path}/no/new")


def test_where_all_is_private_nothing_is_asked(inside: Inside) -> None:
    assert ALL_PRIVATE.holds(inside, PID, "/no/such/folder")
