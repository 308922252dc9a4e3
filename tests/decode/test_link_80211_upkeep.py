"""802.11 upkeep ends at the link; what is none, or holds more, is said."""

import pytest

from tests.builders.links import snap, wlan
from tests.builders.one_frame import TO_V4, fate

WLAN = 105
PROTECTED, HTC = 0x40, 0x80
ACTION, ACTION_NO_ACK = 0xD0, 0xE0
MORE, RESERVED = "more than 802.11 upkeep", "802.11 of a reserved subtype"
MANAGEMENT, CONTROL, NULL = "802.11 management", "802.11 control", "802.11 null data"
HEADER = 24


def management(control: int, flags: int = 0, body: bytes = b"") -> bytes:
    """A management frame."""
    return bytes([control, flags]) + bytes(HEADER - 2) + (bytes(4) if flags & HTC else b"") + body


@pytest.mark.parametrize("control", [0x00, 0x40, 0x50, 0x80, 0xA0, 0xB0, 0xC0])
def test_management_has_no_destination(control: int) -> None:
    assert fate(management(control, body=bytes(60)), WLAN) == MANAGEMENT


@pytest.mark.parametrize("control", [0x70, 0xF0])
def test_reserved_management_is_not_known(control: int) -> None:
    assert fate(management(control, body=bytes(60)), WLAN) == RESERVED


@pytest.mark.parametrize("size", [2, HEADER - 1])
def test_a_management_frame_that_ends_inside_its_header_is_malformed(size: int) -> None:
    assert fate(management(0x00)[:size], WLAN) == "link-malformed"
    assert fate(management(0x00)[:size], WLAN, 90) == "truncated"


@pytest.mark.parametrize("control", [ACTION, ACTION_NO_ACK])
@pytest.mark.parametrize("body", [b"\x7f\0", b"\x7e\0", b"\x04\x09", b"\x09\x09"])
@pytest.mark.parametrize("flags", [0, HTC])
def test_an_action_of_a_vendor_may_carry_anything(control: int, body: bytes, flags: int) -> None:
    found = fate(management(control, flags, body + b"data"), WLAN)
    assert found == "802.11 action of a vendor"


@pytest.mark.parametrize("body", [b"\x03\0", b"\x04\x0a", b"\x05\x09"])
def test_an_action_of_the_standard_has_no_destination(body: bytes) -> None:
    assert fate(management(ACTION, body=body + bytes(20)), WLAN) == MANAGEMENT


def test_an_action_without_its_category_is_malformed() -> None:
    assert fate(management(ACTION, body=b"\x03"), WLAN) == "link-malformed"


def test_an_encrypted_action_may_be_of_a_vendor() -> None:
    assert fate(management(ACTION, PROTECTED, bytes(30)), WLAN) == "encrypted 802.11"


@pytest.mark.parametrize("control", [0x00, 0x40, 0x50, 0x80])
def test_what_is_never_encrypted_is_no_upkeep_if_it_is(control: int) -> None:
    assert fate(management(control, PROTECTED, bytes(40)), WLAN) == "encrypted 802.11"


@pytest.mark.parametrize("control", [0x08, 0x88])
@pytest.mark.parametrize("flags", [0, 1, 2, 3, HTC | 1])
def test_data_are_no_upkeep_although_one_bit_says_so(control: int, flags: int) -> None:
    frame = wlan(snap(TO_V4), control, flags)
    assert fate(bytes([control ^ 8]) + frame[1:], WLAN) == MORE


def test_an_encrypted_farewell_is_upkeep() -> None:
    assert fate(management(0xC0, PROTECTED, bytes(18)), WLAN) == MANAGEMENT


@pytest.mark.parametrize(
    ("control", "length"),
    [(0xA4, 16), (0xB4, 16), (0xC4, 10), (0xD4, 10), (0xE4, 16), (0xF4, 16)],
)
def test_control_of_one_length_has_that_and_a_check_sequence(control: int, length: int) -> None:
    frame = bytes([control]) + bytes(length - 1)
    assert fate(frame, WLAN) == CONTROL
    assert fate(frame + b"fcs!", WLAN) == CONTROL
    assert fate(frame + b"exfil", WLAN) == MORE
    assert fate(frame[:-1], WLAN) == "link-malformed"


@pytest.mark.parametrize("control", [0x24, 0x54, 0x74, 0x84, 0x94])
def test_other_control_is_as_long_as_it_needs(control: int) -> None:
    assert fate(bytes([control]) + bytes(60), WLAN) == CONTROL
    assert fate(bytes([control]) + bytes(8), WLAN) == "link-malformed"


@pytest.mark.parametrize("control", [0x04, 0x14])
def test_reserved_control_is_not_known(control: int) -> None:
    assert fate(bytes([control]) + bytes(60), WLAN) == RESERVED


@pytest.mark.parametrize("control", [0x0C, 0x1C, 0x2C, 0xFC])
def test_extensions_are_not_read(control: int) -> None:
    assert fate(wlan(snap(TO_V4), control), WLAN) == "802.11 extension"


@pytest.mark.parametrize("control", [0x48, 0x58, 0x68, 0x78, 0xC8, 0xE8, 0xF8])
def test_null_data_is_a_header_and_a_check_sequence(control: int) -> None:
    assert fate(wlan(b"", control), WLAN) == NULL
    assert fate(wlan(b"fcs!", control), WLAN) == NULL
    assert fate(wlan(snap(TO_V4), control), WLAN) == MORE
    assert fate(wlan(b"", control)[:-1], WLAN) == "link-malformed"


def test_reserved_null_data_is_not_known() -> None:
    assert fate(wlan(b"", 0xD8), WLAN) == RESERVED
