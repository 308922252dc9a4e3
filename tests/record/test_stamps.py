"""Caches and stamps are found where the variables put them."""

import os
from pathlib import Path

import pytest

from egress_audit.record.stamps import DAY_S, cache_folders, place, stamps
from tests.builders.namespaces import in_child

NOW_S = 2_000_000_000.0


def stamp(folder: Path, name: str = ".agent_harnesses.json", age_s: float = 60) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (NOW_S - age_s, NOW_S - age_s))
    return path


def found(home: Path, **environ: str) -> list[tuple[str, bool]]:
    return [(one.path, one.silences) for one in stamps(str(home), environ, NOW_S)]


def test_a_young_stamp_silences(tmp_path: Path) -> None:
    path = stamp(tmp_path / ".cache" / "huggingface")
    assert found(tmp_path) == [(str(path), True)]


def test_an_old_stamp_silences_nothing(tmp_path: Path) -> None:
    path = stamp(tmp_path / ".cache" / "huggingface", age_s=DAY_S)
    assert found(tmp_path) == [(str(path), False)]


@pytest.mark.parametrize(
    ("variable", "below"), [("HF_HOME", ""), ("XDG_CACHE_HOME", "huggingface")]
)
def test_a_stamp_is_where_a_variable_puts_it(tmp_path: Path, variable: str, below: str) -> None:
    stamp(tmp_path / "home" / ".cache" / "huggingface")
    path = stamp(tmp_path / "moved" / below)
    assert found(tmp_path / "home", **{variable: str(tmp_path / "moved")}) == [(str(path), True)]


def test_a_stamp_is_named_by_its_real_folder(tmp_path: Path) -> None:
    path = stamp(tmp_path / "disk")
    (tmp_path / "home" / ".cache").mkdir(parents=True)
    (tmp_path / "home" / ".cache" / "huggingface").symlink_to(tmp_path / "disk")
    assert found(tmp_path / "home") == [(str(path), True)]


def test_another_file_is_no_stamp(tmp_path: Path) -> None:
    stamp(tmp_path / ".cache" / "huggingface", name="token")
    assert found(tmp_path) == []


def test_caches_are_those_of_home_and_those_of_variables(tmp_path: Path) -> None:
    usual = tmp_path / "home" / ".ollama" / "models"
    named = tmp_path / "torch"
    for folder in (usual, named):
        folder.mkdir(parents=True)
    environ = {"TORCH_HOME": str(named), "HF_HOME": str(tmp_path / "absent")}
    assert cache_folders(str(tmp_path / "home"), environ) == [str(named), str(usual)]


def test_a_list_of_folders_names_each(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    named = os.pathsep.join(str(folder) for folder in folders)
    assert cache_folders(str(tmp_path), {"NLTK_DATA": named}) == [str(path) for path in folders]


def test_a_relative_variable_names_no_cache(tmp_path: Path) -> None:
    assert cache_folders(str(tmp_path), {"HF_HOME": "."}) == []


def test_the_xdg_folders_move_what_lies_below_them() -> None:
    environ = {"XDG_CACHE_HOME": "/data/cache"}
    assert place("/home/a", ".cache/torch", environ) == "/data/cache/torch"
    assert place("/home/a", ".cached/torch", environ) == "/home/a/.cached/torch"


def test_behind_a_closed_folder_nothing_is_found_and_nothing_fails(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    stamp(closed / ".cache" / "huggingface")
    for parent in (tmp_path.parent.parent, tmp_path.parent, tmp_path):
        parent.chmod(0o755)
    closed.chmod(0)

    def nothing() -> tuple[list[tuple[str, bool]], list[str]]:
        return found(closed), cache_folders(str(closed), {"HF_HOME": str(closed / "x")})

    assert in_child(nothing, as_nobody=True) == ([], [])
    closed.chmod(0o700)
