"""What a record says of the environment before a run, and of the files after it."""

import hashlib
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from egress_audit.evidence.event_kinds import LIMIT
from egress_audit.model.run import Role
from egress_audit.record import host_sockets
from egress_audit.record import leavings as module
from egress_audit.record.inside import O_PATH, Inside
from egress_audit.record.leavings import Leavings
from egress_audit.record.loaded_code import LoadedCode
from egress_audit.record.opened_files import OpenedFiles, OpenedModel
from egress_audit.record.phases import PLACE
from egress_audit.record.plan import RunPlan, prepared
from egress_audit.record.processes import Processes
from egress_audit.record.sandbox import Sandbox
from egress_audit.record.setup import Mounted
from egress_audit.record.syscalls import CLONE_NEWNS, mount
from tests.builders.namespaces import in_child

PID = os.getpid()
VARIABLES = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/nonexistent",
    "CI": "true",
    "HF_HUB_OFFLINE": "1",
    "HTTPS_PROXY": "http://proxy.test:3128",
}


@dataclass
class Files:
    """As much of a sandbox as its files."""

    inside: Inside
    mounted: Mounted


@dataclass
class World:
    """The files of a sandbox whose root is a folder, and what is written of them."""

    root: Path
    words: dict[str, object] = field(default_factory=dict)
    layers: tuple[Path, ...] = ()
    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    worked_on: list[str] = field(default_factory=list)
    had_enough: bool = False

    def __post_init__(self) -> None:
        self.files = OpenedFiles(0)
        self.root.mkdir()
        self.inside = Inside(os.open(self.root, O_PATH | os.O_DIRECTORY))
        self._descriptors: list[int] = []

    def close(self) -> None:
        self.inside.close()
        for descriptor in self._descriptors:
            os.close(descriptor)

    def leavings(self) -> Leavings:
        self._descriptors += [os.open(layer, os.O_RDONLY) for layer in self.layers]
        files = Files(self.inside, Mounted(self.words, tuple(self._descriptors)))
        sandbox = cast(Sandbox, files)
        plan = RunPlan(("/bin/true",), folder="/", environment=VARIABLES)
        return Leavings(
            prepared(plan), sandbox, lambda event, **fields: self.events.append((event, fields))
        )

    def environment(self) -> None:
        self.leavings().note_environment()

    def ended(self, *executables: str) -> None:
        made = self.leavings()
        for path in executables:
            made.executed(path)
        made.note_files(self.files, self.worked_on.append, lambda: self.had_enough)

    def of(self, kind: str) -> list[dict[str, object]]:
        return [fields for event, fields in self.events if event == kind]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "root")
    yield made
    made.close()


# Before


def test_variables_that_matter_are_written_with_what_they_do(world: World) -> None:
    world.environment()
    told = {(setting["kind"], setting["name"]) for setting in world.of("setting")}
    assert told == {("condition", "HF_HUB_OFFLINE"), ("endpoint", "HTTPS_PROXY")}
    assert all(setting["meaning"] for setting in world.of("setting"))


def test_variables_that_announced_ci_are_written_as_removed(world: World) -> None:
    world.environment()
    assert world.of("removed") == [{"name": "CI"}]


def test_stamps_are_written_with_whether_they_were_hidden(world: World) -> None:
    world.words["stamps"] = [["/home/me/.stamp", "pip", True], ["/home/me/.other", "npm", False]]
    world.environment()
    assert [(stamp["product"], stamp["hidden"]) for stamp in world.of("stamp")] == [
        ("pip", True),
        ("npm", False),
    ]


def test_what_cannot_be_seen_is_written(world: World) -> None:
    world.words |= {"notes": ["no overlay"], "gpus": ["/dev/nvidia0", "/dev/dri"]}
    world.environment()
    texts = [str(note["text"]) for note in world.of("cannot-see")]
    assert texts[0] == "no overlay"
    assert texts[1].endswith("/dev/nvidia0, /dev/dri")


def test_where_all_can_be_seen_nothing_is_said(world: World) -> None:
    world.environment()
    assert world.of("cannot-see") == []
    assert world.of("stamp") == []


@pytest.mark.opens_sockets
def test_a_standard_stream_of_a_network_was_not_the_programs_and_that_is_written(
    world: World,
) -> None:
    def told() -> list[str]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as leads_out:
            os.dup2(leads_out.fileno(), 0)
        world.environment()
        return [str(note["text"]) for note in world.of("cannot-see")]

    (note,) = in_child(told)
    assert note.startswith("standard input of the program")


