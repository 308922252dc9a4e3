"""Paths through links of /proc, walked as the kernel would for this process."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from egress_audit.record.inside import Inside
from egress_audit.record.magic_links import behind_links, what_is_at

PID = os.getpid()


@pytest.fixture
def inside() -> Iterator[Inside]:
    made = Inside.of(PID)
    yield made
    made.close()


@pytest.mark.parametrize("walk", [behind_links, what_is_at])
@pytest.mark.parametrize("way", ["{0}/file", "{0}/./none/../file", "{0}/link", "{0}/far/file"])
def test_an_ordinary_path_leads_where_the_kernel_says(
    inside: Inside, tmp_path: Path, way: str, walk: object
) -> None:
    assert callable(walk)
    (tmp_path / "none").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "far").symlink_to(tmp_path)
    assert walk(inside, PID, way.format(tmp_path)).st_ino == (tmp_path / "file").stat().st_ino


@pytest.mark.parametrize("folder", ["/proc/self/fd", "/dev/fd", "/proc/PID/fd"])
def test_a_descriptor_is_what_it_is_open_at(inside: Inside, tmp_path: Path, folder: str) -> None:
    with (tmp_path / "file").open("wb") as made:
        found = what_is_at(inside, PID, f"{folder}/{made.fileno()}".replace("PID", str(PID)))
        assert found is not None
        assert found.st_ino == (tmp_path / "file").stat().st_ino


@pytest.mark.parametrize(
    "path",
    [
        "/proc/self/root/tmp",
        "/proc/self/cwd",
        "/proc/PID/root",
        "/proc/PID/root/tmp",
        "/proc/self/fd/0/x",
        "/proc/self/task/1/fd/0",
    ],
)
def test_any_other_link_of_proc_cannot_be_told(inside: Inside, path: str) -> None:
    assert what_is_at(inside, PID, path.replace("PID", str(PID))) is None


@pytest.mark.parametrize(
    "path", ["/nowhere", "/nowhere/x", "/proc/self/fd/1048577", "/proc/self/x"]
)
def test_what_is_not_there_is_not_found(inside: Inside, path: str) -> None:
    with pytest.raises(FileNotFoundError):
        what_is_at(inside, PID, path)


def test_links_that_lead_in_a_circle_cannot_be_told(inside: Inside, tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert what_is_at(inside, PID, str(tmp_path / "a")) is None
