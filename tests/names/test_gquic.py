"""The CHLO of Google's QUIC speaks its server name, whole or not at all."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.model.flow import NameSource
from egress_audit.names.gquic import MAX_TAGS, PLAIN_VERSIONS, read_chlo, read_plain_packet
from egress_audit.names.reading import NOTHING, Reading, Spoken, Unread


def chlo(**values: bytes) -> bytes:
    """A CHLO with some tags, in this order."""
    entries, body = b"", b""
    for tag, value in values.items():
        body += value
        entries += tag.encode().ljust(4, b"\0") + struct.pack("<I", len(body))
    return b"CHLO" + struct.pack("<HH", len(values), 0) + entries + body


HELLO = chlo(PAD=bytes(300), SNI=b"a.example", VER=b"Q043")
NAME = (Spoken("a.example", NameSource.QUIC_SNI),)
Q043 = b"\x0d" + bytes(8) + b"Q043\x01" + bytes(12) + b"\xa0\x01" + struct.pack(">H", len(HELLO))


def test_the_name_in_a_hello_of_googles_quic_is_spoken() -> None:
    assert read_plain_packet(Q043 + HELLO + bytes(100)) == Reading(NAME, frozenset({"quic"}))


def test_a_chlo_without_a_name_says_so() -> None:
    assert read_chlo(chlo(PAD=b"x")).marks == {"quic", "no-sni"}


def test_a_packet_without_a_chlo_says_nothing() -> None:
    assert read_plain_packet(Q043 + b"\x40 an acknowledgement") == Reading(
        marks=frozenset({"quic"})
    )


def test_a_chlo_whose_name_is_in_another_packet_is_truncated() -> None:
    assert read_plain_packet(Q043 + HELLO[:100]).unread is Unread.TRUNCATED


@pytest.mark.parametrize("size", range(len(HELLO)))
def test_up_to_the_end_of_its_name_a_cut_chlo_says_nothing(size: int) -> None:
    reading = read_chlo(HELLO[:size])
    assert reading.spoken == (NAME if size >= len(HELLO) - 4 else ())
    assert reading.hungry == (not reading.spoken)


def test_tags_whose_ends_go_back_are_malformed() -> None:
    bad = bytearray(HELLO)
    bad[12:16] = struct.pack("<I", 999)
    assert read_chlo(bytes(bad)).unread is Unread.MALFORMED


def test_more_tags_than_a_message_may_have_are_malformed() -> None:
    head = b"CHLO" + struct.pack("<HH", MAX_TAGS + 1, 0)
    assert read_chlo(head).unread is Unread.MALFORMED


def test_another_message_is_no_chlo() -> None:
    assert read_chlo(b"SHLO" + HELLO[4:]) == NOTHING


def test_the_versions_in_the_clear_are_q044_to_q049() -> None:
    words = {version.to_bytes(4, "big") for version in PLAIN_VERSIONS}
    assert words == {b"Q044", b"Q045", b"Q046", b"Q047", b"Q048", b"Q049"}


@given(st.binary(max_size=300))
def test_random_bytes_are_read(tail: bytes) -> None:
    assert len(read_plain_packet(b"CHLO" + tail).spoken) <= 1
