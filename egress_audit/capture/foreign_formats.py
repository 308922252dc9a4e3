"""What a file is that is no capture we read, by its first bytes, and what makes one of it.

Source: the formats that Wireshark's wiretap reads (`editcap` converts those), and file(1).
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from egress_audit.capture.foreign_records import (
    is_commview,
    is_erf,
    is_lanalyzer,
    is_packet_logger,
    is_peek_classic,
    is_ppp_dump,
)

LOOKED_AT = 4096
"""First bytes of a file that are looked at."""

CONVERT = "convert it: `editcap FILE OUT.pcapng`"
WHOLE_CAPTURE = "give the capture"
UNPACK = "unpack it, and give the capture inside"


class Foreign(NamedTuple):
    """A kind of file that is not read."""

    what: str
    """As in `is a snoop capture`."""
    remedy: str


BY_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"snoop\x00\x00\x00", "a snoop capture (RFC 1761)", CONVERT),
    (b"btsnoop\x00", "a Bluetooth HCI log", "it holds no IP traffic to judge"),
    (b"GMBU", "a Microsoft Network Monitor capture", CONVERT),
    (b"RTSS", "a Microsoft Network Monitor 1 capture", CONVERT),
    (b"TRSNIFF data", "a Sniffer capture", CONVERT),
    (b"XCP\x00", "a NetXRay capture", CONVERT),
    (b"VL\x00\x00", "a NetXRay 1 capture", CONVERT),
    (b"\xaa\xaa\xaa\xaa", "an Accellent 5Views capture", CONVERT),
    (b"\x7fver", "a WildPackets (Peek) capture", CONVERT),
    (b"\x05VNF", "a Visual Networks capture", CONVERT),
    (b"iptrace 1.0", "an AIX iptrace capture", CONVERT),
    (b"iptrace 2.0", "an AIX iptrace capture", CONVERT),
    (b"\x54\x52\x00\x64\x00", "an HP-UX nettl trace", CONVERT),
    (b"\x00\x00\x02\x00\x12\x05\x00\x10", "a Tektronix K12 capture", CONVERT),
    (b"ObserverPktBuffe", "a Network Instruments Observer capture", CONVERT),
    (b"EyeSDN", "an EyeSDN trace", CONVERT),
    (b"\x1c\x00\x01\xac", "an Ixia capture", CONVERT),
    (b"\xac\x01\x00\x1c", "an Ixia capture", CONVERT),
    (b"\xab\x01\x00\x1c", "an Ixia capture", CONVERT),
    (b"NetScaler Performance Data", "a NetScaler trace", CONVERT),
    (b"NSTRACE", "a NetScaler trace", CONVERT),
    (b" COMMUNICATIONS TRACE", "an IBM iSeries communications trace", CONVERT),
    (b"\xff\xfe \x00C\x00O\x00M\x00M\x00", "an IBM iSeries communications trace", CONVERT),
    (b"LOGG", "a Vector log (BLF)", CONVERT),
    (b"+---------+---------------+", "a capture as K12 text", CONVERT),
    (b"LPKSHHRH", "a systemd journal", WHOLE_CAPTURE),
    (b"#separator ", "a Zeek log", "give the capture that Zeek read"),
    (b"\x04\x22\x4d\x18", "lz4 data", "decompress it: `lz4 -dc FILE | egress-audit replay -`"),
    (b"\x1f\x9d", "compress data", "decompress it: `zcat FILE | egress-audit replay -`"),
    (b"LZIP", "lzip data", "decompress it: `lzip -dc FILE | egress-audit replay -`"),
    (b"\x89LZO", "lzop data", "decompress it: `lzop -dc FILE | egress-audit replay -`"),
    (b"\x5d\x00\x00", "lzma data", "decompress it: `xzcat FILE | egress-audit replay -`"),
    (b"PK\x03\x04", "a zip archive", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"Rar!\x1a\x07", "a rar archive", UNPACK),
    (b"\x7fELF", "a program (ELF)", "give the capture, not the program"),
    (b"MZ", "a program (Windows)", "give the capture, not the program"),
    (b"%PDF", "a PDF document", WHOLE_CAPTURE),
    (b"\x89PNG", "a picture (PNG)", WHOLE_CAPTURE),
    (b"SQLite format 3", "an SQLite database", WHOLE_CAPTURE),
    (b"GGUF", "a GGUF model file", "give the capture, not the model"),
    (b"PAR1", "a Parquet table", WHOLE_CAPTURE),
    (b"version https://git-lfs", "a Git LFS pointer", "fetch the file: `git lfs pull`"),
)
"""First bytes → what the file is, what would help."""

BY_SUFFIX: tuple[tuple[str, str, str], ...] = (
    (".etl", "a Windows event trace", "convert it: `etl2pcapng FILE OUT.pcapng`"),
    (".erf", "an Endace ERF capture", CONVERT),
    (".pklg", "an Apple packet log", CONVERT),
    (".pktlog", "a packet log of a driver", "capture with tcpdump instead"),
)
"""End of the name → the same, for formats that begin with no mark."""

# Texts, which `re` compiles when they are first needed, and keeps.
HEX_DUMP = rb"\s*[0-9A-Fa-f]{4,8}:?\s+(?:[0-9A-Fa-f]{2}){1,2}(?:\s+[0-9A-Fa-f]{2,4})+"
TCPDUMP_TEXT = rb"\d\d:\d\d:\d\d\.\d{6} (?:IP6?|ARP) "


def foreign_format(head: bytes, name: str) -> Foreign | None:
    """The kind of a file that begins so, and is called `name`; None if nothing says it.

    head: its first LOOKED_AT bytes, or all of a shorter file.
    """
    for magic, what, remedy in BY_MAGIC:
        if head.startswith(magic):
            return Foreign(what, remedy)
    for looks_like, what, remedy in BY_LOOKS:
        if looks_like(head):
            return Foreign(what, remedy)
    for suffix, what, remedy in BY_SUFFIX:
        if name.lower().endswith(suffix):
            return Foreign(what, remedy)
    return None


def _is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar"


def _is_html(head: bytes) -> bool:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:32].lower()
    return start.startswith((b"<!doctype html", b"<html"))


def _is_xml(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<?xml")


def _is_json(head: bytes) -> bool:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return start[:1] in (b"{", b"[") and _is_text(head)


def _is_hex_dump(head: bytes) -> bool:
    return re.match(HEX_DUMP, head) is not None


def _is_tcpdump_text(head: bytes) -> bool:
    return re.match(TCPDUMP_TEXT, head) is not None


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        # The last character may be cut.
        if not head or error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return bool(text) and all(char in "\t\n\r" or char.isprintable() for char in text)


BY_LOOKS: tuple[tuple[Callable[[bytes], bool], str, str], ...] = (
    (_is_tar, "a tar archive", UNPACK),
    (_is_html, "a web page (HTML)", "fetch the capture itself; this may be an error page"),
    (_is_xml, "an XML file", "give the capture that it was made from"),
    (_is_json, "a JSON file", "give the capture that it was made from"),
    (_is_hex_dump, "a dump in hexadecimal", "make a capture of it: `text2pcap FILE OUT.pcapng`"),
    (_is_tcpdump_text, "the text that tcpdump prints", "record with `tcpdump -w FILE`"),
    (_is_text, "text", "egress-audit reads pcap and pcapng"),
    (is_erf, "an Endace ERF capture", CONVERT),
    (is_lanalyzer, "a Novell LANalyzer capture", CONVERT),
    (is_commview, "a TamoSoft CommView capture", CONVERT),
    (is_packet_logger, "an Apple packet log", CONVERT),
    (is_ppp_dump, "a log of pppd (pppdump)", CONVERT),
    (is_peek_classic, "a WildPackets (Peek) capture", CONVERT),
)
"""The same, for kinds that need more than their first bytes."""
