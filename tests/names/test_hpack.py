"""Header fields come out of their compression as they went in, and never larger than we bear."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.names.hpack import (
    MAX_FIELDS,
    MAX_OUTPUT,
    MAX_TABLE,
    HeaderTable,
    decoded,
    fields_of,
)
from egress_audit.names.hpack_tables import SYMBOLS
from egress_audit.names.reading import Damage, Unread

REQUEST = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/")]
AUTHORITY = (b":authority", b"www.example.com")
# RFC 7541 Appendix C.3 and C.4: three requests on one connection, without and with the code.
PLAIN = (
    "828684410f7777772e6578616d706c652e636f6d",
    "828684be58086e6f2d6361636865",
    "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
)
CODED = (
    "828684418cf1e3c2e5f23a6ba0ab90f4ff",
    "828684be5886a8eb10649cbf",
    "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
)


@pytest.mark.parametrize("requests", [PLAIN, CODED], ids=["plain", "coded"])
def test_the_requests_of_the_standard_are_read(requests: tuple[str, ...]) -> None:
    table = HeaderTable()
    first, second, third = (fields_of(bytes.fromhex(block), table) for block in requests)
    assert first == [*REQUEST, AUTHORITY]
    assert second == [*REQUEST, AUTHORITY, (b"cache-control", b"no-cache")]
    assert third[2:] == [(b":path", b"/index.html"), AUTHORITY, (b"custom-key", b"custom-value")]


def failure(block: bytes) -> Unread:
    with pytest.raises(Damage) as caught:
        fields_of(block, HeaderTable())
    return caught.value.unread


@pytest.mark.parametrize(
    "block",
    [
        b"\x80",  # index 0
        b"\xbe",  # no dynamic field yet
        b"\x41",  # no value
        b"\x41\x05abc",  # value too short
        b"\xff\xff\xff\xff\xff\xff\xff",  # number without end
        b"\x41\x82\xff\xff",  # more than 7 bits of padding
        b"\x41\x84\xff\xff\xff\xff",  # the end of the string inside it
    ],
)
def test_what_hpack_forbids_is_malformed(block: bytes) -> None:
    assert failure(block) is Unread.MALFORMED


def test_a_bomb_of_fields_is_not_unpacked() -> None:
    entry = b"\x40\x01a\x7f\xa1\x1e" + b"v" * 4000
    assert failure(entry + b"\xbe" * (MAX_OUTPUT // 4000 + 1)) is Unread.TRUNCATED
    assert failure(b"\x82" * (MAX_FIELDS + 1)) is Unread.TRUNCATED


def test_the_table_keeps_to_its_size() -> None:
    table = HeaderTable()
    for number in range(500):
        table.add((b"name", b"%030d" % number))
    assert table.field(62) == (b"name", b"%030d" % 499)
    with pytest.raises(Damage):
        table.field(62 + 4096 // 66)
    table.resize(0)
    with pytest.raises(Damage):
        table.field(62)


def test_no_table_grows_beyond_the_bound() -> None:
    with pytest.raises(Damage):
        HeaderTable().resize(MAX_TABLE + 1)


@given(st.binary(max_size=200))
def test_what_was_coded_is_decoded(text: bytes) -> None:
    codes = {symbol: f"{code:0{length}b}" for (length, code), symbol in SYMBOLS.items()}
    bits = "".join(codes[octet] for octet in text)
    bits += "1" * (-len(bits) % 8)
    assert decoded(int(f"0{bits}", 2).to_bytes(len(bits) // 8, "big")) == text


@given(st.binary())
def test_any_bytes_are_fields_or_damage(noise: bytes) -> None:
    try:
        fields_of(noise, HeaderTable())
    except Damage as damage:
        assert damage.unread
