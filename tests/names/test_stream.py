"""Which protocol a stream is of, from its first bytes alone."""

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.names.reading import HUNGRY, NOTHING
from egress_audit.names.stream import read_head


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


def test_dns_is_read_on_its_own_port_only() -> None:
    assert read_head(DNS, dns=False) == NOTHING


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


@given(st.binary(), st.booleans())
def test_any_bytes_are_read_without_raising(noise: bytes, dns: bool) -> None:
    read_head(noise, dns=dns)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_a_reading_that_is_not_hungry_stays(first: bytes, more: bytes) -> None:
    reading = read_head(first, dns=False)
    assert reading.hungry or reading == read_head(first + more, dns=False)
