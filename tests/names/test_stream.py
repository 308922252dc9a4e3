"""Which protocol a stream is of, from its first bytes alone."""

import ssl

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from egress_audit.names.reading import HUNGRY, NOTHING, Unread
from egress_audit.names.stream import read_head, read_on, read_opening


def tls_hello(host: str) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=host)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


TLS = tls_hello("a.example")
HTTP = b"POST /v1 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n"
DNS_MESSAGE = b"\0\7\1\0\0\1\0\0\0\0\0\0\1a\7example\0\0\1\0\1"
DNS = len(DNS_MESSAGE).to_bytes(2, "big") + DNS_MESSAGE
STREAMS = {"tls": TLS, "http": HTTP, "dns": DNS}


@pytest.mark.parametrize("protocol", STREAMS)
def test_the_first_bytes_tell_the_protocol(protocol: str) -> None:
    reading = read_head(STREAMS[protocol], dns=protocol == "dns")
    assert protocol in reading.marks
    assert [word.host for word in reading.spoken] == ["a.example"]


@pytest.mark.parametrize("protocol", ["tls", "http"])
def test_the_port_of_dns_hides_no_other_protocol(protocol: str) -> None:
    assert read_head(STREAMS[protocol], dns=True) == read_head(STREAMS[protocol], dns=False)


def test_dns_is_known_on_any_port_by_its_shape() -> None:
    assert read_head(DNS, dns=False) == read_head(DNS, dns=True)
    assert read_head(DNS[:10] + b"\1" + DNS[11:], dns=False) == NOTHING


TUNNELS = {
    "connect": b"CONNECT outer.example:443 HTTP/1.1\r\nHost: outer.example\r\n\r\n",
    "socks5": b"\x05\x01\x00\x05\x01\x00\x03\x0douter.example\x01\xbb",
    "socks4a": b"\x04\x01\x01\xbb\0\0\0\1me\0outer.example\0",
}


@pytest.mark.parametrize("tunnel", TUNNELS)
@pytest.mark.parametrize("protocol", ["tls", "http"])
def test_a_tunnel_names_its_target_and_what_it_carries(tunnel: str, protocol: str) -> None:
    reading = read_head(TUNNELS[tunnel] + STREAMS[protocol], dns=False)
    assert {word.host for word in reading.spoken} == {"outer.example", "a.example"}
    assert not reading.hungry


@pytest.mark.parametrize("tunnel", TUNNELS)
def test_behind_a_tunnel_any_protocol_may_begin(tunnel: str) -> None:
    reading = read_head(TUNNELS[tunnel], dns=False)
    assert (reading.consumed, reading.then) == (len(TUNNELS[tunnel]), read_opening)


def test_tunnels_in_tunnels_are_read() -> None:
    stream = TUNNELS["socks5"] + TUNNELS["connect"] + TLS
    hosts = [word.host for word in read_head(stream, dns=False).spoken]
    assert hosts == ["outer.example", "outer.example", "outer.example", "a.example"]


def test_a_hello_cut_inside_a_tunnel_is_read_on_from_its_beginning() -> None:
    tunnel = TUNNELS["connect"]
    first = read_head(tunnel + TLS[:100], dns=False)
    assert (first.hungry, first.consumed, first.done) == (True, len(tunnel), 2)
    assert first.then is not None
    assert [word.host for word in read_on(TLS, first.then).spoken] == ["a.example"]


def test_many_tunnels_in_one_stream_take_no_time_to_speak_of() -> None:
    reading = read_head(TUNNELS["connect"] * 900, dns=False)
    assert len(reading.spoken) == 1800


def framed(message: bytes, size: int) -> bytes:
    """A DNS message behind its length, with one record that fills it up to `size` bytes."""
    filler = size - len(message) - 11
    record = b"\0" + (16).to_bytes(2, "big") + b"\0\1" + bytes(4) + filler.to_bytes(2, "big")
    return size.to_bytes(2, "big") + message[:11] + b"\1" + message[12:] + record + bytes(filler)


@pytest.mark.parametrize("size", [0x1703, 0x1603, 0x1503, 0x0501, 0x4745])
def test_a_dns_message_is_none_of_the_protocols_its_length_looks_like(size: int) -> None:
    stream = framed(DNS_MESSAGE, size)
    for have in (2, 5, 6, 13):
        assert read_head(stream[:have], dns=True).hungry
    assert [word.host for word in read_head(stream[:40], dns=True).spoken] == ["a.example"]
    reading = read_head(stream, dns=True)
    assert [word.host for word in reading.spoken] == ["a.example"]
    assert (reading.unread, reading.hungry) == (None, False)


