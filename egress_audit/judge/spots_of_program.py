"""Blind spots about which program it was: who called what, and whether the runtime ran at all."""

import re
from collections.abc import Callable, Iterator, Mapping

from egress_audit.judge.blind_spots import WORK_DONE, Spot, always, count_of, some
from egress_audit.judge.case import Case
from egress_audit.judge.explanations import explanations
from egress_audit.judge.places import is_covered, without_places
from egress_audit.model.audit import Observation
from egress_audit.model.destination import Absent
from egress_audit.model.run import Process, Role
from egress_audit.programs import is_interpreter

MARKS: Mapping[str, tuple[str, ...]] = {
    "gpt4all": ("gpt4all",),
    "gradio": ("gradio",),
    "litellm": ("litellm",),
    "llamacpp": ("llama",),
    "lmstudio": ("lmstudio", "lms"),
    "localai": ("localai",),
    "ollama": ("ollama",),
    "ollamadesktopapp": ("ollama",),
    "ollamaserver": ("ollama",),
    "openwebui": ("openwebui",),
    "ray": ("ray",),
    "sglang": ("sglang",),
    "streamlit": ("streamlit",),
    "vllm": ("vllm",),
}
"""By runtime, what stands in the executable or arguments of whatever runs it, unless that is an
interpreter. Not of libraries, which any program can have in it."""
LIBRARIES: Mapping[str, tuple[str, ...]] = {"llamacpp": ("llamacpppython", "llamacpp", "xllamacpp")}
"""By runtime, the Python distributions and modules that are it, where they have other names."""
_NO_WORD = re.compile("[^a-z0-9]+")


def _unknown_callers(case: Case) -> dict[str, Observation]:
    """Names and addresses that are allowed only if one of the programs called that an entry names,
    with a row in which that is not known."""
    if case.claim.allow.everything or not case.claim.allow.endpoints:
        return {}
    bare = without_places(case.claim).allow
    return {
        place: seen
        for seen in (*case.questions(), *case.contacts())
        for place in case.granted(seen) - case.granted(seen, surely=True)
        if not is_covered(place, bare, ())
    }


def _which_callers(case: Case) -> str:
    """`news.acme.example by /usr/bin/python3`."""
    found = sorted(_unknown_callers(case).items())
    return some(f"{place} by {_caller(seen)}" for place, seen in found)


def _explained_callers(case: Case) -> tuple[str, ...]:
    found = sorted(_unknown_callers(case).items())
    return explanations(
        case, (match for place, seen in found for match in seen.endpoints if match.by == place)
    )


def _caller(seen: Observation) -> str:
    return "an unknown program" if isinstance(seen.owner, Absent) else seen.owner.exe


def _programs(case: Case) -> Iterator[Process]:
    """What ran of the program itself; not the recorder's own fork, which became it."""
    processes = () if isinstance(case.run, Absent) else case.run.processes
    ours = {one.cmdline for one in processes if one.role is Role.RECORDER} - {*Absent}
    for one in processes:
        if one.role is Role.TARGET and one.cmdline not in ours:
            yield one


def _runtime_unseen(case: Case) -> int | None:
    """0 if the claim names runtimes, and neither a program nor a model shows one of them."""
    runtimes = case.claim.applies_to.runtimes
    if isinstance(case.run, Absent) or not runtimes or case.run.model_files:
        return None
    ran = [_letters(f"{one.exe} {_arguments(one)}") for one in _programs(case)]
    marks = {mark for runtime in runtimes for mark in _marks(runtime)}
    named = any(mark in text for mark in marks for text in ran)
    return None if named or any(map(_is_loaded(case), runtimes)) else 0


def _is_loaded(case: Case) -> Callable[[str], bool]:
    """Tells of a runtime whether an interpreter had its library loaded. Of what is not an
    interpreter its own name is asked: what it loads beside may be there for anything."""
    programs = (one for one in _programs(case) if is_interpreter(one.exe))
    inside = {one.id for one in programs}
    loaded = {
        _letters(name)
        for known in case.versions.rows
        if known.how.is_seen and not inside.isdisjoint(known.processes)
        for name in (known.product, *known.modules)
    }
    return lambda runtime: (
        not loaded.isdisjoint((_letters(runtime), *LIBRARIES.get(_letters(runtime), ())))
    )


def _surely_another(case: Case) -> bool:
    """True if every such runtime would have shown; an interpreter can run one unseen, and what no
    table knows may have any name."""
    known = all(_letters(runtime) in MARKS for runtime in case.claim.applies_to.runtimes)
    return known and not any(is_interpreter(one.exe) for one in _programs(case))


def _which_runtimes(case: Case) -> str:
    return some(case.claim.applies_to.runtimes)


def _marks(runtime: str) -> tuple[str, ...]:
    return MARKS.get(_letters(runtime), (_letters(runtime),))


def _letters(text: str) -> str:
    return _NO_WORD.sub("", text.lower())


def _arguments(process: Process) -> str:
    return "" if isinstance(process.cmdline, Absent) else process.cmdline


SPOTS_OF_PROGRAM: tuple[Spot, ...] = (
    Spot(
        "caller-unknown",
        "Which program called",
        "names and addresses that the claim allows certain programs, called by one that may be "
        "another: {count} ({what})",
        "a caller that the entry names: its executable, or the script or module of an interpreter",
        Absent.NOT_APPLICABLE,
        "claims that allow endpoints by product or purpose",
        "allow the entry by its id, or its host, if any program may call it",
        count_of(_unknown_callers),
        always,
        _which_callers,
        explains=_explained_callers,
    ),
    Spot(
        "runtime-unseen",
        "Whether it was the runtime at all",
        "the claim speaks of {what}, and no process of it was seen, and no model file opened",
        "a process with its name in executable or arguments, an interpreter that loaded its "
        "library, or a model file that was opened",
        WORK_DONE,
        "claims that name runtimes with programs of their own, if no interpreter ran; else listed",
        "run the program that the claim speaks of, or take the profile of the one that ran",
        _runtime_unseen,
        _surely_another,
        _which_runtimes,
    ),
)
