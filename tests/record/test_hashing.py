"""A file has the hash of its content, unless it cannot be read or somebody has had enough."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from egress_audit.record import hashing
from egress_audit.record.hashing import CHUNK, Hashing
from egress_audit.record.inside import Inside


@pytest.fixture
def inside() -> Iterator[Inside]:
    with closing(Inside.of(os.getpid())) as made:
        yield made


class Patience:
    """Somebody who waits for so many looks at a file, and sees which file it is."""

    def __init__(self, looks: int) -> None:
        self.seen: list[str] = []
        self._looks = looks

    def had_enough(self) -> bool:
        return len(self.seen) >= self._looks


def hashed(inside: Inside, path: Path, patience: Patience) -> str | None:
    return Hashing(inside, patience.seen.append, patience.had_enough).sha256_of(str(path))


def endless() -> Patience:
    return Patience(1 << 30)


def test_the_hash_is_that_of_the_content(inside: Inside, tmp_path: Path) -> None:
    content = os.urandom(3 * CHUNK + 1)
    (tmp_path / "m").write_bytes(content)
    expected = hashlib.sha256(content).hexdigest()
    assert hashed(inside, tmp_path / "m", endless()) == expected


def test_an_empty_file_has_a_hash(inside: Inside, tmp_path: Path) -> None:
    (tmp_path / "m").touch()
    assert hashed(inside, tmp_path / "m", endless()) == hashlib.sha256().hexdigest()


def test_who_waits_is_shown_the_file_again_and_again(inside: Inside, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(bytes(3 * CHUNK))
    patience = endless()
    hashed(inside, tmp_path / "m", patience)
    assert patience.seen == [str(tmp_path / "m")] * 4


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_what_cannot_be_read_has_no_hash(inside: Inside, tmp_path: Path, name: str) -> None:
    assert hashed(inside, tmp_path / name, endless()) is None


def test_who_has_had_enough_in_the_middle_of_a_huge_file_gets_no_hash_of_it(
    inside: Inside, tmp_path: Path
) -> None:
    with (tmp_path / "m").open("wb") as stream:
        stream.truncate(1 << 40)
    patience = Patience(3)
    assert hashed(inside, tmp_path / "m", patience) is None
    assert len(patience.seen) == 3


def test_when_the_time_is_up_nothing_more_is_hashed(
    inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m").write_bytes(b"content")
    monkeypatch.setattr(hashing, "MOST_S", 0.0)
    assert hashed(inside, tmp_path / "m", endless()) is None
