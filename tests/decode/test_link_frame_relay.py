"""Frame Relay: addresses of every length, and the three ways to say what follows."""

import pytest

from tests.builders.captures import ethernet
from tests.builders.links import nlpid
from tests.builders.one_frame import PACKET, TO_V4, TO_V6, fate

FRELAY = 107
DLCI = b"\x18\x41"


@pytest.mark.parametrize("address", [DLCI, b"\x18\x40\x41", b"\x18\x40\x40\x41"])
@pytest.mark.parametrize("packet", [TO_V4, TO_V6], ids=["v4", "v6"])
def test_an_address_ends_with_the_first_odd_byte(address: bytes, packet: bytes) -> None:
    assert fate(address + b"\3" + nlpid(packet), FRELAY) == PACKET


@pytest.mark.parametrize("address", [b"\x19\x41", b"\x18\x40\x40\x40\x41"])
def test_an_address_of_one_byte_or_of_five_is_malformed(address: bytes) -> None:
    assert fate(address + b"\3" + nlpid(TO_V4), FRELAY) == "link-malformed"


def test_a_cut_address_is_the_captures_fault() -> None:
    assert fate(b"\x18\x40", FRELAY, 60) == "truncated"


@pytest.mark.parametrize(
    "rest",
    [
        b"\3\0" + nlpid(TO_V4),
        b"\3\0\x80\0\0\0\x08\0" + TO_V4,
        b"\3\0\x80\0\x80\xc2\0\7" + ethernet(TO_V4),
        b"\3\xcf\0\x21" + TO_V4,
        b"\x08\0" + TO_V4,
    ],
    ids=["padded", "snap", "bridged", "ppp", "cisco"],
)
def test_every_encapsulation_leads_to_the_packet(rest: bytes) -> None:
    assert fate(DLCI + rest, FRELAY) == PACKET


def test_the_state_of_circuits_is_no_packet() -> None:
    assert fate(b"\0\1\3\x08\0\x7d" + bytes(8), FRELAY) == "Q.933 status"


def test_a_call_names_a_far_party() -> None:
    assert fate(b"\0\1\3\x08\1\5\5" + bytes(8), FRELAY) == "NLPID 0x08"
