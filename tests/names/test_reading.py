"""How bytes become host names that a person can read and nobody can forge."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.names.reading import (
    HUNGRY,
    NOTHING,
    Reading,
    first_said,
    printable,
    printable_host,
)


@pytest.mark.parametrize(
    ("raw", "host"),
    [
        (b"huggingface.co", "huggingface.co"),
        (b"HuggingFace.CO", "huggingface.co"),
        (b"huggingface.co.", "huggingface.co"),
        (b"huggingface.co..", "huggingface.co."),
        (b".", "."),
        (b"", ""),
    ],
)
def test_a_host_is_lower_case_and_loses_one_trailing_dot(raw: bytes, host: str) -> None:
    assert printable_host(raw) == host


@pytest.mark.parametrize(
    ("raw", "host"),
    [
        (b"a b", r"a\x20b"),
        (b"a\\b", r"a\x5cb"),
        (b"a\0b\n", r"a\x00b\x0a"),
        ("bücher.de".encode(), r"b\xc3\xbccher.de"),
        (b"\x1b[31m", r"\x1b[31m"),
        (b"a\x7f", r"a\x7f"),
    ],
)
def test_bytes_that_do_not_print_are_written_in_hex(raw: bytes, host: str) -> None:
    assert printable_host(raw) == host


def test_printable_keeps_case() -> None:
    assert printable(b"H2") == "H2"


@given(st.binary())
def test_any_bytes_print_without_loss(raw: bytes) -> None:
    text = printable(raw)
    assert text.isascii()
    assert not re.search(r"\s", text)
    assert re.sub(r"\\x(..)", lambda found: chr(int(found[1], 16)), text).encode("latin-1") == raw


def test_bytes_of_another_protocol_are_not_mistaken_for_bytes_that_are_missing() -> None:
    assert NOTHING != HUNGRY
    assert not NOTHING.hungry


def test_the_first_reader_that_knows_the_bytes_is_heard() -> None:
    readers = (lambda _: NOTHING, lambda _: HUNGRY, lambda _: Reading(consumed=1))
    assert first_said(readers, b"x") is HUNGRY


def test_where_no_reader_knows_the_bytes_nothing_is_said() -> None:
    assert first_said((lambda _: Reading(),), b"x") is NOTHING
