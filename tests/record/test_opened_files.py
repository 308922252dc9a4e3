"""Models that were read and files that were written, by the calls that opened them."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from egress_audit.record import opened_files as module
from egress_audit.record.inside import Inside
from egress_audit.record.opened_files import OpenedFiles
from egress_audit.record.private_place import Private

PID = os.getpid()
LONG_AGO, LONG_FROM_NOW = 0, 1 << 62


@pytest.fixture
def files() -> OpenedFiles:
    return OpenedFiles(LONG_AGO)


@pytest.fixture
def inside() -> Iterator[Inside]:
    made = Inside.of(PID)
    yield made
    made.close()


def models(files: OpenedFiles, path: Path) -> list[tuple[str, int]]:
    files.opened(PID, str(path), writes=False)
    return [(model.path, model.size) for model in files.models.values()]


# Models


@pytest.mark.parametrize(
    "name", ["m.gguf", "m.safetensors", "m.onnx", "m.bin", "m.pt", "m.tflite", "m.ggml"]
)
def test_a_file_with_the_name_of_a_model_is_one(
    files: OpenedFiles, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(b"weights")
    assert models(files, path) == [(str(path), 7)]


def test_models_past_the_number_are_counted_and_those_that_are_kept_are_not(
    files: OpenedFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_MODELS", 1)
    for name in ("kept.gguf", "beyond.gguf", "beyond.onnx", "kept.gguf", "no model"):
        (tmp_path / name).touch()
        files.opened(PID, str(tmp_path / name), writes=False)
    assert list(files.models) == [str(tmp_path / "kept.gguf")]
    assert files.models_beyond == 2


@pytest.mark.parametrize("name", ["m.txt", "m.py", "gguf", "m.gguf.md"])
def test_a_file_with_another_name_is_none(files: OpenedFiles, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"GGUF")
    assert models(files, path) == []


@pytest.mark.parametrize(
    ("content", "count"), [(b"PK\x03\x04", 1), (b"\x80\x02}", 1), (b"import", 0)]
)
def test_a_pth_file_is_a_model_if_it_begins_as_pytorch_writes_them(
    files: OpenedFiles, tmp_path: Path, content: bytes, count: int
) -> None:
    path = tmp_path / "m.pth"
    path.write_bytes(content)
    assert len(models(files, path)) == count


@pytest.mark.parametrize(("content", "count"), [(b"GGUF\3\0", 1), (b'{"license"', 0)])
def test_a_blob_of_ollama_is_a_model_if_it_begins_as_one(
    files: OpenedFiles, tmp_path: Path, content: bytes, count: int
) -> None:
    (tmp_path / "blobs").mkdir()
    path = tmp_path / "blobs" / f"sha256-{'0' * 64}"
    path.write_bytes(content)
    assert len(models(files, path)) == count


def test_a_model_opened_twice_is_listed_once(files: OpenedFiles, tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"one")
    models(files, path)
    path.write_bytes(b"longer")
    assert models(files, path) == [(str(path), 3)]


@pytest.mark.parametrize("name", ["nowhere.gguf", "folder.bin"])
def test_what_cannot_be_read_is_no_model(files: OpenedFiles, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.bin").mkdir()
    assert models(files, tmp_path / name) == []


@pytest.mark.parametrize("path", ["/proc/self/x.bin", "/sys/firmware/x.bin", "/etc/ld.so.bin"])
def test_files_of_the_system_are_no_models(files: OpenedFiles, path: str) -> None:
    assert models(files, Path(path)) == []


def test_no_more_models_are_kept_than_so_many(
    files: OpenedFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_MODELS", 1)
    for name in ("a.gguf", "b.gguf"):
        (tmp_path / name).write_bytes(b"x")
        models(files, tmp_path / name)
    assert list(files.models) == [str(tmp_path / "a.gguf")]


# What was written


def test_a_file_opened_for_writing_is_written(
    files: OpenedFiles, inside: Inside, tmp_path: Path
) -> None:
    path = tmp_path / "out"
    files.opened(PID, str(path), writes=True)
    path.write_bytes(b"12345")
    assert files.written(inside) == [(str(path), 5)]


def test_a_file_opened_for_reading_is_not_written(
    files: OpenedFiles, inside: Inside, tmp_path: Path
) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"12345")
    files.opened(PID, str(path), writes=False)
    assert files.written(inside) == []


def test_a_file_opened_for_writing_and_left_as_it_was_is_not_written(
    inside: Inside, tmp_path: Path
) -> None:
    path = tmp_path / "old"
    path.write_bytes(b"12345")
    os.utime(path, ns=(1, 1))
    files = OpenedFiles(time.time_ns())
    files.opened(PID, str(path), writes=True)
    assert files.written(inside) == []


def test_a_file_that_was_removed_again_is_not_written(
    files: OpenedFiles, inside: Inside, tmp_path: Path
) -> None:
    files.opened(PID, str(tmp_path / "gone"), writes=True)
    assert files.written(inside) == []


@pytest.mark.parametrize("path", ["/dev/null", "/proc/self/comm", "/sys/x"])
def test_devices_and_the_kernel_s_files_are_not_written(
    files: OpenedFiles, inside: Inside, path: str
) -> None:
    files.opened(PID, path, writes=True)
    assert files.written(inside) == []
    assert files.written_beyond == 0


def test_files_past_the_number_that_is_kept_are_counted(
    files: OpenedFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_WRITTEN", 1)
    for name in ("a", "b", "c", "a"):
        files.opened(PID, str(tmp_path / name), writes=True)
    assert files.written_beyond == 2


# FIFOs


def test_a_file_is_told_by_its_plain_path_where_that_leads_to_it(
    files: OpenedFiles, inside: Inside, tmp_path: Path
) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "out").touch()
    files.opened(PID, f"{tmp_path}/below/../out", True)
    assert files.written(inside) == [(f"{tmp_path}/out", 0)]


def test_and_not_where_a_link_makes_that_another(
    files: OpenedFiles, inside: Inside, tmp_path: Path
) -> None:
    (tmp_path / "there" / "below").mkdir(parents=True)
    (tmp_path / "there" / "out").touch()
    (tmp_path / "link").symlink_to("there/below")
    files.opened(PID, f"{tmp_path}/link/../out", True)
    assert files.written(inside) == [(f"{tmp_path}/link/../out", 0)]


@pytest.mark.parametrize(
    ("made", "writes", "leads_out"),
    [(False, True, True), (False, False, False), (True, True, False)],
    ids=["another's, written", "another's, read", "made in the run"],
)
def test_writing_to_a_fifo_of_somebody_else_leads_out(
    tmp_path: Path, made: bool, writes: bool, leads_out: bool
) -> None:
    files, path = OpenedFiles(LONG_AGO), str(tmp_path / "fifo")
    if made:
        files.makes(PID, path)
    os.mkfifo(path)
    assert files.opened(PID, path, writes) is leads_out


def test_a_fifo_that_the_program_made_where_the_host_sees_it_leads_out(tmp_path: Path) -> None:
    files, path = OpenedFiles(LONG_AGO, Private(frozenset())), str(tmp_path / "fifo")
    files.makes(PID, path)
    os.mkfifo(path)
    assert files.opened(PID, path, True) is True
    assert files.opened(PID, path, False) is False


def test_a_link_where_the_program_made_a_fifo_is_not_its_own(tmp_path: Path) -> None:
    files, path = OpenedFiles(LONG_AGO), tmp_path / "fifo"
    files.makes(PID, str(path))
    os.mkfifo(tmp_path / "another")
    path.symlink_to("another")
    assert files.opened(PID, str(path), True) is True


def test_a_link_to_a_fifo_that_the_program_made_is_its_own(tmp_path: Path) -> None:
    files, path = OpenedFiles(LONG_AGO), tmp_path / "fifo"
    files.makes(PID, str(path))
    os.mkfifo(path)
    (tmp_path / "link").symlink_to("fifo")
    assert files.opened(PID, str(tmp_path / "link"), True) is False


@pytest.mark.parametrize("way", ["/proc/self/fd", "/proc/thread-self/fd", "/dev/fd", "pid", "link"])
@pytest.mark.parametrize("kind", ["fifo", "pipe", "file", "nothing"])
def test_a_descriptor_opened_anew_leads_out_if_it_is_a_fifo_with_a_name(
    tmp_path: Path, way: str, kind: str
) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("/dev/fd")
    ends: tuple[int, ...] = os.pipe()
    if kind in ("fifo", "file"):
        ends = (*ends, os.open(tmp_path / kind, os.O_RDWR))
    number = 1 << 20 if kind == "nothing" else ends[-1]
    folder = {"pid": f"/proc/{PID}/fd", "link": str(tmp_path / "link")}.get(way, way)
    try:
        leads_out = OpenedFiles(LONG_AGO).opened(PID, f"{folder}/{number}", True)
    finally:
        for end in ends:
            os.close(end)
    assert leads_out is (kind == "fifo")


@pytest.mark.parametrize(
    ("path", "leads_out"),
    [
        ("/proc/self/root/tmp/x", True),
        ("/proc/PID/cwd/x", True),
        ("/proc/self/task/1/fd/1", True),
        ("/proc/self/comm", False),
        ("/proc/PID/comm", False),
        ("/dev/null", False),
        ("/nowhere/x", False),
    ],
)
def test_what_cannot_be_told_of_a_path_through_proc_leads_out(path: str, leads_out: bool) -> None:
    path = path.replace("PID", str(PID))
    assert OpenedFiles(LONG_AGO).opened(PID, path, True) is leads_out


def test_writing_to_an_old_file_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert OpenedFiles(LONG_FROM_NOW).opened(PID, str(tmp_path / "file"), True) is False
