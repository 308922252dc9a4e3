"""What is written down beside packets and calls: the environment before, the files after."""

import os
import stat
import time
from collections.abc import Callable
from functools import cached_property

from egress_audit.evidence.event_kinds import LIMIT
from egress_audit.model.destination import Absent
from egress_audit.model.run import WrittenFile
from egress_audit.model.versions import VersionHow
from egress_audit.record.distributions import Distribution, Distributions
from egress_audit.record.hashing import Hashing
from egress_audit.record.host_sockets import reachable_sockets
from egress_audit.record.init import network_streams
from egress_audit.record.loaded_code import LoadedCode
from egress_audit.record.opened_files import OpenedFiles
from egress_audit.record.phases import PLACE
from egress_audit.record.plan import Prepared
from egress_audit.record.sandbox import Sandbox
from egress_audit.record.written import (
    Found,
    Layer,
    changed_files,
    full_layers,
    is_closed,
    written_files,
)

MOST_REACHABLE = 1000
MOST_WRITTEN = 2000
MOST_LOOKED_AT = 100_000
"""Entries of the real folders: a working folder may hold a whole file system."""
LARGEST = LIMIT - 1
"""Bytes: a file full of holes can say that it has more than a record holds."""
STREAMS = ("standard input", "standard output", "standard error")
WriteEvent = Callable[..., None]


