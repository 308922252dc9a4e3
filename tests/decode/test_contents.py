"""What stands behind the header of a tunnel: PPP and MPLS are read as on any link."""

import pytest

from tests.builders.captures import ethernet
from tests.builders.tunnels import GRE, gre, over_ip
from tests.decode.test_tunnels import INNER, INNER6, QUESTION, opened, sealed

PPP, MPLS = 0x880B, 0x8847


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff\x03\0\x21" + INNER,
        b"\0\x21" + INNER,
        b"\x21" + INNER,
        b"\xff\x03\x57" + INNER6,
        b"\0\x57" + INNER6,
        b"\x02\x81\0\1\1\x40" + INNER,
        b"\0\x31\0\1" + ethernet(INNER),
    ],
)
def test_ppp_may_leave_out_its_first_bytes(frame: bytes) -> None:
    assert opened(over_ip(GRE, gre(frame, PPP))).payload == QUESTION


@pytest.mark.parametrize("protocol", [b"\xc0\x21", b"\x80\x21", b"\xc2\x23", b"\x80\x3f"])
def test_its_own_control_holds_nothing(protocol: bytes) -> None:
    assert sealed(over_ip(GRE, gre(b"\xff\x03" + protocol + b"\1\1\0\4", PPP))) == ""


def test_a_packet_behind_the_number_of_its_control_is_sealed() -> None:
    assert sealed(over_ip(GRE, gre(b"\xff\x03\x80\x21" + INNER, PPP))) == "GRE"


def test_what_it_compressed_or_encrypted_is_sealed() -> None:
    assert sealed(over_ip(GRE, gre(b"\0\xfd" + bytes(20), PPP))) == "GRE"


@pytest.mark.parametrize("labels", [1, 2, 8, 16])
def test_a_stack_of_labels_ends_at_its_last(labels: int) -> None:
    stack = b"\0\1\0\x40" * (labels - 1) + b"\0\1\1\x40"
    assert opened(over_ip(GRE, gre(stack + INNER6, MPLS))).payload == QUESTION


def test_one_that_does_not_end_is_sealed() -> None:
    assert sealed(over_ip(GRE, gre(b"\0\1\0\x40" * 17 + INNER, MPLS))) == "GRE"


def test_behind_a_control_word_stands_a_frame() -> None:
    frame = b"\0\1\1\x40" + bytes(4) + ethernet(INNER)
    assert opened(over_ip(GRE, gre(frame, MPLS))).payload == QUESTION


def test_or_a_frame_at_once() -> None:
    assert opened(over_ip(GRE, gre(b"\0\1\1\x40" + ethernet(INNER), MPLS))).payload == QUESTION


def test_what_no_frame_has_behind_its_labels_is_sealed() -> None:
    assert sealed(over_ip(GRE, gre(b"\0\1\1\x40" + bytes(40), MPLS))) == "GRE"
