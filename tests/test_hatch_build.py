"""The build goes on without a compiler, and says why there is no library."""

import runpy
import shutil
from pathlib import Path

import pytest

from egress_audit.compiled.sources import mark_of_sources

ROOT = Path(__file__).parent.parent
HOOK = runpy.run_path(str(ROOT / "hatch_build.py"))
COMPILER = shutil.which("cc")


def why_not_compiled(library: Path) -> str:
    """Why there is no library after an attempt to build one."""
    with pytest.raises(HOOK["NotCompiled"]) as raised:
        HOOK["compile_hot_path"](library=library)
    assert not [*library.parent.iterdir()]
    return str(raised.value)


def test_without_a_compiler_there_is_no_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    assert why_not_compiled(tmp_path / "hot_path.so") == "no C compiler was found"


def test_of_a_compiler_that_fails_the_first_line_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "sh -c 'echo first >&2; echo second >&2; exit 3'")
    assert why_not_compiled(tmp_path / "hot_path.so") == "the C compiler failed: first"


def test_a_library_from_before_does_not_outlive_a_compiler_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "hot_path.so"
    library.write_bytes(b"from before")
    monkeypatch.setenv("CC", "false")
    assert why_not_compiled(library) == "the C compiler failed: it left with 1"


@pytest.mark.skipif(COMPILER is None, reason="no C compiler on this machine")
def test_what_is_compiled_bears_the_mark_of_its_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CC", raising=False)
    library = tmp_path / "hot_path.so"
    HOOK["compile_hot_path"](["-Werror"], library)
    assert mark_of_sources().encode() in library.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["hot_path.so"]
