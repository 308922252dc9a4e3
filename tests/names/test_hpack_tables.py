"""The tables of HPACK: complete, and a code in which no string can be read in two ways."""

from fractions import Fraction

from egress_audit.names.hpack_tables import (
    CODE_LENGTHS,
    END_OF_STRING,
    LONGEST,
    SHORTEST,
    STATIC_FIELDS,
    SYMBOLS,
)


def test_there_are_61_static_fields() -> None:
    assert len(STATIC_FIELDS) == 61
    assert STATIC_FIELDS[0] == (":authority", "")
    assert STATIC_FIELDS[37] == ("host", "")


def test_every_byte_has_its_code_and_so_has_the_end() -> None:
    assert sorted(SYMBOLS.values()) == list(range(257))


def test_the_code_leaves_no_bit_string_unused() -> None:
    assert sum(Fraction(1, 1 << length) for length in CODE_LENGTHS) == 1


def test_published_codes_are_as_published() -> None:
    assert SYMBOLS[5, 0b00011] == ord("a")
    assert SYMBOLS[8, 0b11111000] == ord("&")
    assert SYMBOLS[30, 0x3FFFFFFF] == END_OF_STRING
    assert (SHORTEST, LONGEST) == (5, 30)
