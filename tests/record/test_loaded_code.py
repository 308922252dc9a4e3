"""Which libraries a process loaded: the caller is this process, or a program in a sandbox."""

import fcntl
import importlib.machinery
import importlib.util
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from egress_audit.model.run import Role
from egress_audit.model.versions import ProductVersion, VersionHow
from egress_audit.record import loaded_code as module
from egress_audit.record.loaded_code import LoadedCode
from egress_audit.record.processes import Task, start_time_of
from tests.builders.call_world import PID, World
from tests.builders.programs import python
from tests.builders.recorded_runs import Seen, Way, every_way, place, run_at

SUFFIX = importlib.machinery.EXTENSION_SUFFIXES[0]


def extension() -> Path:
    """An extension module that Python itself brings along, as a file of its own."""
    found = importlib.util.find_spec("_ctypes")
    assert found is not None and found.origin is not None
    return Path(found.origin)


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A site-packages with one library of machine code and one without."""
    return made(tmp_path / "venv" / "site-packages")


def made(packages: Path) -> Path:
    for package in ("fast", "plain"):
        (packages / package).mkdir(parents=True)
        (packages / package / "__init__.py").write_text("")
        info = packages / f"{package}_dist-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {package.title()}\nVersion: 1.2.post1\n\nbody\n")
        (info / "top_level.txt").write_text(f"{package}\n")
    shutil.copy(extension(), packages / "fast" / f"_ctypes{SUFFIX}")
    return packages


def renamed(packages: Path, name: str) -> Path:
    """The library of `packages` under another name: one that was loaded stays in memory."""
    return (packages / "fast").rename(packages / name) / f"_ctypes{SUFFIX}"


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


def task(world: World) -> Task:
    return world.processes.task(PID)


def loaded(code: LoadedCode) -> dict[str, bool]:
    """By module, whether it was found in memory."""
    return {one.module: code.is_mapped(one) for one in code}


def opened(world: World, *paths: Path | str) -> dict[str, bool]:
    code = LoadedCode()
    for path in paths:
        code.opened(task(world), str(path))
    code.sweep()
    return loaded(code)


# What counts


def test_a_module_whose_code_is_opened_was_loaded(world: World, packages: Path) -> None:
    assert opened(world, packages / "plain" / "__init__.py") == {"plain": False}


def test_a_library_that_is_opened_and_not_in_memory_was_opened(
    world: World, packages: Path
) -> None:
    assert opened(world, packages / "fast" / f"_ctypes{SUFFIX}") == {"fast": False}


@pytest.mark.parametrize(
    "path", ["plain", "plain/data.json", "plain_dist-1.2.dist-info/METADATA", "plain/none.py"]
)
def test_what_is_no_code_of_a_package_was_not(world: World, packages: Path, path: str) -> None:
    assert opened(world, packages / path) == {}


def test_who_holds_a_lease_on_code_notices_nothing(world: World, packages: Path) -> None:
    with (packages / "plain" / "__init__.py").open("r+") as held:
        fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        assert opened(world, held.name) == {"plain": False}
        assert fcntl.fcntl(held, fcntl.F_GETLEASE) == fcntl.F_WRLCK
        fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_UNLCK)


def test_a_fifo_called_like_code_was_not_loaded(world: World, packages: Path) -> None:
    os.mkfifo(packages / "plain" / "pipe.py")
    assert opened(world, packages / "plain" / "pipe.py") == {}


def test_code_that_lies_elsewhere_was_not(world: World, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("")
    assert opened(world, tmp_path / "app.py") == {}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("six.py", "six"),
        ("__pycache__/six.cpython-311.pyc", "six"),
        (f"_cffi_backend{SUFFIX}", "_cffi_backend"),
        ("plain/__pycache__/__init__.cpython-311.pyc", "plain"),
        ("old-1.0-py3.11.egg/old/__init__.py", "old-1.0-py3.11.egg"),
        ("plain/vendor/site-packages/inner/a.py", "inner"),
    ],
)
def test_a_module_is_called_by_its_package_or_file(
    world: World, packages: Path, path: str, name: str
) -> None:
    (packages / path).parent.mkdir(parents=True, exist_ok=True)
    (packages / path).touch()
    assert list(opened(world, packages / path)) == [name]


def test_libraries_that_a_wheel_brings_along_are_no_module(world: World, packages: Path) -> None:
    (packages / "fast.libs").mkdir()
    (packages / "fast.libs" / "libm-1.so.6").touch()
    assert opened(world, packages / "fast.libs" / "libm-1.so.6") == {}


def test_what_our_own_helpers_load_is_not_the_programs(packages: Path) -> None:
    world = World(role=Role.EXERCISER)
    assert opened(world, packages / "plain" / "__init__.py") == {}
    world.close()


# In memory


def load(path: Path) -> None:
    """Takes the library at this path into the memory of this process, for good."""
    loader = importlib.machinery.ExtensionFileLoader("_ctypes", str(path))
    spec = importlib.util.spec_from_loader("_ctypes", loader)
    assert spec is not None
    importlib.util.module_from_spec(spec)


def test_a_library_in_memory_is_found_there(world: World, packages: Path) -> None:
    load(packages / "fast" / f"_ctypes{SUFFIX}")
    assert opened(world, packages / "fast" / f"_ctypes{SUFFIX}") == {"fast": True}


@pytest.mark.parametrize(("sweeps", "found"), [(module.TRIES - 1, True), (module.TRIES, False)])
def test_a_library_is_looked_for_again_and_not_for_ever(
    world: World, tmp_path: Path, sweeps: int, found: bool
) -> None:
    path = renamed(made(tmp_path / f"{sweeps}" / "site-packages"), f"fast{sweeps}")
    code = LoadedCode()
    code.opened(task(world), str(path))
    for _ in range(sweeps):
        code.sweep()
    load(path)
    code.sweep()
    assert loaded(code) == {f"fast{sweeps}": found}


def test_who_loads_one_library_after_the_other_is_not_followed_for_ever(
    world: World, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_LOOKS", 1)
    path, code = renamed(packages, "endless"), LoadedCode()
    code.opened(task(world), str(path))
    code.sweep()
    load(path)
    code.opened(task(world), str(path))
    code.sweep()
    assert loaded(code) == {"endless": False}


def test_looks_in_all_have_an_end(
    world: World, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_LOOKS_IN_ALL", 0)
    path, code = renamed(packages, "spent"), LoadedCode()
    load(path)
    code.opened(task(world), str(path))
    code.sweep()
    assert loaded(code) == {"spent": False}


def test_of_many_processes_some_are_looked_into_at_a_time(
    world: World, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOKS_AT_ONCE", 1)
    path, code = renamed(packages, "waits"), LoadedCode()
    child = os.fork()
    if child == 0:
        signal.pause()
    try:
        code.opened(world.processes.task(child), str(path))
        load(path)
        code.opened(task(world), str(path))
        code.sweep()
        assert [code.is_mapped(one) for one in code] == [False, False]
        code.sweep()
        assert [code.is_mapped(one) for one in code] == [False, True]
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_process_that_is_gone_is_not_looked_for(world: World, packages: Path) -> None:
    child = os.fork()
    if child == 0:
        signal.pause()
    waits = world.processes.task(child)
    code = LoadedCode()
    code.opened(waits, str(packages / "fast" / f"_ctypes{SUFFIX}"))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    code.sweep()
    assert loaded(code) == {"fast": False}


def test_modules_past_the_number_are_counted(
    world: World, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_LOADED", 1)
    code = LoadedCode()
    for name in ("plain", "fast", "plain", "fast"):
        code.opened(task(world), str(packages / name / "__init__.py"))
    assert (list(loaded(code)), code.beyond) == (["plain"], 2)


def test_a_memory_map_is_read_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    start = start_time_of(PID)
    assert module._mapped(PID, start)
    monkeypatch.setattr(module, "LONGEST_MAPS", 0)
    assert module._mapped(PID, start) == frozenset()


def test_another_process_of_the_same_number_is_not_looked_into() -> None:
    assert module._mapped(PID, start_time_of(PID) + 1) is None


# In a sandbox

LOADS = """
sys.path.insert(0, "site-packages")
import importlib, plain
sys.modules.pop("_ctypes", None)
sys.path.insert(0, "site-packages/fast")
import _ctypes
tell(fast=_ctypes.__file__)
time.sleep(0.5)
"""


def program(way: Way | None, source: str) -> Seen:
    where = place(way)
    made(where.work / "site-packages")
    return run_at(where, python(source))


def versions(seen: Seen) -> dict[str, ProductVersion]:
    return {known.product: known for known in seen.bundle.account.versions}


@pytest.mark.opens_sockets
@every_way
def test_a_program_is_seen_with_what_it_loaded(way: Way) -> None:
    seen = program(way, LOADS)
    known = versions(seen)
    assert set(known) == {"Plain", "Fast"}
    assert (known["Fast"].how, known["Plain"].how) == (VersionHow.MAPPED, VersionHow.OPENED)
    assert {one.version for one in known.values()} == {"1.2.post1"}
    assert known["Plain"].modules == ("plain",)
    assert known["Plain"].processes == (seen.program.id,)
    assert known["Plain"].source.endswith("site-packages/plain_dist-1.2.dist-info")


@pytest.mark.opens_sockets
def test_a_program_that_loads_nothing_has_none() -> None:
    assert versions(program(None, "time.sleep(0.2)")) == {}


@pytest.mark.opens_sockets
def test_a_program_that_is_no_interpreter_may_read_code_without_running_it() -> None:
    where = place()
    made(where.work / "site-packages")
    assert versions(run_at(where, ("/bin/cat", "site-packages/plain/__init__.py"))) == {}
