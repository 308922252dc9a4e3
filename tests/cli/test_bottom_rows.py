"""Our rows and the program's output share a terminal, and neither destroys the other."""

import fcntl
import os
import pty
import struct
import termios
from collections.abc import Iterator

import pytest

from egress_audit.cli.bottom_rows import BottomRows
from tests.builders.screens import Screen

WIDTH, HEIGHT = 40, 12


class Terminal:
    """A pseudo terminal whose screen we keep."""

    def __init__(self) -> None:
        self._ours, self.descriptor = pty.openpty()
        os.set_blocking(self._ours, False)
        self.resize(WIDTH, HEIGHT)
        self.screen = Screen(WIDTH, HEIGHT)

    def resize(self, width: int, height: int) -> None:
        size = struct.pack("=HHHH", height, width, 0, 0)
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, size)

    def prints(self, text: str) -> None:
        """What the program does."""
        os.write(self.descriptor, text.encode())

    def written(self) -> str:
        """What was written since the last look."""
        parts = b""
        while True:
            try:
                parts += os.read(self._ours, 65_536)
            except BlockingIOError:
                return parts.decode().replace("\r\n", "\n")

    def lines(self) -> list[str]:
        self.screen.write(self.written())
        return self.screen.lines()

    def close(self) -> None:
        os.close(self._ours)
        os.close(self.descriptor)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """A terminal in whose foreground we are."""
    made = Terminal()
    monkeypatch.setattr(os, "tcgetpgrp", lambda descriptor: os.getpgrp())
    yield made
    made.close()


def test_the_rows_stand_at_the_foot(terminal: Terminal) -> None:
    terminal.prints("one\ntwo\n")
    BottomRows(terminal.descriptor).show(["first", "second"])
    assert terminal.lines() == ["one", "two", *[""] * (HEIGHT - 4), "first", "second"]


def test_output_scrolls_above_the_rows(terminal: Terminal) -> None:
    BottomRows(terminal.descriptor).show(["ours"])
    terminal.prints("".join(f"line {number}\n" for number in range(30)))
    lines = terminal.lines()
    assert lines[:-2] == [f"line {number}" for number in range(20, 30)]
    assert lines[-1] == "ours"


def test_a_line_that_has_not_ended_goes_on_where_it_was(terminal: Terminal) -> None:
    rows = BottomRows(terminal.descriptor)
    for part in ("load", "ing", "\n"):
        terminal.prints(part)
        rows.show([f"after {part.strip()}"])
    terminal.prints("done\n")
    assert terminal.lines()[:2] == ["loading", "done"]


def test_room_for_one_more_row_is_made_by_scrolling(terminal: Terminal) -> None:
    rows = BottomRows(terminal.descriptor)
    terminal.prints("\n".join(f"line {number}" for number in range(HEIGHT)))
    rows.show(["a"])
    rows.show(["a", "b", "c"])
    terminal.prints("!")
    lines = terminal.lines()
    assert lines[-4:] == ["line 11!", "a", "b", "c"]
    assert lines[0] == "line 3"


def test_rows_that_are_no_longer_needed_are_empty(terminal: Terminal) -> None:
    rows = BottomRows(terminal.descriptor)
    rows.show(["a", "b"])
    rows.show(["a"])
    assert terminal.lines()[-2:] == ["a", ""]


def test_afterwards_the_terminal_scrolls_whole_again_and_our_rows_are_gone(
    terminal: Terminal,
) -> None:
    rows = BottomRows(terminal.descriptor)
    terminal.prints("output\n")
    rows.show(["a", "b"])
    rows.close()
    assert terminal.lines() == ["output", *[""] * (HEIGHT - 1)]
    terminal.prints("\n" * HEIGHT + "end")
    assert terminal.lines()[-1] == "end"


def test_whoever_forked_the_drawer_can_close_for_it(terminal: Terminal) -> None:
    rows = BottomRows(terminal.descriptor)
    pid = os.fork()
    if pid == 0:
        rows.show(["drawn by a recorder that is killed"])
        os._exit(0)
    os.waitpid(pid, 0)
    rows.close()
    assert terminal.lines() == [""] * HEIGHT


def test_closing_what_was_never_drawn_writes_nothing(terminal: Terminal) -> None:
    BottomRows(terminal.descriptor).close()
    assert terminal.written() == ""


def test_a_terminal_of_another_size_gets_its_rows_where_its_foot_is_now(
    terminal: Terminal,
) -> None:
    rows = BottomRows(terminal.descriptor)
    rows.show(["a"])
    terminal.written()
    terminal.resize(WIDTH, HEIGHT - 2)
    terminal.screen = Screen(WIDTH, HEIGHT - 2)
    rows.show(["b"])
    assert terminal.lines()[-1] == "b"
    assert terminal.screen.bottom == HEIGHT - 4


def test_a_low_terminal_is_left_alone(terminal: Terminal) -> None:
    terminal.resize(WIDTH, 5)
    rows = BottomRows(terminal.descriptor)
    assert rows.size() is None
    rows.show(["a"])
    assert terminal.written() == ""


def test_no_more_than_a_third_is_taken(terminal: Terminal) -> None:
    BottomRows(terminal.descriptor).show([str(number) for number in range(9)])
    assert terminal.lines()[-4:] == ["0", "1", "2", "3"]


def test_a_terminal_that_belongs_to_another_job_is_not_drawn_on(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "tcgetpgrp", lambda descriptor: os.getpgrp() + 1)
    BottomRows(terminal.descriptor).show(["a"])
    assert terminal.written() == ""


def test_a_terminal_that_was_stopped_is_not_waited_for(terminal: Terminal) -> None:
    rows = BottomRows(terminal.descriptor)
    termios.tcflow(terminal.descriptor, termios.TCOOFF)
    rows.show(["a"])
    termios.tcflow(terminal.descriptor, termios.TCOON)
    assert terminal.written() == ""


def test_what_is_no_terminal_has_no_rows() -> None:
    reading, writing = os.pipe()
    assert BottomRows(writing).size() is None
    os.close(reading)
    os.close(writing)
