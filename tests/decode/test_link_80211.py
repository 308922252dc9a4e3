"""802.11 as data, as upkeep and as secrets; and what radios put before it."""

import pytest

from tests.builders.links import avs, prism, radiotap, snap, wlan
from tests.builders.one_frame import PACKET, TO_V4, fate

WLAN, PRISM, RADIOTAP, AVS = 105, 119, 127, 163
BODY = snap(TO_V4)
QOS, HTC, PROTECTED = 0x88, 0x80, 0x40


@pytest.mark.parametrize("flags", [0, 1, 2, 3])
@pytest.mark.parametrize("control", [0x08, QOS], ids=["data", "qos"])
def test_data_with_three_or_four_addresses_leads_to_its_packet(control: int, flags: int) -> None:
    assert fate(wlan(BODY, control, flags), WLAN) == PACKET


def test_ht_control_stands_behind_qos_control() -> None:
    assert fate(wlan(BODY, QOS, 1 | HTC), WLAN) == PACKET


def test_without_qos_the_same_bit_announces_nothing() -> None:
    assert fate(wlan(BODY, 0x08, 1 | HTC), WLAN) == PACKET


def test_protected_data_is_counted_as_encrypted() -> None:
    assert fate(wlan(BODY, QOS, 1 | PROTECTED), WLAN) == "encrypted 802.11"


def test_another_version_is_not_read() -> None:
    assert fate(wlan(BODY, 0x09), WLAN) == "802.11 of another version"


def test_the_first_fragment_has_the_headers() -> None:
    assert fate(wlan(BODY, 0x08, 0x04), WLAN) == PACKET


def test_a_later_fragment_has_none() -> None:
    assert fate(wlan(BODY, fragment=3), WLAN) == "802.11 fragment"


PADDED = wlan(BODY, QOS, 1, padded=True)
MORE = 1 << 31


@pytest.mark.parametrize(
    ("fields", "present"),
    [
        (b"\x20", (2,)),
        (bytes(8) + b"\x20", (3,)),
        (bytes(4) + bytes(8) + b"\x20", (MORE | 3, 0)),
        (bytes(8) + b"\x20", (MORE | 3, MORE, 0)),
    ],
)
def test_radiotap_says_that_the_header_was_filled_up(
    fields: bytes, present: tuple[int, ...]
) -> None:
    assert fate(radiotap(PADDED, fields, *present), RADIOTAP) == PACKET


def test_radiotap_without_that_flag_means_no_padding() -> None:
    assert fate(radiotap(wlan(BODY, QOS, 1), b"\x10", 2), RADIOTAP) == PACKET
    assert fate(radiotap(PADDED, b"\x10", 2), RADIOTAP) == "802.2 LLC"


def test_a_flags_field_behind_the_header_is_not_read() -> None:
    assert fate(radiotap(wlan(BODY, 0x20 | 0x88), b"", 2), RADIOTAP) == PACKET


@pytest.mark.parametrize("header", [b"\1\0\x08\0" + bytes(4), b"\0\0\x07\0" + bytes(4)])
def test_a_radiotap_header_of_another_version_or_too_short_is_malformed(header: bytes) -> None:
    assert fate(header + wlan(BODY), RADIOTAP) == "link-malformed"


def test_present_words_without_end_are_not_followed_past_the_header() -> None:
    assert fate(radiotap(wlan(BODY), b"", *[0xFFFFFFFF] * 60), RADIOTAP) == PACKET


def test_the_cookie_tells_avs_from_prism() -> None:
    assert fate(prism(wlan(BODY)), PRISM) == PACKET
    assert fate(avs(wlan(BODY)), PRISM) == PACKET


def test_an_avs_header_has_the_length_it_states() -> None:
    assert fate(avs(wlan(BODY)), AVS) == PACKET
    assert fate(b"\x80\x21\x10\1\0\0\0\7" + bytes(56) + wlan(BODY), AVS) == "link-malformed"
