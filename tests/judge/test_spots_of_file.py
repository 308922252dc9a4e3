"""Loss and doubt that the file itself records: each blind spot there, not there, never lifted."""

from typing import Any

import pytest

from egress_audit.judge.spots_of_file import SPOTS_OF_FILE
from egress_audit.judge.spots_of_traffic import SPOTS_OF_TRAFFIC
from egress_audit.model.audit import Direction
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import Damage
from tests.builders.cases import (
    LOOPBACK,
    OUTSIDE,
    case,
    concluded,
    contact,
    interface,
    lifted_by,
    spots,
)

RECORDED = (*SPOTS_OF_FILE, *SPOTS_OF_TRAFFIC)
REFUSED = contact(LOOPBACK, far_p=7890, conn_states={"REJ": 1}, direction=Direction.INTERNAL)
ANSWERED = contact(LOOPBACK, far_p=7890, direction=Direction.INTERNAL)
STRANGER = contact(OUTSIDE, direction=Direction.INBOUND)
DAMAGE = (Damage(40, "a record claims 4294967295 bytes"),)

PRESENT: dict[str, dict[str, Any]] = {
    "damage": {"damage": DAMAGE},
    "ended-by-user": {"ended_by_user": True},
    "drops-recorded": {"interfaces": (interface(drops=3),), "drops": 3},
    "filter-recorded": {"interfaces": (interface(capture_filter="tcp"),)},
    "snaplen-cut": {"truncated": 3},
    "frames-undecoded": {"undecoded": {"ethertype 0x88ca": 3}},
    "headers-partial": {"partial": {"header-cut": 3}},
    "fragments": {"partial": {"fragment": 3}},
    "source-routes": {"partial": {"source-routed": 3}},
    "tunnels": {"tunnels": {"GRE": 3}},
    "one-way": {"one_way_flows": 3},
    "answers-unprompted": {"unprompted_errors": 3},
    "foreign-flows": {"foreign_flows": 3},
    "loopback-on-the-wire": {"loopback_on_wire": 3},
    "stream-gaps": {"gap_flows": 3, "missed_bytes": 900},
    "time-reversals": {"time_reversals": 3},
    "flows-evicted": {"flows_evicted": 3},
    "conflicting-segments": {"conflicting_segments": 3},
    "frames-duplicated": {"duplicates": 3},
    "frames-without-time": {"frames_without_time": 3},
    "blocks-skipped": {"skipped_blocks": {"decryption secrets block": 3}},
    "blocks-unknown": {"skipped_blocks": {"unknown block type 0x00000539": 3}},
}
"""By id, what in the ledger makes it present; the others depend on what was observed."""

IMMATERIAL = {"inbound-answered", "frames-duplicated", "frames-without-time", "blocks-skipped"}


def with_spot(spot_id: str) -> dict[str, Any]:
    """The arguments of a case that has the spot."""
    observed: dict[str, dict[str, Any]] = {
        "local-service-missing": {"rows": (REFUSED,)},
        "own-addresses-guessed": {"rows": (STRANGER,), "own_how": "guessed"},
        "inbound-answered": {"rows": (STRANGER,)},
    }
    return observed.get(spot_id) or PRESENT[spot_id]


def made(rows: tuple[Any, ...] = (), **changes: Any) -> Any:
    return case(*rows, **changes)


@pytest.mark.parametrize("spot", RECORDED, ids=lambda spot: spot.id)
def test_a_spot_is_there_when_the_file_records_it(spot: Any) -> None:
    assert spot.id in spots(made(**with_spot(spot.id)))


@pytest.mark.parametrize("spot", RECORDED, ids=lambda spot: spot.id)
def test_a_spot_is_not_there_in_a_file_that_records_nothing(spot: Any) -> None:
    assert spot.id not in spots(case(contact(LOOPBACK, direction=Direction.INTERNAL)))


@pytest.mark.parametrize("spot", RECORDED, ids=lambda spot: spot.id)
def test_no_assertion_lifts_what_the_file_records(spot: Any) -> None:
    there = made(**with_spot(spot.id))
    if spot.id in IMMATERIAL:
        assert not spots(there)[spot.id].material
    else:
        assert spots(there)[spot.id].material
        assert lifted_by(spot.id, there) == []


@pytest.mark.parametrize("spot_id", sorted(set(PRESENT) - IMMATERIAL))
def test_with_all_six_assertions_the_spot_alone_leaves_it_open(spot_id: str) -> None:
    assert concluded(made(asserted="all", **with_spot(spot_id))).value == "INCONCLUSIVE"


@pytest.mark.parametrize("spot_id", sorted(IMMATERIAL))
def test_what_is_in_nobodys_way_leaves_the_claim_standing(spot_id: str) -> None:
    assert concluded(made(asserted="all", **with_spot(spot_id))).value == "HOLDS"


def test_a_loss_that_one_interface_states_counts_where_another_states_none() -> None:
    two = (interface(drops=5), interface(index=1))
    found = spots(case(interfaces=two, asserted="no-drops"))
    assert found["drops-recorded"].count == 5
    assert found["drops-unknown"].lifted


def test_a_drop_count_of_zero_is_no_loss() -> None:
    found = spots(case(interfaces=(interface(drops=0),), drops=0))
    assert not {"drops-recorded", "drops-unknown"} & found.keys()


def test_fragments_and_cut_headers_are_counted_apart() -> None:
    found = spots(case(partial={"fragment": 2, "header-cut": 3, "header-malformed": 4}))
    assert (found["fragments"].count, found["headers-partial"].count) == (2, 7)


def test_every_row_says_how_to_do_better_and_offers_no_assertion() -> None:
    assert all(spot.remedy and spot.lifted_by is Absent.NOT_APPLICABLE for spot in RECORDED)


@pytest.mark.parametrize(
    "kind", ["unknown block type 0x00000539", "custom block", "sysdig event block"]
)
def test_a_block_that_may_hold_frames_is_not_counted_among_those_that_hold_none(kind: str) -> None:
    found = spots(case(skipped_blocks={kind: 2, "decryption secrets block": 5}))
    assert (found["blocks-unknown"].count, found["blocks-skipped"].count) == (2, 5)
