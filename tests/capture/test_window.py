"""A window over an input: nothing is lost at its edges, and it grows no further than it must."""

import hashlib
import io

import pytest

from egress_audit.capture.window import PAGE, Window
from egress_audit.columns import PADDING
from egress_audit.model.destination import Absent

DATA = bytes(range(256)) * 4


def test_a_window_begins_at_the_beginning() -> None:
    window = Window(io.BytesIO(DATA), block=64)
    assert bytes(window.buffer[: window.end]) == DATA[:64]
    assert window.base == 0


def test_sliding_keeps_the_tail_in_front_of_what_follows() -> None:
    window = Window(io.BytesIO(DATA), block=64)
    assert window.slide(50)
    assert bytes(window.buffer[: window.end]) == DATA[50:114]
    assert window.base == 50


def test_sliding_at_the_end_of_the_input_says_that_there_was_no_more() -> None:
    window = Window(io.BytesIO(DATA), block=2048)
    assert not window.slide(1000)
    assert bytes(window.buffer[: window.end]) == DATA[1000:]


def test_a_record_longer_than_the_window_makes_it_grow() -> None:
    window = Window(io.BytesIO(DATA), block=64)
    assert window.slide(10, room=300)
    assert window.capacity == 300
    assert bytes(window.buffer[: window.end]) == DATA[10:310]


def test_a_record_that_fits_does_not_make_it_grow() -> None:
    window = Window(io.BytesIO(DATA), block=64)
    window.slide(10, room=64)
    assert window.capacity == 64


def test_the_view_as_an_array_follows_the_buffer_when_it_grows() -> None:
    window = Window(io.BytesIO(DATA), block=64)
    window.slide(0, room=128)
    assert window.array[: window.end].tobytes() == DATA[:128]


def test_zeros_follow_the_valid_bytes() -> None:
    window = Window(io.BytesIO(b"\xff" * 100), block=64)
    window.slide(60)
    assert not window.array[window.end : window.end + PADDING].any()


@pytest.mark.parametrize("block", [32, 100, 4096])
def test_hash_and_size_are_of_the_whole_input_whatever_the_block(block: int) -> None:
    window = Window(io.BytesIO(DATA), block=block)
    window.drain()
    assert window.sha256 == hashlib.sha256(DATA).hexdigest()
    assert window.size == len(DATA)


def test_a_drained_window_holds_nothing_of_its_input() -> None:
    window = Window(io.BytesIO(DATA), block=64)
    window.drain()
    assert (window.capacity, window.end) == (0, 0)


class Dripping(io.BytesIO):
    """An input that gives one byte at a time, as a slow pipe does."""

    def readinto(self, buffer: object) -> int:
        """One byte."""
        return super().readinto(memoryview(buffer)[:1])  # type: ignore[arg-type]


def test_a_slow_pipe_gives_the_same_as_a_file() -> None:
    window = Window(Dripping(DATA), block=64)
    assert bytes(window.buffer[: window.end]) == DATA[:64]


def test_a_closed_input_stays_readable_in_memory() -> None:
    window = Window(io.BytesIO(DATA), block=64)
    window.close()
    assert bytes(window.buffer[:64]) == DATA[:64]


@pytest.mark.parametrize("growth", [0, 1])
def test_what_is_read_lies_behind_a_page_as_far_as_in_the_input(growth: int) -> None:
    data = bytes(range(251)) * 200
    window = Window(io.BytesIO(data), block=9000)
    for consumed in (1, 4095, 8999, 24):
        assert (window.array.ctypes.data - window.base) % PAGE == 0
        begin = window.base + consumed
        assert window.slide(consumed, room=window.capacity + growth)
        assert bytes(window.buffer[: window.end]) == data[begin : begin + window.end]
        assert len(window.array) == window.capacity + PADDING
        assert not any(window.array[window.end :])


def test_without_a_hash_the_same_bytes_are_read_and_counted() -> None:
    window = Window(io.BytesIO(DATA), block=64, hashed=False)
    assert window.slide(50)
    assert bytes(window.buffer[: window.end]) == DATA[50:114]
    window.drain()
    assert (window.size, window.sha256) == (len(DATA), Absent.NOT_ASKED)
