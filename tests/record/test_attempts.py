"""Each distinct attempt is written once, counted, and has one outcome."""

import errno
import socket

import pytest

from egress_audit.record import attempts as module
from egress_audit.record.attempts import Attempts
from egress_audit.record.notifications import SocketAddress

FAR = SocketAddress(socket.AF_INET, "203.0.113.9", 443)
Event = tuple[str, dict[str, object]]


class Record:
    """Attempts, and what was written of them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.attempts = Attempts(self._write)

    def _write(self, event: str, **fields: object) -> None:
        self.events.append((event, fields))

    def of(self, kind: str) -> list[dict[str, object]]:
        return [fields for event, fields in self.events if event == kind]


@pytest.fixture
def record() -> Record:
    return Record()


def test_an_attempt_is_written_in_the_words_of_the_record(record: Record) -> None:
    assert record.attempts.add(2, "connect", kind="stream", target=FAR) == 0
    expected = {
        "process": 2,
        "call": "connect",
        "family": "AF_INET",
        "type": "stream",
        "address": "203.0.113.9",
        "port": 443,
        "denied": None,
    }
    assert record.events == [("attempt", expected)]


def test_a_denied_attempt_names_its_error(record: Record) -> None:
    record.attempts.add(2, "socket", family="AF_VSOCK", denied=errno.EAFNOSUPPORT)
    assert record.of("attempt")[0]["denied"] == "EAFNOSUPPORT"


def test_an_attempt_without_a_target_has_no_address(record: Record) -> None:
    record.attempts.add(2, "io_uring_setup", denied=errno.ENOSYS)
    (attempt,) = record.of("attempt")
    assert (attempt["address"], attempt["port"], attempt["family"]) == (None, None, "")


def test_the_same_attempt_is_written_once_and_counted_at_the_end(record: Record) -> None:
    for _ in range(3):
        assert record.attempts.add(2, "connect", kind="stream", target=FAR) == 0
    assert len(record.events) == 1
    record.attempts.finish()
    assert record.events[1:] == [("attempt-more", {"attempt": 0, "count": 3})]


def test_an_attempt_that_was_made_once_needs_no_count(record: Record) -> None:
    record.attempts.add(2, "connect", target=FAR)
    record.attempts.finish()
    assert not record.of("attempt-more")


@pytest.mark.parametrize(
    "other",
    [
        {"process": 3},
        {"call": "sendto"},
        {"kind": "dgram"},
        {"target": SocketAddress(socket.AF_INET, "203.0.113.9", 80)},
        {"target": SocketAddress(socket.AF_INET, "203.0.113.10", 443)},
        {"denied": errno.EPERM},
    ],
)
def test_an_attempt_that_differs_in_anything_is_another(
    record: Record, other: dict[str, object]
) -> None:
    plain: dict[str, object] = {"process": 2, "call": "connect", "kind": "stream", "target": FAR}
    add = record.attempts.add
    first, second = add(**plain), add(**(plain | other))  # type: ignore[arg-type]
    assert (first, second) == (0, 1)


def test_attempts_past_the_number_that_is_kept_are_counted(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ATTEMPTS", 2)
    numbers = [record.attempts.add(process, "connect", target=FAR) for process in (1, 2, 3, 4)]
    assert numbers == [0, 1, None, None]
    assert record.attempts.add(1, "connect", target=FAR) == 0
    record.attempts.finish()
    assert record.of("attempts-dropped") == [{"count": 2}]


def test_nothing_is_said_of_dropped_attempts_where_there_are_none(record: Record) -> None:
    record.attempts.add(2, "connect", target=FAR)
    record.attempts.finish()
    assert not record.of("attempts-dropped")


def outcomes(record: Record, *words: str) -> list[object]:
    number = record.attempts.add(2, "connect", target=FAR)
    for word in words:
        record.attempts.came_to(number, word)
    assert not record.of("outcome")
    record.attempts.finish()
    return [fields["outcome"] for fields in record.of("outcome")]


def test_an_outcome_is_written_once(record: Record) -> None:
    assert outcomes(record, "absent", "absent") == ["absent"]


def test_what_was_absent_may_be_reached_later(record: Record) -> None:
    assert outcomes(record, "absent", "reached") == ["reached"]


def test_what_was_reached_stays_so(record: Record) -> None:
    assert outcomes(record, "reached", "absent", "time-of-check") == ["reached"]


def test_an_attempt_that_was_not_kept_has_no_outcome(record: Record) -> None:
    record.attempts.came_to(None, "reached")
    assert record.events == []


def test_a_fifo_that_nobody_was_seen_to_open_was_reached_by_somebody(record: Record) -> None:
    record.attempts.reached("/srv/fifo")
    (told,) = record.of("attempt")
    assert (told["process"], told["type"], told["address"]) == (0, "fifo", "/srv/fifo")
    assert record.attempts.outcomes == {0: "reached"}


def test_one_that_a_process_was_seen_to_open_is_told_once(record: Record) -> None:
    number = record.attempts.add(2, "openat", kind="fifo", address="/srv/fifo")
    record.attempts.came_to(number, "reached")
    record.attempts.reached("/srv/fifo")
    assert len(record.of("attempt")) == 1


def test_a_call_that_did_not_get_to_a_fifo_is_not_the_one_that_wrote_to_it(record: Record) -> None:
    number = record.attempts.add(2, "connect", family="AF_UNIX", address="/srv/fifo")
    record.attempts.came_to(number, "absent")
    record.attempts.reached("/srv/fifo")
    assert record.attempts.outcomes == {0: "absent", 1: "reached"}
