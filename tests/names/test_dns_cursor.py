"""Names on the wire: labels, compression, and the lies one can tell with them."""

from ipaddress import IPv6Address
from struct import Struct, pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.names.dns_cursor import MAX_HOPS, Cursor, address_text
from egress_audit.names.reading import Damage, Unread


def name_at(message: bytes, at: int = 0) -> str:
    cursor = Cursor(message, Unread.TRUNCATED)
    cursor.at = at
    return cursor.name()


def damage_of(message: bytes, at: int = 0) -> Unread:
    with pytest.raises(Damage) as raised:
        name_at(message, at)
    return raised.value.unread


def labels(*sizes: int) -> bytes:
    return b"".join(bytes([size]) + b"a" * size for size in sizes) + b"\0"


def test_labels_are_joined_by_dots() -> None:
    assert name_at(b"\x03WWW\x07example\x00") == "www.example"


def test_no_label_is_the_root() -> None:
    assert name_at(b"\0") == "."


def test_a_dot_inside_a_label_is_not_a_separator() -> None:
    assert name_at(b"\x03a.b\x01c\0") == r"a\x2eb.c"
    assert name_at(b"\x01a\x01b\x01c\0") == "a.b.c"


def test_a_written_escape_is_not_the_byte_it_names() -> None:
    assert name_at(b"\x06a\\x2eb\0") == r"a\x5cx2eb"


@pytest.mark.parametrize("byte", range(256))
def test_a_label_may_hold_any_byte(byte: int) -> None:
    assert name_at(bytes([2, 0x41, byte, 1, 0x62, 0])).endswith(".b")


def test_a_pointer_leads_to_the_rest_of_the_name() -> None:
    assert name_at(b"\x02co\0\x02hf\xc0\x00", 4) == "hf.co"


def test_a_pointer_may_lead_forward() -> None:
    assert name_at(b"\x02hf\xc0\x05\x02co\0") == "hf.co"


def test_the_cursor_goes_on_behind_the_pointer() -> None:
    cursor = Cursor(b"\x02co\0\x02hf\xc0\x00\xff", Unread.MALFORMED)
    cursor.at = 4
    cursor.name()
    assert cursor.at == 9


def test_the_cursor_goes_on_behind_the_root() -> None:
    cursor = Cursor(b"\x02co\0\xff", Unread.MALFORMED)
    cursor.name()
    assert cursor.at == 4


@pytest.mark.parametrize("loop", [b"\xc0\x00", b"\x01a\xc0\x00", b"\xc0\x02\xc0\x00"])
def test_a_loop_of_pointers_is_malformed(loop: bytes) -> None:
    assert damage_of(loop) is Unread.MALFORMED


def test_many_pointers_in_a_row_are_followed() -> None:
    chain = b"".join((0xC002 + 2 * hop).to_bytes(2, "big") for hop in range(MAX_HOPS))
    assert name_at(chain + b"\x01a\0") == "a"


def test_too_many_pointers_in_a_row_are_malformed() -> None:
    chain = b"".join((0xC002 + 2 * hop).to_bytes(2, "big") for hop in range(MAX_HOPS + 1))
    assert damage_of(chain + b"\x01a\0") is Unread.MALFORMED


def test_a_name_of_255_octets_is_read() -> None:
    assert len(name_at(labels(63, 63, 63, 61))) == 253


def test_a_name_of_256_octets_is_malformed() -> None:
    assert damage_of(labels(63, 63, 63, 62)) is Unread.MALFORMED


@pytest.mark.parametrize("first", [0x40, 0x7F, 0x80, 0xBF])
def test_a_label_type_of_the_future_is_malformed(first: int) -> None:
    assert damage_of(bytes([first]) + bytes(200)) is Unread.MALFORMED


@pytest.mark.parametrize("cut", [b"", b"\x05abc", b"\x03abc", b"\xc0", b"\xc0\x09"])
def test_a_name_that_runs_out_of_bytes_says_what_that_means(cut: bytes) -> None:
    assert damage_of(cut) is Unread.TRUNCATED


def test_fields_that_are_not_there_are_not_invented() -> None:
    cursor = Cursor(b"\0\1\0", Unread.MALFORMED)
    assert cursor.fields(Struct(">H")) == (1,)
    with pytest.raises(Damage):
        cursor.fields(Struct(">H"))


@given(st.lists(st.sampled_from((0, 0, 1, 0x2A03, 0xFFFF)), min_size=8, max_size=8))
def test_an_address_is_written_as_others_write_it(groups: list[int]) -> None:
    raw = pack(">8H", *groups)
    if not raw.startswith(bytes(10) + b"\xff\xff"):
        assert address_text(raw) == str(IPv6Address(raw))