def test_what_can_be_read_as_dns_and_as_nameless_tls_is_counted() -> None:
    lying = b"\x17\x03" + DNS_MESSAGE[:6] + b"\xff\xff" + DNS_MESSAGE[8:] + bytes(40)
    assert read_head(lying, dns=True).unread is Unread.MALFORMED
    assert read_head(lying, dns=False).unread is None


def test_nameless_tls_on_the_port_of_dns_is_not_counted() -> None:
    data = b"\x17\x03\x03\x00\x20" + b"\xee" * 32
    assert read_head(data, dns=True) == read_head(data, dns=False)


def test_dns_is_read_on_from_where_a_reading_stopped() -> None:
    first = read_head(DNS, dns=True)
    assert first.consumed == len(DNS)
    rest = read_head(DNS + DNS, dns=True, begin=first.consumed)
    assert (rest.spoken, rest.consumed) == (first.spoken, 2 * len(DNS))


SOCKS = b"\x05\x01\x00\x05\x01\x00\x03\x09a.example\x01\xbb"


@pytest.mark.parametrize("dns", [True, False])
def test_the_target_of_a_socks_proxy_is_read(dns: bool) -> None:
    assert [word.host for word in read_head(SOCKS, dns=dns).spoken] == ["a.example"]


def test_an_unknown_protocol_is_nothing() -> None:
    assert read_head(b"SSH-2.0-OpenSSH_9.6\r\n", dns=False) == NOTHING
    assert read_head(bytes(100), dns=False) == NOTHING


@pytest.mark.parametrize("dns", [True, False])
def test_a_stream_that_has_not_begun_is_hungry(dns: bool) -> None:
    assert read_head(b"", dns=dns) == HUNGRY


@pytest.mark.parametrize("protocol", STREAMS)
@given(pieces=st.lists(st.integers(1, 300), max_size=20))
def test_the_segments_a_stream_comes_in_change_nothing(protocol: str, pieces: list[int]) -> None:
    stream, dns = STREAMS[protocol], protocol == "dns"
    size = 0
    for piece in [*pieces, len(stream)]:
        size += piece
        reading = read_head(stream[:size], dns=dns)
        if not reading.hungry:
            break
    assert reading == read_head(stream, dns=dns)


CHANGE = b"\x14\x03\x03\0\x01\x01"


def spoken(stream: bytes) -> list[str]:
    return [word.host for word in read_head(stream, dns=False).spoken]


@pytest.mark.parametrize("between", [b"", CHANGE, CHANGE * 2])
def test_a_hello_behind_a_hello_is_read(between: bytes) -> None:
    assert spoken(TLS + between + tls_hello("b.example")) == ["a.example", "b.example"]


def test_a_hello_in_the_record_of_another_is_read() -> None:
    first, second = TLS[5:], tls_hello("b.example")[5:]
    size = len(first) + len(second)
    whole = TLS[:3] + size.to_bytes(2, "big") + first + second
    assert spoken(whole) == spoken(whole + CHANGE) == ["a.example", "b.example"]
    third = tls_hello("c.example")
    assert spoken(whole + third) == ["a.example", "b.example", "c.example"]


@pytest.mark.parametrize(
    "behind",
    [b"\x17\x03\x03\0\x20" + bytes(32), CHANGE, b"\x16\x03\x03\0\x46\x10\0\0\x42", b"\x16data"],
)
def test_nothing_else_behind_a_hello_makes_a_reader_hungry(behind: bytes) -> None:
    reading = read_head(TLS + behind, dns=False)
    assert (reading.hungry, reading.unread) == (False, None)
    assert spoken(TLS + behind) == ["a.example"]


def test_a_hello_behind_a_hello_may_come_in_any_pieces() -> None:
    stream = TLS + CHANGE + tls_hello("b.example")
    for size in range(len(TLS) + 1, len(stream)):
        reading = read_head(stream[:size], dns=False)
        assert [word.host for word in reading.spoken] == ["a.example"]
        assert reading.then is not None
        rest = read_on(stream[reading.consumed :], reading.then)
        assert [word.host for word in rest.spoken] == ["b.example"]


@given(st.binary(), st.booleans())
def test_any_bytes_are_read_without_raising(noise: bytes, dns: bool) -> None:
    read_head(noise, dns=dns)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_a_reading_that_is_not_hungry_stays(first: bytes, more: bytes) -> None:
    # But for a fatal TLS alert alone, which ends a stream, and should not be followed by anything;
    # and for what a reading says will be read on behind it.
    assume(first[:1] != b"\x15")
    reading = read_head(first, dns=False)
    assert reading.hungry or reading.then or reading == read_head(first + more, dns=False)
