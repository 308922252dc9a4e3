"""Files that are no capture of ours: each is called by its name, with what helps."""

import pytest

from egress_audit.capture.foreign_formats import BY_MAGIC, BY_SUFFIX, foreign_format
from tests.capture.test_foreign_records import (
    COMMVIEW,
    LANALYZER,
    PEEK,
    PPP_DUMP,
    erf_record,
    logged,
)


def named(head: bytes, name: str = "a") -> str:
    """What a file is called; '' if nothing says it."""
    found = foreign_format(head, name)
    return found.what if found else ""


@pytest.mark.parametrize(("magic", "what", "remedy"), BY_MAGIC, ids=lambda value: str(value)[:20])
def test_a_format_with_a_mark_is_known_by_it(magic: bytes, what: str, remedy: str) -> None:
    assert foreign_format(magic + bytes(64), "a.pcap") == (what, remedy)


@pytest.mark.parametrize(("suffix", "what", "remedy"), BY_SUFFIX)
def test_a_format_without_a_mark_is_known_by_its_name(suffix: str, what: str, remedy: str) -> None:
    assert foreign_format(b"\x00\x20" + bytes(64), f"TRACE{suffix.upper()}") == (what, remedy)


LOOKS = {
    "tar": (bytes(257) + b"ustar\x0000", "a tar archive"),
    "html": (b"\n<!DOCTYPE HTML><title>404", "a web page (HTML)"),
    "html5": (b"<html lang=en>", "a web page (HTML)"),
    "pdml": (b'<?xml version="1.0"?>\n<pdml>', "an XML file"),
    "json": (b'{"ts":1.5,"uid":"C1"}\n', "a JSON file"),
    "hexdump": (b"0000  00 1b 21 0a 0b 0c 00 1b\n0010  21 0a\n", "a dump in hexadecimal"),
    "xxd": (b"00000000: d4c3 b2a1 0200 0400  ........\n", "a dump in hexadecimal"),
    "tcpdump": (b"12:34:56.789012 IP 10.0.0.1.5 > 10.0.0.2.6: UDP", "the text that tcpdump prints"),
    "text": ("Größe, naïveté\n".encode(), "text"),
    "cut text": ("Größe".encode()[:4], "text"),
    "erf": (erf_record(1_700_000_000, bytes(60)) * 2, "an Endace ERF capture"),
    "lanalyzer": (LANALYZER, "a Novell LANalyzer capture"),
    "commview": (COMMVIEW, "a TamoSoft CommView capture"),
    "packet logger": (logged() * 2, "an Apple packet log"),
    "pppdump": (PPP_DUMP, "a log of pppd (pppdump)"),
    "peek": (PEEK, "a WildPackets (Peek) capture"),
    "k12 text": (b"+---------+---------------+----------+\r\n22:1", "a capture as K12 text"),
}


@pytest.mark.parametrize(("head", "what"), LOOKS.values(), ids=LOOKS)
def test_a_format_without_a_mark_is_known_by_its_looks(head: bytes, what: str) -> None:
    assert named(head) == what


@pytest.mark.parametrize(
    "head",
    [b"", b"\0" * 64, b"\x00\x01\x02\x03" * 9, b"\xc3(", erf_record(5, bytes(9)) + bytes(64)],
)
def test_anything_else_has_no_name(head: bytes) -> None:
    assert named(head) == ""
