"""Files that the program opened: models that it read, and what it wrote anywhere.

Seen at the call, when the file is as it will be found; hashed when the run has ended.
"""

import hashlib
import os
import stat
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass

from egress_audit.record.inside import Inside

MODEL_SUFFIXES = (".gguf", ".ggml", ".safetensors", ".onnx", ".bin", ".pt", ".tflite")
TORCH_SUFFIX = ".pth"
"""Of PyTorch models, and of lines that Python reads at every start."""
BLOB = "/blobs/sha256-"
"""Where Ollama keeps model files, under names that say nothing of what they hold."""
MAGIC = (b"GGUF", b"PK\x03\x04", b"\x80\x02")
"""GGUF; the archive and the pickle that PyTorch writes."""
NOT_MODELS = ("/proc/", "/sys/", "/dev/", "/usr/lib/locale/", "/etc/")
NOT_WRITTEN = ("/proc/", "/sys/", "/dev/")
MOST_MODELS = 10_000
MOST_WRITTEN = 20_000
MOST_MADE = 1000
CHUNK = 1 << 20

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A model file as it was when it was opened."""

    path: str
    size: int


class OpenedFiles:
    """What was opened, by path as the program saw it."""

    def __init__(self, began_ns: int) -> None:
        self._began_ns = began_ns
        self.models: dict[str, OpenedModel] = {}
        self._written: dict[str, None] = {}
        self._made: set[str] = set()
        self.written_beyond = 0

    def opened(self, pid: int, path: str, writes: bool) -> bool:
        """Takes in an open of `path`, absolute, by a process that waits for us.

        Returns True if it is a FIFO that the program did not make and opens for writing: then
        somebody outside may read what is written.
        """
        if _may_be_model(path) and path not in self.models and len(self.models) < MOST_MODELS:
            self._model(pid, path)
        if not writes or path.startswith(NOT_WRITTEN):
            return False
        if path not in self._written:
            if len(self._written) < MOST_WRITTEN:
                self._written[path] = None
            else:
                self.written_beyond += 1
        return path not in self._made and self._is_fifo(pid, path)

    def _model(self, pid: int, path: str) -> None:
        with suppress(OSError), closing(Inside.of(pid)) as inside:
            descriptor = inside.open(path)
            try:
                named = path.endswith(MODEL_SUFFIXES)
                if named or os.read(descriptor, 4).startswith(MAGIC):
                    self.models[path] = OpenedModel(path, os.fstat(descriptor).st_size)
            finally:
                os.close(descriptor)

    def makes(self, pid: int, path: str) -> None:
        """Takes in that a process is about to make a FIFO, or another node, at `path`."""
        if len(self._made) >= MOST_MADE:
            return
        with suppress(OSError), closing(Inside.of(pid)) as inside:
            try:
                inside.stat(path)
            except FileNotFoundError:
                self._made.add(path)

    def _is_fifo(self, pid: int, path: str) -> bool:
        try:
            with closing(Inside.of(pid)) as inside:
                about = inside.stat(path)
        except OSError:
            return False
        return stat.S_ISFIFO(about.st_mode)

    def written(self, inside: Inside) -> list[tuple[str, int | None]]:
        """Files that were opened for writing and are there now, changed since the run began."""
        found: list[tuple[str, int | None]] = []
        for path in self._written:
            with suppress(OSError):
                about = inside.stat(path)
                if stat.S_ISREG(about.st_mode) and about.st_mtime_ns >= self._began_ns:
                    found.append((path, about.st_size))
        return found


def _may_be_model(path: str) -> bool:
    named = path.endswith((*MODEL_SUFFIXES, TORCH_SUFFIX)) or BLOB in path
    return named and not path.startswith(NOT_MODELS)


def sha256_of(inside: Inside, path: str, on_progress: Progress | None = None) -> str | None:
    """SHA-256 of a regular file in hex; None if it cannot be read or is none."""
    digest = hashlib.sha256()
    try:
        with os.fdopen(inside.open(path), "rb", buffering=0) as stream:
            while part := stream.read(CHUNK):
                digest.update(part)
                if on_progress is not None:
                    on_progress(path, len(part))
    except OSError:
        return None
    return digest.hexdigest()