class Leavings:
    """The part of a record that concerns the environment and the files of one run."""

    def __init__(self, prepared: Prepared, sandbox: Sandbox, write: WriteEvent) -> None:
        self._prepared = prepared
        self._sandbox = sandbox
        self._write = write
        self._executables: dict[str, None] = {}
        self._began_ns = time.time_ns()

    def note_environment(self) -> None:
        """Variables, stamps, and what the program could reach or we cannot see."""
        environment = self._prepared.environment
        for kind, settings in (
            ("condition", environment.conditions),
            ("endpoint", environment.endpoints),
        ):
            for setting in settings:
                self._write(
                    "setting",
                    kind=kind,
                    name=setting.name,
                    value=setting.value,
                    meaning=setting.meaning,
                )
        for name in environment.removed:
            self._write("removed", name=name)
        words = self._sandbox.mounted.words
        for path, product, hidden in _rows(words.get("stamps")):
            self._write("stamp", path=str(path), product=str(product), hidden=bool(hidden))
        notes = [str(note) for note in _list(words.get("notes"))]
        notes += self._note_sockets()
        gpus = [str(path) for path in _list(words.get("gpus"))]
        if gpus:
            notes.append(f"what devices do by themselves: {', '.join(gpus)}")
        notes += [
            f"{STREAMS[number]} of the program: it is a connection of the network outside, and "
            f"{os.devnull} stood in its place"
            for number in network_streams()
        ]
        for note in notes:
            self._write("cannot-see", text=note)

    def _note_sockets(self) -> list[str]:
        """Writes sockets of the host within reach; in words, what is not known of them."""
        try:
            reachable = reachable_sockets(self._sandbox.inside)
        except OSError as error:
            return [f"sockets of the host within reach: {error.strerror}: {error.filename}"]
        for path in reachable[:MOST_REACHABLE]:
            self._write("socket-reachable", path=path)
        beyond = len(reachable[MOST_REACHABLE:])
        if not beyond:
            return []
        return [f"sockets of the host within reach, past the first {MOST_REACHABLE}: {beyond}"]

    def executed(self, path: str) -> None:
        """Notes an executable, to be hashed at the end."""
        if path:
            self._executables[path] = None

    def note_files(
        self,
        files: OpenedFiles,
        working: Callable[[str], None],
        had_enough: Callable[[], bool],
    ) -> None:
        """Libraries with their versions, hashes of executables and models, and everything that was
        written.

        working: told which file is hashed; had_enough: True if nobody wants to wait any longer.
        """
        self._note_libraries(files.code)
        hashing = Hashing(self._sandbox.inside, working, had_enough)
        for path in self._executables:
            self._write("exe", path=path, sha256=hashing.sha256_of(path))
        models = files.models.values()
        # The small ones first: one that is too large for the time keeps no other from its hash.
        small_first = sorted(models, key=lambda model: model.size)
        digests = {model.path: hashing.sha256_of(model.path) for model in small_first}
        for model in models:
            digest = digests[model.path]
            size = min(model.size, LARGEST)
            self._write("model-file", path=model.path, size=size, sha256=digest)
        if files.models_beyond:
            text = f"models past the first {len(files.models)}: opened {files.models_beyond} times"
            self._write("cannot-see", text=text)
        self._note_written(files)

    def _note_libraries(self, code: LoadedCode) -> None:
        """What was loaded, with the version that stands beside it."""
        distributions = Distributions(self._sandbox.inside)
        known: dict[tuple[str, str], Distribution | None] = {}
        for loaded in code:
            place = loaded.folder, loaded.module
            if place not in known:
                known[place] = distributions.of(*place)
            found = known[place]
            self._write(
                "library",
                process=loaded.process,
                module=loaded.module,
                product=found.name if found and found.name else loaded.module,
                version=found.version if found and found.version else None,
                how=(VersionHow.MAPPED if code.is_mapped(loaded) else VersionHow.OPENED).value,
                source=found.source if found else "",
            )
        if code.beyond:
            text = f"libraries past the first {len(known)}: opened {code.beyond} times"
            self._write("cannot-see", text=text)

    @property
    def layers(self) -> list[Layer]:
        """The file systems in memory that take what the program writes."""
        mounted = self._sandbox.mounted
        rows = _rows(mounted.words.get("layers"))
        return [
            Layer(descriptor, str(path), frozenset(map(str, _list(ours))))
            for descriptor, (path, ours) in zip(mounted.descriptors, rows, strict=True)
        ]

    def fifos_changed(self) -> list[str]:
        """FIFOs in the real folders, which the host has too, that somebody made or wrote to.

        Which one a path leads to the kernel says after us, and by then it may be another.
        """
        return [file.path for file in self._changed.files if _is_fifo(file.path)]

    def _note_written(self, files: OpenedFiles) -> None:
        layers = self.layers
        for path in full_layers(layers):
            self._write("cannot-see", text=f"{path} was full: the program may have failed for it")
        found: dict[str, WrittenFile] = {}
        in_layers, changed = written_files(layers), self._changed
        found |= {file.path: file for file in in_layers.files}
        beyond = in_layers.beyond + changed.beyond + files.written_beyond
        for name, size in files.written(self._sandbox.inside):
            found.setdefault(name, WrittenFile(name, Absent.NOT_FOUND if size is None else size))
        for file in changed.files:
            found.setdefault(file.path, file)
        found.pop(PLACE, None)
        kept = sorted(found.values(), key=lambda file: file.path)
        for file in kept[:MOST_WRITTEN]:
            known = None if isinstance(file.size, Absent) else min(file.size, LARGEST)
            self._write("written", path=file.path, size=known)
        beyond += len(kept[MOST_WRITTEN:])
        if beyond:
            self._write("written-beyond", count=beyond)
        for path in filter(is_closed, self._real_folders):
            text = f"what changed at {path} that no call named: a folder on the way is closed"
            self._write("cannot-see", text=text)
        for path in (*in_layers.not_seen, *changed.not_seen):
            text = f"some of the files written below {path}: it holds more than is looked at"
            self._write("cannot-see", text=text)

    @property
    def _real_folders(self) -> list[str]:
        """What is the host's own and may be written: folders, and files that were named."""
        words = self._sandbox.mounted.words
        home = os.path.realpath(self._prepared.user.home)
        passed_over = {"/"} if words.get("home") == "real" else {"/", home}
        folders = [str(path) for path in _list(words.get("open_folders"))]
        return [path for path in folders if path not in passed_over]

    @cached_property
    def _changed(self) -> Found:
        """What changed in the real folders, however: by no name, by a link, with its time set."""
        return changed_files(
            self._real_folders,
            self._began_ns,
            MOST_WRITTEN,
            MOST_LOOKED_AT,
            not_in=[str(self._sandbox.mounted.words.get("evidence", ""))],
        )


def _is_fifo(path: str) -> bool:
    try:
        return stat.S_ISFIFO(os.lstat(path).st_mode)
    except OSError:
        return False


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def _rows(value: object) -> list[list[object]]:
    return [list(row) for row in _list(value) if isinstance(row, list)]
