"""The fast checksum is that of RFC 1071, whatever the bytes and their number."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from egress_audit.record.internet.checksum import checksum, pseudo_checksum
from tests.builders.packets import internet_checksum


def test_the_example_of_rfc_1071_has_its_checksum() -> None:
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2


@given(st.binary(max_size=200))
def test_the_remainder_is_the_sum_of_words(data: bytes) -> None:
    assert checksum(data) == internet_checksum(data)


def test_a_sum_of_all_ones_is_not_taken_for_no_sum() -> None:
    assert checksum(b"\xff\xff") == 0
    assert checksum(bytes(8)) == 0xFFFF


@given(st.sampled_from([8, 32]), st.integers(0, 255), st.binary(min_size=1, max_size=100))
def test_the_pseudo_header_is_part_of_the_sum(size: int, proto: int, message: bytes) -> None:
    addresses = bytes(range(1, size + 1))
    pseudo = addresses + struct.pack(">II", len(message), proto)
    assert pseudo_checksum(addresses, proto, message) == internet_checksum(pseudo + message)
