"""Files that the program opened: models and code that it read, and what it wrote anywhere.

Seen at the call, when the file is as it will be found; hashed (`hashing`) when the run has ended.
"""

import os
import stat
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cache

from egress_audit.record.inside import Inside
from egress_audit.record.loaded_code import LoadedCode
from egress_audit.record.magic_links import what_is_at
from egress_audit.record.private_place import ALL_PRIVATE, Private
from egress_audit.record.syscalls import EXHAUSTED

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


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A model file as it was when it was opened."""

    path: str
    size: int


class OpenedFiles:
    """What was opened, by path as the program saw it."""

    def __init__(self, began_ns: int, private: Private = ALL_PRIVATE) -> None:
        self._began_ns = began_ns
        self.private = private
        """Where nobody of the host can look."""
        self.models: dict[str, OpenedModel] = {}
        self._written: dict[str, None] = {}
        self._made: set[str] = set()
        self.written_beyond = 0
        self.models_beyond = 0
        """Opens of files that may be models and are past the number that is kept."""
        self.code = LoadedCode()

    def opened(self, pid: int, path: str, writes: bool) -> bool:
        """Takes in an open of `path`, absolute, by a process that waits for us.

        Returns True if it is a FIFO that the program did not make for itself and opens for
        writing: then somebody outside may read what is written.
        """
        if _may_be_model(path) and path not in self.models:
            if len(self.models) < MOST_MODELS:
                self._model(pid, path)
            else:
                self.models_beyond += 1
        if not writes:
            return False
        if path not in self._written and not path.startswith(NOT_WRITTEN):
            if len(self._written) < MOST_WRITTEN:
                self._written[path] = None
            else:
                self.written_beyond += 1
        return self._leads_out(pid, path)

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
        """Takes in that a process is about to make a FIFO, or another node, at `path`.

        In a folder that the host sees too, anybody may read there what is written.
        """
        if len(self._made) >= MOST_MADE:
            return
        with suppress(OSError), closing(Inside.of(pid)) as inside:
            if not self.private.holds(inside, pid, path):
                return
            try:
                inside.stat(path)
            except FileNotFoundError:
                self._made.add(path)

    def _leads_out(self, pid: int, path: str) -> bool:
        """True for a FIFO of somebody else, and for what cannot be told."""
        try:
            with closing(Inside.of(pid)) as inside:
                about = what_is_at(inside, pid, path)
                if about is None:
                    return True
                if not stat.S_ISFIFO(about.st_mode) or about.st_dev == _device_of_pipes():
                    return False
                return not any(_is_at(inside, made, about) for made in self._made)
        except OSError as error:
            if error.errno in EXHAUSTED:
                raise
            return False

    def written(self, inside: Inside) -> list[tuple[str, int | None]]:
        """Files that were opened for writing and are there now, changed since the run began."""
        found: list[tuple[str, int | None]] = []
        for path in self._written:
            with suppress(OSError):
                about = inside.stat(path)
                if stat.S_ISREG(about.st_mode) and about.st_mtime_ns >= self._began_ns:
                    plain = os.path.normpath(path)
                    # Behind a link `..` leads elsewhere than in the text.
                    found.append((plain if _is_at(inside, plain, about) else path, about.st_size))
        return found


def _is_at(inside: Inside, path: str, about: os.stat_result) -> bool:
    """True if a path itself, no link followed at its end, is this file."""
    try:
        here = inside.stat(path, follow=False)
    except OSError:
        return False
    return (here.st_dev, here.st_ino) == (about.st_dev, about.st_ino)


@cache
def _device_of_pipes() -> int:
    """Where pipes without a name are."""
    ends = os.pipe()
    try:
        return os.fstat(ends[0]).st_dev
    finally:
        for end in ends:
            os.close(end)


def _may_be_model(path: str) -> bool:
    named = path.endswith((*MODEL_SUFFIXES, TORCH_SUFFIX)) or BLOB in path
    return named and not path.startswith(NOT_MODELS)
