"""What could have happened without the evidence showing it: one table, judge and manual alike."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from egress_audit.judge.case import Case
from egress_audit.model.audit import BlindSpot
from egress_audit.model.destination import Absent


@dataclass(frozen=True, slots=True)
class Spot:
    """One row of the table."""

    id: str
    title: str
    text: str
    """What could be missed, as a sentence of the report; `{count}` stands for the number."""
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


def always(case: Case) -> bool:
    """Material to every claim."""
    return True


def never(case: Case) -> bool:
    """Worth knowing, and in nobody's way."""
    return False


def spots_in(case: Case, table: tuple[Spot, ...]) -> Iterator[BlindSpot]:
    """The rows of `table` that this evidence has, in its order."""
    asserted = {assertion.word for assertion in case.assertions}
    for spot in table:
        count = spot.present(case)
        if count is None:
            continue
        lifted = spot.lifted_by in asserted
        yield BlindSpot(
            id=spot.id,
            message=spot.text.format(count=count),
            count=count,
            material=spot.is_material(case) and not lifted,
            lifted_by=spot.lifted_by,
            lifted=lifted,
            remedy=spot.remedy,
        )
