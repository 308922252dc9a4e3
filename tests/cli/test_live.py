"""What a person sees while the program runs."""

import io
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from egress_audit.cli import live
from egress_audit.cli.live import ExerciseOutput, LiveView, is_wanted, rendered, view_lines
from egress_audit.record.progress import Status, Step

RUNNING = Status(
    step=Step.RUNNING,
    phase="run",
    elapsed_s=12.3,
    observe_s=60.0,
    processes=3,
    calls=7,
    packets=1041,
    destinations={"huggingface.co:443": 19, "10.87.0.1:53": 2},
)


def shown(status: Status, most: int = 9) -> list[str]:
    return [line.plain for line in view_lines(status, most)]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2


def test_the_first_row_says_how_far_it_is() -> None:
    assert shown(RUNNING)[0] == (
        "── egress-audit ─ running ─ 0:12, 0:47 left ─ 3 processes ─ 2 destinations "
        "─ 1,041 packets ─ 0 dropped ──"
    )


def test_before_the_program_there_is_no_time() -> None:
    assert "left" not in shown(Status(observe_s=60.0))[0]


def test_time_that_is_over_is_not_negative() -> None:
    assert "1:10, 0:00 left" in shown(Status(elapsed_s=70.0, observe_s=60.0))[0]


def test_one_is_not_many() -> None:
    row = shown(Status(processes=1, packets=1, destinations={"a:1": 1}))
    assert "1 process ─ 1 destination ─ 1 packet ─" in row[0]
    assert row[1].endswith(" 1 packet")


def test_destinations_are_ranked_by_packets() -> None:
    assert shown(RUNNING)[1:] == [
        "  → huggingface.co:443    19 packets",
        "  → 10.87.0.1:53 (names)   2 packets",
    ]


def test_what_has_no_room_is_counted() -> None:
    places = {f"host{number}.example:443": 9 - number for number in range(9)}
    lines = shown(Status(destinations=places), most=4)
    assert len(lines) == 4
    assert lines[-1] == "  … and 7 more places"
    assert len(shown(Status(destinations=places), most=1)) == 1


def test_a_loss_stands_out() -> None:
    (line, *_) = view_lines(Status(drops=5), 9)
    assert "5 dropped" in line.plain
    assert any(span.style == "bold red" for span in line.spans)


def test_a_loss_stands_where_a_narrow_terminal_does_not_cut_it_off() -> None:
    wide = Status(drops=5, processes=1_000, packets=1_000_000, destinations={"a:1": 1})
    assert shown(wide)[0].startswith("── egress-audit ─ probing ─ 5 dropped ─ ")


def test_a_phase_that_the_program_reports_is_shown() -> None:
    assert "running: load ─" in shown(Status(step=Step.RUNNING, phase="load"))[0]


@pytest.mark.parametrize("hostile", ["a\x1b[2Jb", "a\rb", "a\nb", "a\u202eb", "[red]x[/red]"])
def test_nothing_that_a_program_says_is_obeyed(hostile: str) -> None:
    status = Status(step=Step.RUNNING, phase=hostile, destinations={f"{hostile}:443": 1})
    for line in view_lines(status, 9):
        assert line.plain.isprintable()
    assert "[red]x[/red]" in shown(status)[1] or "red" not in hostile


def test_a_long_name_loses_its_middle() -> None:
    (_, line) = shown(Status(destinations={"a" * 300 + ".example:443": 1}))
    assert len(line) < 90
    assert ".example:443" in line


def test_a_row_is_cut_to_the_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    text = rendered(view_lines(RUNNING, 9)[0], 40)
    assert "…" in text
    assert "packets" not in text


def test_colours_are_left_out_for_who_wants_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;36m" not in rendered(view_lines(RUNNING, 9)[0], 120)
    monkeypatch.delenv("NO_COLOR")
    assert "\x1b[1;36m" in rendered(view_lines(RUNNING, 9)[0], 120)


@pytest.mark.parametrize(("name", "wanted"), [("xterm", True), ("dumb", False), ("", False)])
def test_a_terminal_that_can_move_its_cursor_gets_a_view(
    name: str, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", name)
    assert is_wanted() is wanted


def test_a_pipe_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setenv("TERM", "xterm")
    assert not is_wanted()


class Rows:
    """Keeps what is drawn."""

    drawn: list[list[str]]

    def __init__(self, descriptor: int) -> None:
        self.drawn = []

    def size(self) -> tuple[int, int]:
        return 100, 5

    def show(self, lines: list[str]) -> None:
        self.drawn.append(lines)


def test_it_is_drawn_twice_a_second_and_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, now = Rows(2), 0.0
    monkeypatch.setattr(live, "BottomRows", lambda descriptor: rows)
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(sys, "stderr", Terminal())
    view = LiveView()
    for tick in range(10):
        now = tick / 10
        view.tick(Status(step=Step.RUNNING))
    assert len(rows.drawn) == 2
    view.tick(Status(step=Step.ENDING))
    assert len(rows.drawn) == 3
    assert threading.active_count() == 1


def test_what_the_exerciser_prints_is_passed_on_and_not_obeyed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (tmp_path / "stderr").open("w+") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        said = ExerciseOutput()
        for part in (b"Hall\xc3", b"\xb6!\n\x1b[2J", b"x\n"):
            said.take(part)
    assert (tmp_path / "stderr").read_text() == "Hallö!\n\\x1b[2Jx\n"


def test_a_reader_who_does_not_read_does_not_stop_the_recorder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with os.fdopen(writing, "w") as stream:
        while True:
            try:
                os.write(writing, b"x" * 4096)
            except BlockingIOError:
                break
        os.set_blocking(writing, True)
        monkeypatch.setattr(sys, "stderr", stream)
        ExerciseOutput().take(b"nobody waits for me")
    os.close(reading)
