"""Fields that lenient servers alone take for Host and the like, and lines that nobody does."""

import pytest

from egress_audit.names.disguised_fields import has_disguised


@pytest.mark.parametrize(
    "line",
    (
        b"Host\x0b: a.example",
        b"\x00host: a.example",
        b"Ho\x80st: a.example",
        b"Content-\x0cLength: 5",
        b"Transfer-Encoding\x0b: chunked",
        b"Transfer-Encoding : chunked",
        b"Content-Length\t: 5",
    ),
)
def test_a_byte_that_no_field_name_has_disguises_a_field_about_the_request(line: bytes) -> None:
    assert has_disguised(b"\r\nAccept: */*\r\n" + line + b"\r\n")


@pytest.mark.parametrize(
    "line",
    (
        b"Host: a.example",
        b"host \t: a.example",
        b"X-Host: a.example",
        b"Hosts: a.example",
        b"User-Agent: \x80 host: a.example",
        b"\x0bAccept: */*",
        b"Transfer-Encoding:  chunked",
        b"Content-Type : 5",
    ),
)
def test_other_fields_and_plain_ones_are_not_disguised(line: bytes) -> None:
    assert not has_disguised(b"\r\nAccept: */*\r\n" + line + b"\r\n")


def test_a_blank_in_front_of_the_first_field_disguises_it() -> None:
    assert has_disguised(b"\r\n Host: a.example\r\n")


def test_a_folded_line_that_reads_as_a_host_field_is_disguised_as_some_do_not_fold() -> None:
    assert has_disguised(b"\r\nAccept: */*\r\n Host: a.example\r\n")


def test_another_folded_line_is_not_disguised() -> None:
    assert not has_disguised(b"\r\nAccept: */*,\r\n text/html\r\n")