@pytest.fixture
def within_reach(world: World) -> Iterator[list[str]]:
    """Three sockets of the host that a program would find where it looks for them."""
    # A short path: an address has room for 108 bytes, and pytest's folders may lie deep.
    with tempfile.TemporaryDirectory(prefix="s-", dir="/tmp") as folder, ExitStack() as stack:
        paths = [f"{folder}/{name}" for name in "abc"]
        for path in paths:
            made = stack.enter_context(socket.socket(socket.AF_UNIX))
            made.bind(path)
            made.listen()
            there = Path(f"{world.root}{path}")
            there.parent.mkdir(parents=True, exist_ok=True)
            there.hardlink_to(path)
        yield paths


@pytest.mark.opens_sockets
def test_sockets_of_the_host_within_reach_are_written(
    world: World, within_reach: list[str]
) -> None:
    world.environment()
    assert [told["path"] for told in world.of("socket-reachable")] == within_reach
    assert world.of("cannot-see") == []


@pytest.mark.opens_sockets
def test_of_more_sockets_than_are_written_it_is_said_how_many_there_are(
    world: World, within_reach: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_REACHABLE", 1)
    world.environment()
    assert [told["path"] for told in world.of("socket-reachable")] == within_reach[:1]
    text = "sockets of the host within reach, past the first 1: 2"
    assert world.of("cannot-see") == [{"text": text}]


def test_a_host_that_hides_its_sockets_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_sockets, "TABLE", "/nonexistent")
    world.environment()
    (note,) = world.of("cannot-see")
    assert str(note["text"]).startswith("sockets of the host within reach: ")


# After


def test_each_executable_is_hashed_once(world: World) -> None:
    (world.root / "program").write_bytes(b"code")
    world.ended("/program", "/program", "")
    assert world.of("exe") == [{"path": "/program", "sha256": hashlib.sha256(b"code").hexdigest()}]


def test_an_executable_that_is_gone_has_no_hash(world: World) -> None:
    world.ended("/gone (deleted)")
    assert world.of("exe") == [{"path": "/gone (deleted)", "sha256": None}]


def test_a_model_has_the_size_it_was_opened_with_and_the_hash_it_ended_with(world: World) -> None:
    model = world.root / "m.gguf"
    model.write_bytes(b"at first")
    # Who opened it sees the host's files here, the sandbox of the test those below its root.
    world.files.opened(PID, str(model), writes=False)
    inner = world.root / str(model).lstrip("/")
    inner.parent.mkdir(parents=True)
    inner.write_bytes(b"in the end")
    world.ended()
    digest = hashlib.sha256(b"in the end").hexdigest()
    assert world.of("model-file") == [{"path": str(model), "size": 8, "sha256": digest}]


def test_who_waits_is_shown_which_file_is_hashed(world: World) -> None:
    (world.root / "program").write_bytes(b"code")
    world.ended("/program")
    assert set(world.worked_on) == {"/program"}


def test_a_model_that_nobody_waited_for_is_listed_without_a_hash(world: World) -> None:
    models = [world.root / name for name in ("large.gguf", "small.gguf")]
    for model, content in zip(models, (b"large", b"s"), strict=True):
        model.write_bytes(content)
        world.files.opened(PID, str(model), writes=False)
    world.had_enough = True
    world.ended()
    assert world.of("model-file") == [
        {"path": str(models[0]), "size": 5, "sha256": None},
        {"path": str(models[1]), "size": 1, "sha256": None},
    ]


def test_models_are_hashed_from_the_smallest_and_listed_as_they_were_opened(world: World) -> None:
    for name, content in (("large.gguf", b"large"), ("small.gguf", b"s")):
        path = world.root / name
        path.write_bytes(content)
        world.files.opened(PID, str(path), writes=False)
        inner = world.root / str(path).lstrip("/")
        inner.parent.mkdir(parents=True, exist_ok=True)
        inner.write_bytes(content)
    world.ended()
    order = [Path(path).name for path in dict.fromkeys(world.worked_on)]
    assert order == ["small.gguf", "large.gguf"]
    listed = [Path(str(model["path"])).name for model in world.of("model-file")]
    assert listed == ["large.gguf", "small.gguf"]


def layer(world: World, shown: str, *ours: str) -> Path:
    """An upper layer that the program saw at `shown`."""
    made = world.root.parent / f"layer{len(world.layers)}"
    made.mkdir()
    world.layers += (made,)
    rows = cast("list[object]", world.words.setdefault("layers", []))
    rows.append([shown, list(ours)])
    return made


