"""Files that are given as lists and are none: what is said of each."""

import gzip
from pathlib import Path

import pytest

from egress_audit.errors import ListUnreadable
from egress_audit.ranges.unfit_files import refuse_what_is_no_text, what_is_wrong
from tests.builders.address_lists import mmdb_bytes

ROW = b"192.0.2.0,192.0.2.255,JP\n"


def written(folder: Path, content: bytes, name: str = "list.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "what", "remedy"),
    [
        (b"", "is empty", "download it again"),
        (gzip.compress(mmdb_bytes(), mtime=0), "is packed with gzip", "gunzip it first"),
        (b"\x28\xb5\x2f\xfd\0", "is packed with zstd", "unzstd it first"),
        (b"PK\x03\x04", "is packed with zip", "unzip it first"),
        (mmdb_bytes()[:100], "is damaged, or no MMDB file", "download it again"),
    ],
)
def test_a_list_that_cannot_be_read_is_told_as_what_it_is(
    tmp_path: Path, content: bytes, what: str, remedy: str
) -> None:
    told, hint = what_is_wrong(written(tmp_path, content))
    assert told == what and hint.startswith(remedy)


def test_a_list_that_is_gone_is_damaged(tmp_path: Path) -> None:
    assert what_is_wrong(tmp_path / "gone")[0].startswith("is damaged")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "list.csv"),
        (mmdb_bytes()[:100], "list.csv"),
        (gzip.compress(mmdb_bytes(), mtime=0), "list.mmdb.gz"),
        (ROW, "list.mmdb"),
    ],
    ids=["empty", "cut off", "packed", "called an MMDB"],
)
def test_what_must_be_an_mmdb_and_is_none_is_no_text(
    tmp_path: Path, content: bytes, name: str
) -> None:
    with pytest.raises(ListUnreadable):
        refuse_what_is_no_text(written(tmp_path, content, name))


@pytest.mark.parametrize(
    "content", [ROW, gzip.compress(ROW, mtime=0), gzip.compress(ROW, mtime=0)[:5], b"\xe9,\n"]
)
def test_text_is_left_to_whoever_reads_it(tmp_path: Path, content: bytes) -> None:
    refuse_what_is_no_text(written(tmp_path, content))
