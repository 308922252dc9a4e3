"""What could have happened without the evidence showing it: one table, judge and manual alike."""

from collections.abc import Callable, Iterable, Iterator, Sized

from egress_audit.judge.case import Case
from egress_audit.model.audit import BlindSpot
from egress_audit.model.destination import Absent
from egress_audit.values import dataclass

WORK_DONE = "exercised"
"""The one assertion that says something of a run which its recording cannot."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One row of the table."""

    id: str
    title: str
    text: str
    """What could be missed, as a sentence of the report; `{count}` stands for the number, `{what}`
    for what `what` says."""
    disproof: str
    """What evidence would prove the opposite."""
    lifted_by: str | Absent
    """The assertion that lifts it; NOT_APPLICABLE if none does."""
    material_to: str
    """Which claims it stands in the way of, in words."""
    remedy: str
    present: Callable[[Case], int | None]
    """How many are concerned; 0 where counting makes no sense; None if the spot is not there."""
    is_material: Callable[[Case], bool]
    what: Callable[[Case], str] = lambda case: ""
    """Which ones: names, paths, ports, and the like."""
    remedy_of_run: str = ""
    """The remedy where the evidence is a run of ours already, if it is another one."""
    explains: Callable[[Case], tuple[str, ...]] = lambda case: ()
    """Who, why and how to switch it off, of those that the catalogue knows."""


def count_of(pick: Callable[[Case], Sized]) -> Callable[[Case], int | None]:
    """`Spot.present` of what is about those that `pick` finds: how many, and not there if none."""
    return lambda case: len(pick(case)) or None


def always(case: Case) -> bool:
    """Material to every claim."""
    return True


def never(case: Case) -> bool:
    """Worth knowing, and in nobody's way."""
    return False


def _lifted_by(spot: Spot, case: Case) -> str | Absent:
    """The assertion that lifts the spot here.

    What a recording of ours has not shown, it has failed to show, and no word replaces that; but a
    person may know that the program was used, unless its command failed.
    """
    if isinstance(case.run, Absent):
        return spot.lifted_by
    lifts = spot.lifted_by == WORK_DONE and not case.run.failed
    return spot.lifted_by if lifts else Absent.NOT_APPLICABLE


def _remedy(spot: Spot, case: Case) -> str:
    of_run = "" if isinstance(case.run, Absent) else spot.remedy_of_run
    return of_run or spot.remedy


def some(words: Iterable[str], limit: int = 3) -> str:
    """`a, b, c and 4 more`; each once."""
    each = list(dict.fromkeys(words))
    beyond = len(each) - limit
    return ", ".join(each[:limit]) + (f" and {beyond} more" if beyond > 0 else "")


def spots_in(case: Case, table: tuple[Spot, ...]) -> Iterator[BlindSpot]:
    """The rows of `table` that this evidence has, in its order."""
    asserted = {assertion.word for assertion in case.assertions}
    for spot in table:
        count = spot.present(case)
        if count is None:
            continue
        lifted_by = _lifted_by(spot, case)
        lifted = lifted_by in asserted
        yield BlindSpot(
            id=spot.id,
            message=spot.text.format(count=count, what=spot.what(case)),
            count=count,
            material=spot.is_material(case) and not lifted,
            lifted_by=lifted_by,
            lifted=lifted,
            remedy=_remedy(spot, case),
            explanation=spot.explains(case),
        )
