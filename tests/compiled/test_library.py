"""The library is used where it was built of these sources, and nowhere else."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from egress_audit.compiled import library
from egress_audit.compiled.library import address, addresses, is_in_use
from egress_audit.compiled.sources import FOLDER, LIBRARY, MARK, mark_of_sources, sources
from tests.builders.both_engines import compiled, in_numpy


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the library is looked for; nothing is there."""
    path = tmp_path / LIBRARY.name
    monkeypatch.setattr(library, "LIBRARY", path)
    library._library.cache_clear()
    library.is_in_use.cache_clear()
    yield path
    library._library.cache_clear()
    library.is_in_use.cache_clear()


@pytest.mark.skipif(not LIBRARY.exists(), reason="no library was built: no C compiler")
def test_a_library_that_was_built_is_in_use() -> None:
    found = compiled(is_in_use)
    assert found, "the library is not of these sources: install egress-audit anew"


def test_it_can_be_switched_off() -> None:
    assert not in_numpy(is_in_use)


def test_without_a_library_none_is_in_use(elsewhere: Path) -> None:
    assert not is_in_use()


@pytest.mark.skipif(not LIBRARY.exists(), reason="no library was built: no C compiler")
def test_a_library_of_other_sources_is_not_used(elsewhere: Path) -> None:
    other = mark_of_sources()[:-1] + "x"
    elsewhere.write_bytes(LIBRARY.read_bytes().replace(mark_of_sources().encode(), other.encode()))
    assert not is_in_use()


def test_a_file_with_the_mark_that_is_no_library_is_not_used(elsewhere: Path) -> None:
    elsewhere.write_bytes(mark_of_sources().encode())
    assert not is_in_use()


def test_a_mark_without_a_digest_is_not_enough(elsewhere: Path) -> None:
    elsewhere.write_bytes(MARK.encode())
    assert not is_in_use()


def declared() -> dict[str, str]:
    """What C declares: a letter for each argument of each function."""
    text = "".join(path.read_text(encoding="utf-8") for path in sources())
    found = re.findall(r"^EXPORTED uint64_t (\w+)\((.*?)\)\n", text, re.MULTILINE | re.DOTALL)
    return {
        name: "".join("p" if "*" in argument else "n" for argument in arguments.split(","))
        for name, arguments in found
    }


def called() -> list[tuple[str, str]]:
    """What Python calls: names and signatures."""
    text = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py"))
    return re.findall(r'function\("(\w+)", "(\w+)"\)', text)


def test_every_call_has_the_arguments_that_c_declares() -> None:
    assert dict(called()) == declared()
    assert len({*called()}) == len(declared())


def test_every_number_that_c_takes_has_64_bits() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in sources())
    found = re.findall(r"^EXPORTED uint64_t \w+\((.*?)\)\n", text, re.MULTILINE | re.DOTALL)
    plain = [one.split() for all_of_one in found for one in all_of_one.split(",") if "*" not in one]
    assert {kind for kind, _ in plain} == {"uint64_t"}


def test_the_address_of_a_column_is_where_it_begins() -> None:
    column = np.zeros(4, np.int64)
    assert address(column, np.int64, 4) == column.ctypes.data
    assert addresses([(column, np.int64)], 4).tolist() == [column.ctypes.data]


@pytest.mark.parametrize("rows", [0, 4])
def test_so_it_is_of_one_that_must_not_be_written_to(rows: int) -> None:
    column = np.zeros(rows, np.int64)
    place = column.ctypes.data
    column.flags.writeable = False
    assert address(column, np.int64, rows) == place


@pytest.mark.parametrize(
    ("column", "rows"),
    [
        (np.zeros(3, np.int64), 4),
        (np.zeros(4, np.int32), 4),
        (np.zeros(4, ">i8"), 4),
        (np.zeros(8, np.int64)[::2], 4),
    ],
    ids=["too short", "of another type", "of another byte order", "with gaps"],
)
def test_a_column_that_c_would_misread_is_refused(
    column: "np.typing.NDArray[np.int64]", rows: int
) -> None:
    with pytest.raises(ValueError, match="no column"):
        address(column, np.int64, rows)
