"""What the exerciser prints is passed on whole, and searched up to a bound."""

import os
import re
from collections.abc import Iterator

import pytest

from egress_audit.record.exercise import CHUNK, MOST_OUTPUT, Exercise


class Said:
    """An exercise that listens to a pipe, and what it passed on."""

    def __init__(self, expect: str) -> None:
        self._output, self._mouth = os.pipe()
        self.passed_on: list[bytes] = []
        self.exercise = Exercise(self._output, re.compile(expect), self.passed_on.append)

    def says(self, part: bytes) -> None:
        """Prints, and is heard. What is longer than a pipe is printed in pieces."""
        for at in range(0, len(part), CHUNK):
            os.write(self._mouth, part[at : at + CHUNK])
            assert self.exercise.hear()

    def end(self) -> None:
        """Prints no more."""
        os.close(self._mouth)
        self._mouth = -1

    def close(self) -> None:
        """Lets the pipe go."""
        os.close(self._output)
        if self._mouth >= 0:
            self.end()


@pytest.fixture
def ready() -> Iterator[Said]:
    made = Said("ready [0-9]+")
    yield made
    made.close()


def test_what_was_expected_is_found_among_other_words(ready: Said) -> None:
    ready.says(b"loading\nready 1\nbye\n")
    assert ready.exercise.succeeded(0)


def test_other_words_are_no_success(ready: Said) -> None:
    ready.says(b"ready, almost\n")
    assert not ready.exercise.succeeded(0)


@pytest.mark.parametrize("status", [1, -9, None], ids=["failed", "killed", "running"])
def test_one_that_did_not_end_well_did_not_succeed_whatever_it_printed(
    ready: Said, status: int | None
) -> None:
    ready.says(b"ready 1\n")
    assert not ready.exercise.succeeded(status)


def test_silence_is_no_success(ready: Said) -> None:
    assert not ready.exercise.succeeded(0)


def test_words_that_came_in_two_parts_are_found(ready: Said) -> None:
    ready.says(b"rea")
    ready.says(b"dy 17")
    assert ready.exercise.succeeded(0)


def test_a_letter_that_came_in_two_parts_is_whole() -> None:
    made = Said("fünf")
    letters = "fünf".encode()
    made.says(letters[:2])
    made.says(letters[2:])
    assert made.exercise.succeeded(0)
    made.close()


def test_bytes_that_are_no_text_hide_no_word(ready: Said) -> None:
    ready.says(b"\xff\xfe\x00ready 1\xc3")
    assert ready.exercise.succeeded(0)


def test_an_expression_may_reach_over_lines() -> None:
    made = Said(r"(?s)begin.*end")
    made.says(b"begin\n")
    made.says(b"x\n" * 100)
    made.says(b"end\n")
    assert made.exercise.succeeded(0)
    made.close()


def test_all_that_is_printed_is_passed_on_in_its_order(ready: Said) -> None:
    ready.says(b"one")
    ready.says(b"\xfftwo")
    assert ready.passed_on == [b"one", b"\xfftwo"]


def test_the_end_is_heard_and_passes_nothing_on(ready: Said) -> None:
    ready.says(b"ready 1")
    ready.end()
    assert not ready.exercise.hear()
    assert ready.passed_on == [b"ready 1"]
    assert ready.exercise.succeeded(0)


@pytest.mark.parametrize(("before", "found"), [(MOST_OUTPUT - 7, True), (MOST_OUTPUT - 6, False)])
def test_what_comes_behind_the_bound_is_passed_on_and_not_searched(
    ready: Said, before: int, found: bool
) -> None:
    ready.says(b"x" * before)
    ready.says(b"ready 1")
    assert ready.exercise.succeeded(0) is found
    assert ready.exercise.beyond == (not found)
    assert sum(map(len, ready.passed_on)) == before + 7


def test_no_more_is_kept_than_the_bound(ready: Said) -> None:
    ready.says(b"x" * (MOST_OUTPUT + 3 * CHUNK))
    ready.says(b"ready 1")
    assert len(ready.exercise._said) == MOST_OUTPUT
    assert ready.exercise.beyond == 3 * CHUNK + 7
