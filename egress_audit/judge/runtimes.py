"""Whether one of the runtimes that a claim names was seen in a run: program, library, or model.

A sentence about a runtime says nothing if something else ran. So a name counts where it can be the
name of what ran, never wherever it stands: `sleep 60 ollama` is no Ollama, `array.py` no Ray.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from egress_audit.judge.case import Case
from egress_audit.model.destination import Absent
from egress_audit.model.run import Process, Role
from egress_audit.programs import is_interpreter, program_names
from egress_audit.values import dataclass

OLLAMA_STORE = "/blobs/sha256-"
"""Where Ollama keeps models, under names that say nothing of what they hold."""
GGUF = (".gguf", ".ggml", OLLAMA_STORE)
TORCH = (".safetensors", ".bin", ".pt", ".pth", ".gguf")
ONNX = (".onnx",)
SHORT = 3
"""Letters; so short a mark is looked for in the name of a file, not in those of its folders, which
may be somebody's home."""

_NO_WORD = re.compile("[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Signs:
    """By what a runtime is recognised; names without case and signs."""

    programs: tuple[str, ...] = ()
    """Executables, and scripts or modules of an interpreter."""
    libraries: tuple[str, ...] = ()
    """Python distributions and top-level modules. None of a program whose namesake only calls it:
    `ollama` and `lmstudio` on PyPI are clients."""
    models: tuple[str, ...] = ()
    """Parts of the paths of model files that it runs: only of an engine that any program can have
    in it. Others have programs of their own, which have to be seen; that a .gguf was opened does
    not show that LM Studio ran, and shows nothing at all of who runs no models."""


SIGNS: Mapping[str, Signs] = {
    "datasets": Signs(libraries=("datasets",)),
    "diffusers": Signs(libraries=("diffusers",), models=TORCH),
    "gpt4all": Signs(programs=("gpt4all",)),
    "huggingfacehub": Signs(libraries=("huggingfacehub",)),
    "llamacpp": Signs(
        ("llama", "llamacpp", "llamafile"), ("llamacpppython", "llamacpp", "xllamacpp"), GGUF
    ),
    "lmstudio": Signs(programs=("lmstudio", "lms")),
    "localai": Signs(programs=("localai",)),
    "ollama": Signs(programs=("ollama",), models=(OLLAMA_STORE,)),
    "ollamadesktopapp": Signs(programs=("ollama",)),
    "ollamaserver": Signs(programs=("ollama",), models=(OLLAMA_STORE,)),
    "onnxruntime": Signs(libraries=("onnxruntime",), models=ONNX),
    "ray": Signs(("ray", "raylet"), ("ray",)),
    "sglang": Signs(("sglang",), ("sglang",), TORCH),
    "transformers": Signs(libraries=("transformers",), models=TORCH),
    "vllm": Signs(("vllm",), ("vllm",), TORCH),
}
"""By runtime, where its own name is not all that there is, or is too much."""


def is_seen(case: Case) -> bool:
    """True if a program, a loaded library or a model file shows one of the runtimes that the claim
    names; whichever files it opens, if the claim is about models. False without a run."""
    if isinstance(case.run, Absent):
        return False
    paths = [file.path for file in case.run.model_files]
    if paths and case.claim.applies_to.models:
        return True
    signs = [signs_of(runtime) for runtime in case.claim.applies_to.runtimes]
    programs = {mark for one in signs for mark in one.programs}
    libraries = {name for one in signs for name in one.libraries}
    models = {part for one in signs for part in one.models}
    return (
        any(_is_called(process, programs) for process in programs_of(case))
        or not libraries.isdisjoint(_loaded(case))
        or any(_is_of(path, models) for path in paths)
    )


def signs_of(runtime: str) -> Signs:
    """By what a runtime is recognised; its own name, as program and library, if nothing is known
    of it."""
    word = letters(runtime)
    return SIGNS.get(word, Signs((word,), (word,)) if word else Signs())


def programs_of(case: Case) -> Iterator[Process]:
    """What ran of the program itself; not the recorder's own fork, which became it."""
    processes = () if isinstance(case.run, Absent) else case.run.processes
    ours = {one.cmdline for one in processes if one.role is Role.RECORDER} - {*Absent}
    for one in processes:
        if one.role is Role.TARGET and one.cmdline not in ours:
            yield one


def letters(text: str) -> str:
    """A name as it is compared: without case and signs."""
    return "".join(_words(text))


def _is_called(process: Process, marks: set[str]) -> bool:
    """True if a process has one of these names: its executable or the folder of that; the script or
    module of an interpreter, which can lie anywhere, and load anything."""
    arguments = [] if isinstance(process.cmdline, Absent) else process.cmdline.split()
    program = process.exe or "".join(arguments[:1])
    if is_interpreter(program):
        return not marks.isdisjoint(map(letters, program_names(process.exe, arguments)))
    *folders, name = PurePosixPath(program).parts or ("",)
    long = {mark for mark in marks if len(mark) > SHORT}
    return _has(name, marks) or any(_has(folder, long) for folder in folders)


def _has(name: str, marks: set[str]) -> bool:
    """True if whole words of a name, one or several in a row, are one of the marks: `lm-studio`
    and `LM_Studio-0.3` have `lmstudio`, and `array` has not `ray`."""
    words = _words(name)
    longest = max(map(len, marks), default=0)
    for first in range(len(words)):
        row = ""
        for word in words[first:]:
            row += word
            if row in marks:
                return True
            if len(row) > longest:
                break
    return False


def _loaded(case: Case) -> Iterable[str]:
    """Libraries that an interpreter loaded, by all their names. What another program has in memory
    may be there for anything."""
    inside = {one.id for one in programs_of(case) if is_interpreter(one.exe)}
    for known in case.versions.rows:
        if known.how.is_seen and not inside.isdisjoint(known.processes):
            yield from map(letters, (known.product, *known.modules))


def _is_of(path: str, models: set[str]) -> bool:
    return any(part in path if "/" in part else path.endswith(part) for part in models)


def _words(text: str) -> list[str]:
    return list(filter(None, _NO_WORD.split(text.lower())))
