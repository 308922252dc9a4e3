"""Which group a call joins is read as the kernel reads it."""

import os
import socket
import struct

import pytest

from egress_audit.record.filter import JOIN_OPTIONS, SOL_IP, SOL_IPV6
from egress_audit.record.group_joins import joined_group
from egress_audit.record.notifications import Notification
from tests.builders.memory import placed

FOUR, SIX = "239.7.7.7", "ff0e::7"
GROUP4, GROUP6 = socket.inet_aton(FOUR), socket.inet_pton(socket.AF_INET6, SIX)
STORAGE = 128


def request(family: int, rest: bytes) -> bytes:
    """struct group_req."""
    return struct.pack("=Q", 1) + (struct.pack("=H", family) + rest).ljust(STORAGE, b"\0")


REQUEST4 = request(socket.AF_INET, bytes(2) + GROUP4)
REQUEST6 = request(socket.AF_INET6, bytes(6) + GROUP6)
SOURCE = bytes(STORAGE)
JOINS = {
    (SOL_IP, 35): (GROUP4 + bytes(4), FOUR),
    (SOL_IP, 39): (GROUP4 + bytes(8), FOUR),
    (SOL_IP, 42): (REQUEST4, FOUR),
    (SOL_IP, 46): (REQUEST4 + SOURCE, FOUR),
    (SOL_IPV6, 20): (GROUP6 + bytes(4), SIX),
    (SOL_IPV6, 42): (REQUEST6, SIX),
    (SOL_IPV6, 46): (REQUEST6 + SOURCE, SIX),
}


def setsockopt(level: int, option: int, pointer: int, length: int) -> Notification:
    return Notification(1, os.getpid(), "setsockopt", (3, level, option, pointer, length, 0))


def test_every_option_that_joins_a_group_is_read() -> None:
    assert set(JOINS) == {
        (level, option) for level, options in JOIN_OPTIONS.items() for option in options
    }


@pytest.mark.parametrize(("level", "option"), JOINS)
def test_the_group_is_what_the_option_says(level: int, option: int) -> None:
    value, expected = JOINS[level, option]
    group = joined_group(setsockopt(level, option, placed(value), len(value)))
    assert group is not None
    assert (group.address, group.port, group.is_internet) == (expected, None, True)


@pytest.mark.parametrize(("level", "option"), JOINS)
def test_what_is_too_short_or_nowhere_names_no_group(level: int, option: int) -> None:
    value, _ = JOINS[level, option]
    assert joined_group(setsockopt(level, option, 0, len(value))) is None
    assert joined_group(setsockopt(level, option, placed(value), 3)) is None


def test_a_value_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(OSError, match="address"):
        joined_group(setsockopt(SOL_IP, 35, 16, 8))
