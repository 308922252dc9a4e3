"""Captures of other programs that begin with no mark, by whether their first records make sense.

Source: Endace's record format (8 bytes of time, type, flags, two lengths); the formats as
Wireshark's wiretap reads them (lanalyzer.c, commview.c, packetlogger.c, pppdump.c, peekclassic.c).
"""

import struct

DAY_S = 86_400
FIRST_YEAR, LAST_YEAR = 1990, 2100
FIRST_S, LAST_S = 631_152_000, 4_102_444_800
"""The same in seconds since 1970."""

LANALYZER_HEADERS = (b"\x01\x10", b"\x07\x10")
COMMVIEW_HEADER, COMMVIEW_X_HEADER = 24, 20
PACKET_LOGGER_HEADER, LONGEST_LOGGED = 13, 65_536
LOGGED_KINDS = (0, 1, 2, 3, 8, 9, 0xFB, 0xFC, 0xFE, 0xFF)
PPP_DUMP_RESET, PPP_DUMP_DATA, PPP_DUMP_STEPS = 7, (1, 2), (3, 4, 5, 6)
LONGEST_PPP = 8192
PEEK_VERSIONS, PEEK_HEADER = (5, 6, 7), 50


def is_erf(head: bytes) -> bool:
    """Two records that follow each other: a type, lengths that fit, times within a day."""
    if len(head) < 16:
        return False
    first, kind, length, wire = _erf_record(head, 0)
    if not 0 < kind <= 48 or length < 16 or wire == 0 or wire > 65_000:
        return False
    if len(head) < length + 16:
        return False
    second, kind, following, _ = _erf_record(head, length)
    return 0 < kind <= 48 and following >= 16 and abs(second - first) <= DAY_S < first


def _erf_record(head: bytes, at: int) -> tuple[int, int, int, int]:
    """Seconds, type, record length and wire length of the ERF record at `at`."""
    _, seconds, kind, _, length, _, wire = struct.unpack_from("<IIBB", head, at) + struct.unpack(
        ">HHH", head[at + 10 : at + 16]
    )
    return seconds, kind & 0x7F, length, wire


def is_lanalyzer(head: bytes) -> bool:
    """A header record, plain or cyclic, that says it is of a trace."""
    return head[:2] in LANALYZER_HEADERS and head[6:].startswith(b"Trace Display Trace File")


def is_commview(head: bytes) -> bool:
    """A record of NCF, whose length is there twice before a version of 0, or of NCFX: a date."""
    if len(head) >= COMMVIEW_HEADER:
        length, again, version, *date = struct.unpack_from("<HHBHBBBBB", head)
        if length == again > 0 and version == 0 and _is_date(*date):
            return True
    if len(head) < COMMVIEW_X_HEADER:
        return False
    length, *date = struct.unpack_from("<IHBBBBB", head)
    return bool(COMMVIEW_X_HEADER <= length <= 1 << 18) and _is_date(*date)


def _is_date(year: int, month: int, day: int, hour: int, minute: int, second: int) -> bool:
    in_day = hour < 24 and minute < 60 and second < 60
    return in_day and FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12 and 1 <= day <= 31


def is_packet_logger(head: bytes) -> bool:
    """A length, a time and a kind, in either order of bytes; and again, if a second one follows."""
    for order in "<>":
        following = _logged(head, 0, order)
        if following and (
            len(head) < following + PACKET_LOGGER_HEADER or _logged(head, following, order)
        ):
            return True
    return False


def _logged(head: bytes, at: int, order: str) -> int:
    """Where the record at `at` ends; 0 if it makes no sense."""
    if len(head) < at + PACKET_LOGGER_HEADER:
        return 0
    length, seconds, micros, kind = struct.unpack_from(order + "IIIB", head, at)
    fits = PACKET_LOGGER_HEADER - 4 <= length <= LONGEST_LOGGED and kind in LOGGED_KINDS
    sensible = fits and FIRST_S <= seconds <= LAST_S and micros < 1_000_000
    return at + 4 + int(length) if sensible else 0


def is_ppp_dump(head: bytes) -> bool:
    """The time at which it began, then what was sent or received, or time that passed."""
    if len(head) < 8 or head[0] != PPP_DUMP_RESET:
        return False
    seconds, kind, length = struct.unpack_from(">IBH", head, 1)
    follows = kind in PPP_DUMP_STEPS or (kind in PPP_DUMP_DATA and 0 < length <= LONGEST_PPP)
    return bool(FIRST_S <= seconds <= LAST_S) and follows


def is_peek_classic(head: bytes) -> bool:
    """A version and a status, sizes of file and list, and words that are reserved: all zero."""
    if len(head) < PEEK_HEADER or head[0] not in PEEK_VERSIONS:
        return False
    length, packets = struct.unpack_from(">II", head, 2)
    return length >= PEEK_HEADER and 0 < packets < length and not any(head[22:34])
