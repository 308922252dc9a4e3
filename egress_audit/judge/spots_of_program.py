"""Blind spots about which program it was: who called what, and whether the runtime ran at all."""

from egress_audit.judge.blind_spots import WORK_DONE, Spot, always, count_of, some
from egress_audit.judge.case import Case
from egress_audit.judge.explanations import explanations
from egress_audit.judge.places import is_covered, without_places
from egress_audit.judge.runtimes import is_seen, signs_of
from egress_audit.model.audit import Observation
from egress_audit.model.destination import Absent
from egress_audit.model.run import Rung


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


def _runtime_unseen(case: Case) -> int | None:
    """0 if the claim names runtimes, and nothing in a run of ours shows one of them."""
    if isinstance(case.run, Absent) or not case.claim.applies_to.runtimes:
        return None
    return None if is_seen(case) else 0


def _which_runtimes(case: Case) -> str:
    """`onnxruntime: no interpreter loaded its library`, and what else was looked for; with the
    rung, if that could not have noted it."""
    runtimes = case.claim.applies_to.runtimes
    signs = [signs_of(runtime) for runtime in runtimes]
    missed = [
        what
        for what, there in (
            ("no process has its name", any(one.programs for one in signs)),
            ("no interpreter loaded its library", any(one.libraries for one in signs)),
            ("no model file of its kind was opened", any(one.models for one in signs)),
        )
        if there
    ]
    told = ", ".join(missed) or "no sign of it is known"
    return f"{some(runtimes)}: {told}{_blindness_of(case)}"


def _blindness_of(case: Case) -> str:
    """What the rung could not have noted at all, to be added."""
    polls = not isinstance(case.run, Absent) and case.run.rung is Rung.POLLING
    return f"; on this rung, {Rung.POLLING}, libraries and files are never seen" if polls else ""


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
        "the claim speaks of a runtime, and nothing shows that it ran ({what})",
        "a process of its name, an interpreter that loaded its library, or, if any program can "
        "have it inside, a model of its kind opened",
        WORK_DONE,
        "claims that name runtimes",
        "run the program that the claim speaks of, or take the profile of the one that ran; a "
        "library that is packed or linked is not seen",
        _runtime_unseen,
        always,
        _which_runtimes,
    ),
)