def test_what_a_layer_took_was_written(world: World) -> None:
    (layer(world, "/home/me") / "out").write_bytes(b"12345")
    world.ended()
    assert world.of("written") == [{"path": "/home/me/out", "size": 5}]


def test_what_we_made_in_a_layer_was_not_written_by_the_program(world: World) -> None:
    made = layer(world, "/home/me", "/home/me/ours")
    (made / "ours").touch()
    (made / "theirs").touch()
    world.ended()
    assert [file["path"] for file in world.of("written")] == ["/home/me/theirs"]


def test_what_was_opened_for_writing_elsewhere_was_written_too(world: World) -> None:
    (world.root / "shared").mkdir()
    (world.root / "shared/out").write_bytes(b"123")
    world.files.opened(PID, "/shared/out", writes=True)
    world.ended()
    assert world.of("written") == [{"path": "/shared/out", "size": 3}]


def test_a_file_known_both_ways_is_written_once(world: World) -> None:
    (layer(world, "/home") / "out").write_bytes(b"12345")
    (world.root / "home").mkdir()
    (world.root / "home/out").write_bytes(b"12345")
    world.files.opened(PID, "/home/out", writes=True)
    world.ended()
    assert world.of("written") == [{"path": "/home/out", "size": 5}]


def test_the_file_of_phases_is_ours(world: World) -> None:
    place = world.root / PLACE.lstrip("/")
    place.parent.mkdir(parents=True)
    place.write_bytes(b"{}\n")
    world.files.opened(PID, PLACE, writes=True)
    world.ended()
    assert world.of("written") == []


def test_files_past_the_number_that_is_listed_are_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_WRITTEN", 2)
    made = layer(world, "/home/me")
    for name in ("a", "b", "c", "d"):
        (made / name).touch()
    world.files.written_beyond = 5
    world.ended()
    assert [file["path"] for file in world.of("written")] == ["/home/me/a", "/home/me/b"]
    assert world.of("written-beyond") == [{"count": 7}]


def test_where_all_files_are_listed_no_number_is_written(world: World) -> None:
    (layer(world, "/home/me") / "a").touch()
    world.ended()
    assert world.of("written-beyond") == []


def test_a_layer_that_is_full_is_told(world: World) -> None:
    place = layer(world, "/home/me")

    def told() -> list[dict[str, object]]:
        mount("small", str(place), "tmpfs", data="size=4k")
        (place / "out").write_bytes(bytes(4096))
        world.ended()
        return world.of("cannot-see")

    (note,) = in_child(told, namespaces=CLONE_NEWNS)
    assert str(note["text"]).startswith("/home/me was full")


def test_a_layer_with_room_is_not_told(world: World) -> None:
    layer(world, "/home/me")
    world.ended()
    assert world.of("cannot-see") == []


def wait_for_the_clock_of_files(world: World) -> None:
    """It is a coarse one: what is written now may have a time before now."""
    clock = world.root.parent / "clock"
    clock.touch()
    began_ns = time.time_ns()
    while clock.stat().st_ctime_ns < began_ns:
        clock.touch()


def changes(world: World, folder: Path) -> list[object]:
    """What is written of a file that appeared in `folder` when the run had begun."""
    made = world.leavings()
    wait_for_the_clock_of_files(world)
    (folder / "new").write_bytes(b"12")
    made.note_files(world.files, world.worked_on.append, lambda: False)
    return [file["path"] for file in world.of("written")]


def test_what_changed_in_an_open_folder_is_written_though_nobody_opened_it(world: World) -> None:
    folder = world.root.parent / "open"
    folder.mkdir()
    world.words |= {"home": "overlay", "open_folders": [str(folder)]}
    assert changes(world, folder) == [str(folder / "new")]


def test_a_fifo_that_was_written_to_is_told_whoever_opened_it(world: World) -> None:
    folder = world.root.parent / "open"
    folder.mkdir()
    os.mkfifo(folder / "before")
    world.words |= {"home": "overlay", "open_folders": [str(folder)]}
    wait_for_the_clock_of_files(world)
    leavings = world.leavings()
    wait_for_the_clock_of_files(world)
    (folder / "file").touch()
    reader = os.open(folder / "before", os.O_RDWR | os.O_NONBLOCK)
    assert world.leavings().fifos_changed() == []
    os.write(reader, b"x")
    assert leavings.fifos_changed() == [str(folder / "before")]
    os.close(reader)


