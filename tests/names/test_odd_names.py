"""A server name that is no host hides which one is meant; one that all read alike does not."""

import pytest

from egress_audit.model.flow import Name, NameSource
from egress_audit.names.mentions import Mentions
from egress_audit.names.odd_names import is_host, rows_of_odd_names
from egress_audit.names.reading import printable_host


@pytest.mark.parametrize(
    "raw",
    [b"a.example", b"A.Example.", b"_a.b-c.example", b"xn--bcher-kva.example", b"localhost"],
)
def test_a_host_is_read_alike_by_everybody(raw: bytes) -> None:
    assert is_host(printable_host(raw))


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_so_is_an_address(address: str) -> None:
    assert is_host(address)


@pytest.mark.parametrize(
    "raw",
    [
        b"b.example\0.a.example",
        b"b.example\0",
        b"b.example..",
        b".b.example",
        b"b.example:443",
        b" b.example",
        "\uff42.example".encode(),
        "b\u3002example".encode(),
        b"*.example",
        b"b.example/",
        b".",
    ],
)
def test_what_somebody_may_read_as_another_host_is_none(raw: bytes) -> None:
    assert not is_host(printable_host(raw))


def test_only_hellos_hide_a_name_by_it() -> None:
    mentions = Mentions()
    for row, source in enumerate((NameSource.TLS_SNI, NameSource.HTTP_HOST, NameSource.QUIC_SNI)):
        mentions.add(row, Name("b.example:443", source, 0, 1))
    mentions.add(3, Name("a.example", NameSource.TLS_SNI, 0, 1))
    assert rows_of_odd_names(mentions) == [0, 2]
