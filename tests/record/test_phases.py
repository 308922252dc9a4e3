"""Phases that a program reports, in whatever way it writes them."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress_audit.record.inside import O_PATH, Inside
from egress_audit.record.phases import (
    CHUNK,
    LONGEST_WORD,
    MOST_PHASES,
    PLACE,
    VARIABLE,
    ReportedPhases,
)


class Reports:
    """A program that reports, and what was written down of it."""

    def __init__(self, root: Path) -> None:
        self.file = root / PLACE.lstrip("/")
        self.file.parent.mkdir(parents=True)
        self.file.touch()
        self.inside = Inside(os.open(root, O_PATH | os.O_DIRECTORY))
        self.events: list[tuple[object, object]] = []
        self.times: list[int] = []
        self.limits: list[str] = []
        self.phases = ReportedPhases(self.inside, self._write)

    def _write(self, event: str, **fields: object) -> None:
        if event == "cannot-see":
            self.limits.append(str(fields["text"]))
            return
        assert (event, fields["proof"]) == ("phase", "self")
        self.events.append((fields["phase"], fields["edge"]))
        assert isinstance(fields["at_ns"], int)
        self.times.append(fields["at_ns"])

    def adds(self, data: bytes) -> None:
        """The program writes, and we read."""
        with self.file.open("ab") as stream:
            stream.write(data)
        self.phases.read()

    @property
    def begun(self) -> list[object]:
        return [word for word, edge in self.events if edge == "begin"]


@pytest.fixture
def reports(tmp_path: Path) -> Iterator[Reports]:
    made = Reports(tmp_path)
    yield made
    made.inside.close()


def line(word: object, t: float = 1.5) -> bytes:
    return json.dumps({"t": t, "phase": word, "pid": 42}).encode() + b"\n"


def test_phases_that_are_read_together_keep_the_times_they_tell(reports: Reports) -> None:
    now = time.time()
    reports.adds(line("load", now - 0.2) + line("generate", now - 0.05))
    begun, ended, next_begun = reports.times
    assert begun == pytest.approx((now - 0.2) * 1e9, abs=1e6)
    assert ended == next_begun == pytest.approx((now - 0.05) * 1e9, abs=1e6)


@pytest.mark.parametrize("t", [-1.0, 0.0, 5.0, 1e300, float("nan"), float("inf")])
def test_a_time_that_cannot_be_true_is_not_believed(reports: Reports, t: float) -> None:
    before = time.time_ns()
    reports.adds(line("load", t))
    assert before - 10**9 <= reports.times[0] <= time.time_ns()


def test_a_reported_phase_begins(reports: Reports) -> None:
    reports.adds(line("load"))
    assert reports.events == [("load", "begin")]
    assert reports.phases.current == "load"


def test_a_phase_ends_where_the_next_begins(reports: Reports) -> None:
    reports.adds(line("load") + line("generate"))
    assert reports.events == [("load", "begin"), ("load", "end"), ("generate", "begin")]


def test_closing_ends_the_phase_that_is_under_way(reports: Reports) -> None:
    reports.adds(line("load"))
    reports.phases.close()
    reports.phases.close()
    assert reports.events == [("load", "begin"), ("load", "end")]
    assert reports.phases.current == ""


def test_a_line_is_read_once(reports: Reports) -> None:
    reports.adds(line("load"))
    reports.phases.read()
    assert reports.begun == ["load"]


def test_half_a_line_waits_for_its_other_half(reports: Reports) -> None:
    reports.adds(line("load")[:12])
    assert reports.begun == []
    reports.adds(line("load")[12:])
    assert reports.begun == ["load"]


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"load",
        b"{",
        b"[]",
        b"null",
        b'"load"',
        b"{}",
        b'{"phase": 5}',
        b'{"phase": ""}',
        b'{"phase": "   "}',
        b'{"phase": null}',
        b'{"phase": ["load"]}',
        b"\xff\xfe\x00",
        b"\0" * 40,
        b"[" * 50_000,
        b"1" * 6000,
        b'{"t": ' + b"9" * 5000 + b', "phase": "x"}',
    ],
    ids=range(17),
)
def test_a_line_that_says_no_phase_is_passed_over(reports: Reports, hostile: bytes) -> None:
    reports.adds(hostile + b"\n" + line("load"))
    assert reports.begun == ["load"]


def test_a_long_word_is_cut(reports: Reports) -> None:
    reports.adds(line("x" * 500))
    assert reports.begun == ["x" * LONGEST_WORD]


def test_a_word_may_hold_half_a_surrogate(reports: Reports) -> None:
    reports.adds(b'{"phase": "\\ud800"}\n')
    assert reports.begun == ["\ud800"]


def test_a_line_without_end_takes_no_more_memory_than_two_reads(reports: Reports) -> None:
    reports.adds(b"x" * (5 * CHUNK))
    for _ in range(5):
        reports.phases.read()
        assert len(reports.phases._rest) <= CHUNK
    reports.adds(b"\n" + line("load"))
    assert reports.begun == ["load"]


def test_more_than_one_read_is_taken_in_order(reports: Reports) -> None:
    words = [f"phase {number}" for number in range(900)]
    padding = b" " * 100 + b"\n"
    reports.adds(b"".join(line(word) + padding for word in words))
    for _ in range(3):
        reports.phases.read()
    assert reports.begun == words


def test_no_more_phases_are_kept_than_so_many(reports: Reports) -> None:
    reports.adds(b"".join(line(str(number)) for number in range(MOST_PHASES + 5)))
    reports.phases.read()
    assert len(reports.begun) == MOST_PHASES


def test_the_last_phase_that_is_kept_ends_where_the_next_one_began(reports: Reports) -> None:
    reports.adds(b"".join(line(str(number)) for number in range(MOST_PHASES + 1)))
    assert reports.events[-1] == (str(MOST_PHASES - 1), "end")
    assert reports.phases.current == ""


def test_lines_that_are_not_kept_are_told_as_a_limit(reports: Reports) -> None:
    reports.adds(b"{}\n" + b"".join(line(str(number)) for number in range(MOST_PHASES + 2)))
    reports.phases.finish()
    (limit,) = reports.limits
    assert VARIABLE in limit and limit.endswith(": 3")


def test_where_all_lines_are_phases_there_is_no_limit(reports: Reports) -> None:
    reports.adds(line("load") + b"\n" + line("generate"))
    reports.phases.finish()
    assert reports.limits == []


def test_without_a_file_there_are_no_phases(reports: Reports) -> None:
    reports.file.unlink()
    reports.phases.read()
    assert reports.events == []


def test_a_file_that_became_a_link_out_is_not_followed(reports: Reports, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}.outside"
    outside.write_bytes(line("from outside"))
    reports.file.unlink()
    reports.file.symlink_to(outside)
    reports.phases.read()
    assert reports.events == []


def test_a_file_that_became_a_folder_is_passed_over(reports: Reports) -> None:
    reports.file.unlink()
    reports.file.mkdir()
    reports.phases.read()
    assert reports.events == []


@settings(max_examples=50)
@given(st.lists(st.binary(max_size=300), max_size=5))
def test_no_bytes_are_too_strange(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]
) -> None:
    reports = Reports(tmp_path_factory.mktemp("phases"))
    for part in parts:
        reports.adds(part)
    reports.adds(b"\n" + line("load"))
    assert reports.begun[-1] == "load"
    reports.inside.close()
