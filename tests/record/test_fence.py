"""Which addresses mean this machine, and sockets that reach no other."""

import socket
import struct
from ipaddress import ip_address

import pytest

from egress_audit.record.fence import LOOPBACK, end_of, fence, is_here
from tests.builders.namespaces import in_child

HERE = ("127.0.0.1", "127.255.255.254", "0.0.0.0", "::1", "::")
ELSEWHERE = ("9.9.9.9", "128.0.0.1", "126.255.255.255", "10.0.0.1", "169.254.169.254", "224.0.0.1",
             "255.255.255.255", "::2", "fe80::1", "2620:fe::fe", "ff02::1", "fd00::1",
             "::127.0.0.1", "64:ff9b::7f00:1")  # fmt: skip


def four(address: str, port: int, family: int = socket.AF_INET) -> bytes:
    return (
        struct.pack("=H", family) + struct.pack("!H", port) + socket.inet_aton(address) + bytes(8)
    )


def six(address: str, port: int) -> bytes:
    packed = socket.inet_pton(socket.AF_INET6, address)
    return struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", port, 0) + packed + bytes(4)


@pytest.mark.parametrize("address", HERE)
def test_loopback_and_the_unspecified_address_mean_this_machine(address: str) -> None:
    assert is_here(ip_address(address))


@pytest.mark.parametrize("address", ELSEWHERE)
def test_every_other_address_leads_elsewhere(address: str) -> None:
    assert not is_here(ip_address(address))


def test_a_sockaddr_is_read_as_an_internet_socket_reads_it() -> None:
    assert end_of(four("9.9.9.9", 443)) == (ip_address("9.9.9.9"), 443)
    assert end_of(six("2620:fe::fe", 53)) == (ip_address("2620:fe::fe"), 53)


def test_a_mapped_address_is_the_ipv4_address_in_it() -> None:
    assert end_of(six("::ffff:127.0.0.1", 1)) == (ip_address("127.0.0.1"), 1)
    assert end_of(six("::ffff:9.9.9.9", 1)) == (ip_address("9.9.9.9"), 1)


def test_a_send_without_a_family_goes_to_the_ipv4_address() -> None:
    assert end_of(four("9.9.9.9", 53, socket.AF_UNSPEC)) == (ip_address("9.9.9.9"), 53)


@pytest.mark.parametrize(
    "raw", [b"", b"\2", b"\2\0\1\0\x7f\0\0", b"\x0a\0" + bytes(21), b"\1\0/run/a"]
)
def test_what_is_no_internet_address_has_no_end(raw: bytes) -> None:
    assert end_of(raw) is None


@pytest.mark.opens_sockets
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_fenced_socket_cannot_be_freed_by_an_ordinary_user(family: int, kind: int) -> None:
    def freed() -> list[str]:
        refused = []
        with socket.socket(family, kind) as own:
            fence(own)
            fence(own)
            for name in (b"\0", b"eth0\0"):
                try:
                    own.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name)
                except PermissionError:
                    refused.append(name.decode())
            bound = own.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
        return refused if bound == LOOPBACK else []

    assert in_child(freed, as_nobody=True) == ["\0", "eth0\0"]
