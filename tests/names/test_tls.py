"""ClientHellos as a real library sends them, and bent in every way a program could bend them."""

import ssl
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.model.flow import NameSource
from egress_audit.names.plain_hello import MAX_ALPN_MARKS
from egress_audit.names.reading import HUNGRY, NOTHING, Reading, Spoken, Unread
from egress_audit.names.tls import MAX_RECORDS, read_client_hello, server_name
from egress_audit.names.tls_records import MAX_ALERTS, MAX_EMPTY


def real_hello(host: str | None, alpn: list[str] | None = None) -> bytes:
    """What OpenSSL would send first to `host`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if alpn:
        context.set_alpn_protocols(alpn)
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=host)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def vector(raw: bytes, width: int) -> bytes:
    return len(raw).to_bytes(width, "big") + raw


def extension(kind: int, body: bytes) -> bytes:
    return struct.pack(">H", kind) + vector(body, 2)


def sni(*hosts: bytes, kind: int = 0) -> bytes:
    return extension(0, vector(b"".join(bytes([kind]) + vector(host, 2) for host in hosts), 2))


def handshake(*extensions: bytes) -> bytes:
    body = b"\x03\x03" + bytes(32) + vector(bytes(32), 1) + vector(b"\x13\x01", 2) + b"\1\0"
    return b"\1" + vector(body + vector(b"".join(extensions), 2), 3)


def records(message: bytes, size: int = 16384) -> bytes:
    pieces = [message[at : at + size] for at in range(0, len(message), size)]
    return b"".join(b"\x16\x03\x01" + vector(piece, 2) for piece in pieces)


def hosts(reading: Reading) -> list[str]:
    return [word.host for word in reading.spoken]


REAL = real_hello("huggingface.co", ["h2", "http/1.1"])
REAL_READING = read_client_hello(REAL)
ECH = extension(0xFE0D, b"\0\0\1\0\1\x2a" + vector(bytes(32), 2) + vector(bytes(64), 2))

# Python 3.11 and httpx, as huggingface_hub sends it: taken from a capture.
RECORDED = bytes.fromhex(
    "1603010200010001fc0303c808aa35877174f834478e31201ed4f2aa624affccb22bfab0c4b647df94412020be0202"
    "69a2f90373d71724a8913e4897bea15b26b00716be5857ca456e8aa5d20024130213031301c02cc030c02bc02fcca9"
    "cca8c024c028c023c027009f009e006b006700ff0100018f00000013001100000e68756767696e67666163652e636f"
    "000b000403000102000a00160014001d0017001e00190018010001010102010301040023000000"
    "10000b000908687474702f312e310016000000170000000d002a0028040305030603080708080809080a080b080408"
    "050806040105010601030303010302040205020602002b00050403040303002d00020101003300260024001d00203e"
    "28f2638a91e8f8bb2edd52d16413effb63fef557886cc3ab2c10da7c1f6714001500d0"
) + bytes(208)


def test_a_hello_speaks_the_host_it_is_for() -> None:
    assert REAL_READING.spoken == (Spoken("huggingface.co", NameSource.TLS_SNI),)
    assert REAL_READING.marks == {"tls", "alpn:h2", "alpn:http/1.1"}
    assert REAL_READING.unread is None
    assert not REAL_READING.hungry


def test_a_recorded_hello_speaks_the_host_it_was_for() -> None:
    reading = read_client_hello(RECORDED)
    assert hosts(reading) == ["huggingface.co"]
    assert reading.marks == {"tls", "alpn:http/1.1"}


def test_a_hello_without_a_name_is_marked() -> None:
    reading = read_client_hello(real_hello(None))
    assert reading == Reading(marks=frozenset(("tls", "no-sni")))


def test_a_hello_without_any_extension_has_no_name() -> None:
    old = handshake()[:-2]
    old = b"\1" + vector(old[4:], 3)
    assert read_client_hello(records(old)).marks == {"tls", "no-sni"}


def test_the_name_beside_an_encrypted_hello_is_the_outer_one() -> None:
    outer = Spoken("cover.example", NameSource.TLS_SNI, outer=True)
    for order in ((sni(b"cover.example"), ECH), (ECH, sni(b"cover.example"))):
        reading = read_client_hello(records(handshake(*order)))
        assert reading == Reading((outer,), frozenset(("tls", "ech")))


def test_an_extension_that_is_not_encryption_leaves_the_name() -> None:
    grease = extension(0xFAFA, b"\0")
    assert hosts(read_client_hello(records(handshake(grease, sni(b"a.example"))))) == ["a.example"]


def test_every_name_is_spoken_where_the_standard_permits_one() -> None:
    twice = handshake(sni(b"a.example", b"b.example"), sni(b"c.example"))
    assert hosts(server_name(twice)) == ["a.example", "b.example", "c.example"]


def test_a_name_of_another_kind_is_no_host() -> None:
    assert server_name(handshake(sni(b"a.example", kind=7))).marks == {"no-sni"}


def test_the_bytes_of_a_name_are_made_printable() -> None:
    assert hosts(server_name(handshake(sni(b"A\x00B.Example.")))) == [r"a\x00b.example"]


def test_the_same_message_in_quic_has_its_own_source() -> None:
    reading = server_name(handshake(sni(b"a.example")), NameSource.QUIC_SNI)
    assert reading.spoken == (Spoken("a.example", NameSource.QUIC_SNI),)


def test_only_the_first_protocols_are_marked() -> None:
    many = b"".join(vector(b"p%d" % n, 1) for n in range(100))
    reading = server_name(handshake(sni(b"a.example"), extension(16, vector(many, 2))))
    assert reading.marks == {f"alpn:p{n}" for n in range(MAX_ALPN_MARKS)}


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 100, 511])
def test_a_hello_in_several_records_reads_the_same(size: int) -> None:
    assert read_client_hello(records(REAL[5:], size)) == REAL_READING


def test_what_follows_the_hello_changes_nothing() -> None:
    assert read_client_hello(REAL + b"\x14\x03\x03\0\1\1" + bytes(99)) == REAL_READING


def test_more_records_than_we_read_are_admitted() -> None:
    padded = handshake(sni(b"a.example"), extension(21, bytes(MAX_RECORDS)))
    reading = read_client_hello(records(padded, 1))
    assert reading == Reading(marks=frozenset(("tls",)), unread=Unread.TRUNCATED)


@pytest.mark.parametrize("size", range(len(REAL)))
def test_a_hello_that_has_not_ended_is_hungry_and_silent(size: int) -> None:
    reading = read_client_hello(REAL[:size])
    assert reading.hungry
    assert not reading.spoken
    assert reading.unread is None


@given(st.integers(0, 520), st.integers(1, 40))
def test_a_hello_in_records_is_hungry_or_whole_never_wrong(cut: int, size: int) -> None:
    stream = records(REAL[5:], size)
    reading = read_client_hello(stream[: len(stream) - cut])
    assert reading == REAL_READING or (reading.hungry and not reading.spoken)


@pytest.mark.parametrize(
    "first",
    [
        b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03",
        b"\x15\x03\x03\x00\x02\x02\x28",
        b"\x17\x03\x03\x04\x00" + bytes(20),
        b"\x14\x03\x03\x00\x01\x01",
    ],
    ids=["server hello", "alert", "data", "change cipher spec"],
)
def test_other_records_are_tls_and_done(first: bytes) -> None:
    assert read_client_hello(first) == Reading(marks=frozenset(("tls",)))


@pytest.mark.parametrize(
    "first",
    [
        b"GET / HTTP/1.1\r\n",
        b"SSH-2.0-x\r\n",
        b"\x16\x04\x01\x02\x00\x01",
        b"\x16\x03\x05\x02\x00\x02",
        b"\x17\x03\x05\x02\x00\x01",
        b"\x16\x03\x01\xff\xff\x01",
        b"\x19\x03\x01\x02\x00\x01",
        b"\0" * 20,
        b"\xff" * 20,
    ],
)
def test_what_is_not_tls_is_nothing(first: bytes) -> None:
    assert read_client_hello(first) == NOTHING


@pytest.mark.parametrize("minor", [0, 4, 5, 99, 255])
def test_the_version_of_a_record_hides_no_hello(minor: int) -> None:
    assert read_client_hello(REAL[:2] + bytes([minor]) + REAL[3:]) == REAL_READING


WARNING = b"\x15\x03\x01\x00\x02\x01\x00"
FATAL = b"\x15\x03\x03\x00\x02\x02\x28"


@pytest.mark.parametrize("alerts", [WARNING, FATAL, WARNING * MAX_ALERTS, WARNING + FATAL])
def test_alerts_in_front_of_a_hello_hide_it_not(alerts: bytes) -> None:
    assert read_client_hello(alerts + REAL) == REAL_READING
    assert read_client_hello(alerts + REAL[:9]).hungry


def test_a_warning_alone_may_be_followed_by_a_hello() -> None:
    assert read_client_hello(WARNING).hungry
    assert read_client_hello(WARNING[:6]).hungry
    assert not read_client_hello(FATAL).hungry


def test_an_alert_before_another_protocol_is_counted() -> None:
    assert read_client_hello(WARNING + b"GET / HTTP/1.1\r\n").unread is Unread.MALFORMED


def test_an_alert_before_data_is_not_counted() -> None:
    data = b"\x17\x03\x03\x00\x05hello"
    assert read_client_hello(FATAL + data) == Reading(marks=frozenset(("tls",)))


def test_more_alerts_than_are_passed_over_are_counted() -> None:
    assert read_client_hello(WARNING * (MAX_ALERTS + 1) + REAL).unread is Unread.MALFORMED


EMPTY = b"\x16\x03\x01\0\0"


@pytest.mark.parametrize(
    "front",
    [
        EMPTY,
        EMPTY * MAX_EMPTY,
        b"\x14\x03\x03\0\0",
        b"\x17\x03\x03\0\0",
        EMPTY + WARNING,
        WARNING + EMPTY,
    ],
)
def test_records_with_nothing_in_them_hide_no_hello_behind_them(front: bytes) -> None:
    assert read_client_hello(front + REAL) == REAL_READING
    assert all(read_client_hello((front + REAL)[:end]).hungry for end in range(len(front) + 9))


@pytest.mark.parametrize("behind", [b"\x17\x03\x03\0\x05hello", b"\x14\x03\x03\0\x01\x01"])
def test_what_no_server_takes_for_a_hello_behind_them_is_none(behind: bytes) -> None:
    assert read_client_hello(EMPTY + behind) == Reading(marks=frozenset(("tls",)))


def test_what_is_no_record_behind_them_is_counted() -> None:
    assert read_client_hello(EMPTY + b"\x01").unread is Unread.MALFORMED


def test_more_of_them_than_a_server_passes_over_are_counted() -> None:
    assert read_client_hello(EMPTY * (MAX_EMPTY + 1) + REAL).unread is Unread.MALFORMED


def test_openssl_takes_a_hello_behind_records_with_nothing_in_them() -> None:
    heard: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda _, name, __: heard.append(name)
    incoming = ssl.MemoryBIO()
    server = context.wrap_bio(incoming, ssl.MemoryBIO(), server_side=True)
    incoming.write(EMPTY * 3 + real_hello("a.example"))
    with pytest.raises(ssl.SSLError):  # it has no certificate
        server.do_handshake()
    assert heard == ["a.example"]


def test_a_stream_that_has_not_begun_is_hungry() -> None:
    assert read_client_hello(b"") == HUNGRY


V2_HELLO = b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10" + bytes(21 + 16)


def test_a_hello_in_the_form_of_ssl_2_has_no_name() -> None:
    assert read_client_hello(V2_HELLO).marks == {"tls", "no-sni"}
    assert read_client_hello(V2_HELLO[:10]) == HUNGRY


def test_bytes_that_resemble_ssl_2_are_nothing() -> None:
    assert read_client_hello(b"\x80\x2f" + V2_HELLO[2:]) == NOTHING
    assert read_client_hello(b"\x80\x2e\x04" + V2_HELLO[3:]) == NOTHING


@pytest.mark.parametrize(
    "second", [b"\x15\x03\x03\x00\x02\x02\x28", b"\x16\x02\x00\0\5hello", b"\x16\x03\x01\0\0"]
)
def test_a_hello_that_another_record_interrupts_is_malformed(second: bytes) -> None:
    reading = read_client_hello(records(REAL[5:105]) + second)
    assert reading == Reading(marks=frozenset(("tls",)), unread=Unread.MALFORMED)


def test_a_hello_longer_than_one_can_be_is_malformed() -> None:
    assert read_client_hello(b"\x16\x03\x01\x02\x00\x01\xff\xff\xff\x03").unread is Unread.MALFORMED


@pytest.mark.parametrize(
    "lie",
    [
        extension(0, b""),
        extension(0, b"\0\0"),
        extension(0, b"\0\x09\0\0\1a"),
        sni(b""),
        extension(16, b"\0\x09\2h2"),
        extension(16, vector(b"\x09h2", 2)),
        b"\0\0\xff\xff",
        b"\0\0\0",
    ],
)
def test_lengths_that_lie_are_malformed_and_leave_the_name_before(lie: bytes) -> None:
    reading = server_name(handshake(sni(b"a.example"), lie))
    assert reading.unread is Unread.MALFORMED
    assert hosts(reading) == ["a.example"]
    assert "no-sni" not in reading.marks


@pytest.mark.parametrize("message", [b"", b"\1", b"\2" + REAL[6:], REAL[5:-1], REAL[5:] + b"\0"])
def test_what_is_no_whole_hello_is_malformed(message: bytes) -> None:
    assert server_name(message) == Reading(unread=Unread.MALFORMED)


@given(st.binary())
def test_any_bytes_are_read_without_raising(noise: bytes) -> None:
    read_client_hello(noise)
    read_client_hello(b"\x16\x03\x01" + noise)
    server_name(b"\1" + vector(noise, 3))


@given(st.integers(0, len(REAL) - 1), st.integers(0, 255))
def test_a_damaged_byte_never_raises(at: int, byte: int) -> None:
    read_client_hello(REAL[:at] + bytes([byte]) + REAL[at + 1 :])


def followed(stream: bytes) -> list[str]:
    """The hosts of all hellos in a stream, each read on from where the one before it ends."""
    said: list[str] = []
    reading = read_client_hello(stream)
    while reading.then is not None and reading.consumed:
        said += hosts(reading)
        stream = stream[reading.consumed :]
        reading = reading.then(stream)
    return said + hosts(reading)


@pytest.mark.parametrize("together", [0, 1, 2, 3])
def test_hellos_are_followed_into_their_record_and_out_of_it(together: int) -> None:
    hellos = [handshake(sni(host)) for host in (b"a.example", b"b.example", b"c.example")]
    one_record = records(b"".join(hellos[:together])) if together else b""
    stream = one_record + b"".join(map(records, hellos[together:]))
    assert followed(stream) == ["a.example", "b.example", "c.example"]