def test_a_folder_that_holds_more_than_is_looked_at_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_LOOKED_AT", 2)
    folder = world.root.parent / "open"
    folder.mkdir()
    for name in "abc":
        (folder / name).touch()
    world.words |= {"home": "overlay", "open_folders": [str(folder)]}
    world.ended()
    (note,) = world.of("cannot-see")
    assert f"below {folder}" in str(note["text"])


def test_a_folder_that_the_program_closed_is_named(world: World) -> None:
    outer = world.root.parent / "outer"
    (outer / "open").mkdir(parents=True)
    world.words |= {"home": "overlay", "open_folders": [str(outer / "open")]}

    def noted() -> list[str]:
        world.ended()
        return [str(note["text"]) for note in world.of("cannot-see")]

    assert in_child(noted) == []
    outer.chmod(0)
    (text,) = in_child(noted, as_nobody=True)
    assert text.startswith(f"what changed at {outer / 'open'} ")
    outer.chmod(0o700)


def test_a_folder_that_holds_no_more_is_not_named(world: World) -> None:
    folder = world.root.parent / "open"
    folder.mkdir()
    world.words |= {"home": "overlay", "open_folders": [str(folder)]}
    assert changes(world, folder) == [str(folder / "new")]
    assert world.of("cannot-see") == []


def test_models_past_the_number_that_is_kept_are_counted(world: World) -> None:
    world.files.models_beyond = 3
    world.ended()
    (note,) = world.of("cannot-see")
    assert "opened 3 times" in str(note["text"])


def test_the_evidence_in_an_open_folder_is_ours(world: World) -> None:
    folder = world.root.parent / "open"
    (folder / "bundle").mkdir(parents=True)
    world.words |= {"open_folders": [str(folder)], "evidence": str(folder / "bundle")}
    assert changes(world, folder / "bundle") == []


@pytest.mark.parametrize("kind", ["fresh", "real"])
def test_a_home_that_is_open_is_looked_at_only_if_it_is_the_real_one(
    world: World, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = world.root.parent / "home"
    home.mkdir()
    monkeypatch.setitem(VARIABLES, "HOME", str(home))
    world.words |= {"home": kind, "open_folders": [str(home)]}
    assert changes(world, home) == ([str(home / "new")] if kind == "real" else [])


# Libraries


def library(world: World, tmp_path: Path, info: str = "acme_dist-2.0.dist-info") -> LoadedCode:
    """The code of a module that this process opened; its metadata stand in the world's files."""
    seen, shown = tmp_path / "site-packages", world.root / str(tmp_path)[1:] / "site-packages"
    for packages in (seen, shown):
        (packages / "acme").mkdir(parents=True)
        (packages / "acme" / "__init__.py").touch()
    (shown / info).mkdir()
    (shown / info / "top_level.txt").write_text("acme\n")
    processes = Processes(lambda process: None, time.time_ns)
    processes.declare(PID, Role.TARGET)
    world.files.code.opened(processes.task(PID), str(seen / "acme" / "__init__.py"))
    processes.close()
    return world.files.code


def test_a_library_is_written_with_the_version_beside_it(world: World, tmp_path: Path) -> None:
    library(world, tmp_path)
    world.ended()
    assert world.of("library") == [
        {
            "process": 1,
            "module": "acme",
            "product": "acme_dist",
            "version": "2.0",
            "how": "opened",
            "source": f"{tmp_path}/site-packages/acme_dist-2.0.dist-info",
        }
    ]


def test_a_library_that_no_distribution_claims_has_the_name_of_its_module(
    world: World, tmp_path: Path
) -> None:
    library(world, tmp_path, info="no metadata")
    world.ended()
    (written,) = world.of("library")
    assert (written["product"], written["version"], written["source"]) == ("acme", None, "")


def test_libraries_past_the_number_that_is_kept_are_told(world: World, tmp_path: Path) -> None:
    library(world, tmp_path).beyond = 3
    world.ended()
    (note,) = world.of("cannot-see")
    assert note["text"] == "libraries past the first 1: opened 3 times"


def test_where_none_was_loaded_none_is_written(world: World) -> None:
    world.ended()
    assert world.of("library") == world.of("cannot-see") == []


def test_a_file_that_says_it_is_larger_than_a_record_holds_is_told_as_that_large(
    world: World,
) -> None:
    world.files.models["/m.gguf"] = OpenedModel("/m.gguf", 1 << 62)
    world.ended()
    (model,) = world.of("model-file")
    assert model["size"] == LIMIT - 1
