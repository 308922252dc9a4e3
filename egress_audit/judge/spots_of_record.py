"""Blind spots of a bundle as a record: not closed, changed, damaged, or silent about a sender."""

from egress_audit.judge.blind_spots import Spot, always, some
from egress_audit.judge.case import Case
from egress_audit.model.destination import Absent
from egress_audit.model.evidence import Recording

NONE = Absent.NOT_APPLICABLE
RECORD_AGAIN = "run it again"


def _recording(case: Case) -> Recording | None:
    recording = case.coverage.recording
    return None if isinstance(recording, Absent) else recording


def _unfinished(case: Case) -> int | None:
    run, recording = case.run, _recording(case)
    if isinstance(run, Absent):
        return None
    closed = recording is not None and recording.complete and run.ended_by != "lost"
    return None if closed and not isinstance(run.closed_ns, Absent) else 0


def _altered(case: Case) -> int | None:
    recording = _recording(case)
    return None if recording is None else len(recording.altered) or None


def _what_altered(case: Case) -> str:
    recording = _recording(case)
    return "" if recording is None else some(recording.altered)


def _damaged(case: Case) -> int | None:
    recording = _recording(case)
    return None if recording is None else len(recording.problems) or None


def _what_damaged(case: Case) -> str:
    recording = _recording(case)
    return "" if recording is None else some(recording.problems)


def _owners_missing(case: Case) -> int | None:
    recording = _recording(case)
    return None if recording is None else recording.unattributed or None


SPOTS_OF_RECORD: tuple[Spot, ...] = (
    Spot(
        "record-unfinished",
        "A record without its end",
        "the recorder did not live to close its record, so what came afterwards is not in it",
        "a bundle with its last event and its manifest",
        NONE,
        "every claim",
        RECORD_AGAIN,
        _unfinished,
        always,
    ),
    Spot(
        "bundle-altered",
        "A bundle that was changed",
        "files of the bundle that are not as they were when it was closed: {count} ({what})",
        "files that are as the manifest says",
        NONE,
        "every claim",
        "get the bundle as it was made",
        _altered,
        always,
        _what_altered,
    ),
    Spot(
        "record-damaged",
        "A damaged record",
        "places of the record that are damaged, missing or contradictory: {count} ({what})",
        "a record that can be read whole",
        NONE,
        "every claim",
        "get the bundle as it was made, or run it again",
        _damaged,
        always,
        _what_damaged,
    ),
    Spot(
        "owners-missing",
        "Packets of nobody",
        "packets that left, of which it is not known which process sent them: {count}",
        "an owner of every packet",
        NONE,
        "every claim",
        RECORD_AGAIN,
        _owners_missing,
        always,
    ),
)
