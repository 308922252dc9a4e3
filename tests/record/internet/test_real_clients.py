"""The kernel's own TCP, and real programs, meet the simulated internet."""

import contextlib
import errno
import http.client
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

import pytest

from egress_audit.model.run import Network
from egress_audit.record.internet.internet import TAKEN
from egress_audit.record.internet.settings import DnsPolicy, InternetSettings
from tests.builders.tun_world import RESOLVER, RESOLVER_6, World, needs_tun, told_inside

pytestmark = [pytest.mark.opens_sockets, needs_tun]

RESOLVERS = frozenset({RESOLVER, RESOLVER_6})
SIMULATED = InternetSettings(resolvers=RESOLVERS)
SEALED = InternetSettings(mode=Network.SEALED, resolvers=RESOLVERS)
FAR, FAR_6 = "93.184.216.34", "2606:2800::1"
Told = TypeVar("Told")
Output = tuple[int, str, str]
QUERY = b"\0\7\1\0\0\1" + bytes(6) + b"\7example\3com\0\0\1\0\1"


def inside(client: Callable[[World], Told], settings: InternetSettings = SIMULATED) -> Told:
    """What a client tells of a lossless world."""
    return told_inside(settings, client)


def output(*command: str) -> Output:
    """Status, output and errors of a program, which has ten seconds."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    return done.returncode, done.stdout, done.stderr


def error_of(attempt: Callable[[], object]) -> tuple[str, float]:
    """Name of the errno of an attempt, and after how many seconds it came."""
    begin = time.monotonic()
    try:
        attempt()
    except (socket.gaierror, socket.herror) as error:
        return f"EAI {error.errno}", time.monotonic() - begin
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, repr(error)), time.monotonic() - begin
    return "no error", time.monotonic() - begin


def read_to_end(stream: socket.socket) -> bytes:
    """Everything until the other end closes its half."""
    pieces = []
    while piece := stream.recv(65_536):
        pieces.append(piece)
    return b"".join(pieces)


def test_the_c_library_finds_an_address_of_each_family() -> None:
    def client(world: World) -> tuple[list[str | int], list[tuple[str, str]]]:
        found = socket.getaddrinfo("Models.example", 443, proto=socket.IPPROTO_TCP)
        return sorted(entry[4][0] for entry in found), world.internet.new_names()

    found, names = inside(client)
    assert found == ["198.18.0.1", "fd00:e6e5::1"]
    assert sorted(names) == [("models.example", "198.18.0.1"), ("models.example", "fd00:e6e5::1")]


def test_the_c_library_finds_the_name_of_an_address() -> None:
    def client(world: World) -> tuple[str, tuple[str, float]]:
        socket.getaddrinfo("models.example", 443)
        return socket.gethostbyaddr("198.18.0.1")[0], error_of(
            lambda: socket.gethostbyaddr("198.18.77.1")
        )

    found, (missing, seconds) = inside(client)
    assert found == "models.example"
    assert missing == "EAI 1", "HOST_NOT_FOUND"
    assert seconds < 1


def test_without_ipv6_a_lookup_of_both_families_finds_one_at_once() -> None:
    def client(world: World) -> tuple[set[str | int], bool]:
        begin = time.monotonic()
        found = {entry[4][0] for entry in socket.getaddrinfo("models.example", 443)}
        return found, time.monotonic() - begin < 1

    assert inside(client, InternetSettings(ipv6=False)) == ({"198.18.0.1"}, True)


def test_a_policy_of_nxdomain_ends_a_lookup_at_once() -> None:
    settings = InternetSettings(dns=DnsPolicy.NXDOMAIN)
    outcome = inside(
        lambda world: error_of(lambda: socket.getaddrinfo("models.example", 443)), settings
    )
    assert outcome[0] == f"EAI {socket.EAI_NONAME}"
    assert outcome[1] < 1


@pytest.mark.parametrize("address", [FAR, FAR_6])
def test_http_is_answered_with_503(address: str) -> None:
    def client(world: World) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(address, 80, timeout=5)
        connection.request("POST", "/v1/telemetry", body=b"x" * 1_000_000)
        response = connection.getresponse()
        return response.status, response.read()

    assert inside(client) == (503, b"Service Unavailable\n")


def test_a_client_that_sends_more_than_is_heard_reads_the_answer_all_the_same() -> None:
    def client(world: World) -> int:
        connection = http.client.HTTPConnection(FAR, timeout=10)
        connection.request("POST", "/v1/telemetry", body=b"x" * 5_000_000)
        return connection.getresponse().status

    assert inside(client) == 503


def test_urllib_meets_a_server_error() -> None:
    def client(world: World) -> int:
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen("http://models.example/config.json", timeout=5)
        caught.value.close()
        return caught.value.code

    assert inside(client) == 503


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_tls_is_refused_by_an_alert(family: int) -> None:
    def client(world: World) -> str | None:
        ends: Any = socket.getaddrinfo("models.example", 443, family, socket.SOCK_STREAM)[0][4]
        context = ssl.create_default_context()
        with socket.create_connection(ends[:2], 5) as stream, pytest.raises(ssl.SSLError) as caught:
            context.wrap_socket(stream, server_hostname="models.example")
        return caught.value.reason

    assert "HANDSHAKE_FAILURE" in str(inside(client))


def test_a_client_that_closes_its_half_is_still_answered() -> None:
    def client(world: World) -> bytes:
        with socket.create_connection((FAR, 8080), 5) as stream:
            stream.sendall(b"GET / HTTP/1.0\r\n\r\n"[:-2])
            stream.shutdown(socket.SHUT_WR)
            return read_to_end(stream)

    answer = inside(client)
    assert answer.startswith(b"HTTP/1.1 503")


def test_a_client_that_waits_for_a_banner_gets_one() -> None:
    def client(world: World) -> tuple[bytes, bytes]:
        with socket.create_connection((FAR, 25), 6) as stream:
            banner = stream.recv(100)
            stream.sendall(b"EHLO me\r\n")
            return banner, read_to_end(stream)

    banner, farewell = inside(client)
    assert banner.startswith(b"220 ")
    assert farewell.startswith(b"421 ")


def test_a_megabyte_that_nobody_understands_is_taken() -> None:
    def client(world: World) -> tuple[bytes, dict[str, int]]:
        with socket.create_connection((FAR, 9999), 10) as stream:
            stream.sendall(b"\xff" * 1_048_576)
            stream.shutdown(socket.SHUT_WR)
            return read_to_end(stream), dict(world.internet.unanswered)

    assert inside(client) == (b"", {})


def test_two_hundred_connections_at_once_are_all_answered() -> None:
    def client(world: World) -> list[bytes]:
        streams = [socket.create_connection((FAR, 1 + port), 10) for port in range(200)]
        for stream in streams:
            stream.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        answers = [read_to_end(stream)[:12] for stream in streams]
        for stream in streams:
            stream.close()
        return answers

    assert inside(client) == [b"HTTP/1.1 503"] * 200


def test_a_lossy_device_only_takes_longer() -> None:
    def client(world: World) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(FAR, timeout=60)
        connection.request("POST", "/", body=b"x" * 200_000)
        response = connection.getresponse()
        return response.status, response.read()

    # One packet in twenty, in whichever direction it goes: acknowledgements, data, FINs.
    dice = Random(1)
    lossy = told_inside(SIMULATED, client, loses=lambda number: dice.random() < 0.05)
    assert lossy == (503, b"Service Unavailable\n")


def test_a_lost_answer_is_sent_again() -> None:
    def client(world: World) -> bytes:
        with socket.create_connection((FAR, 80), 10) as stream:
            stream.sendall(b"GET / HTTP/1.1\r\n\r\n")
            return read_to_end(stream)[:12]

    # SYN, SYN-ACK, ACK, request: the fifth packet is the answer.
    assert told_inside(SIMULATED, client, loses=lambda number: number == 5) == b"HTTP/1.1 503"


def test_dns_is_answered_over_tcp() -> None:
    def client(world: World) -> bytes:
        with socket.create_connection((RESOLVER, 53), 5) as stream:
            framed = struct.pack(">H", len(QUERY)) + QUERY
            stream.sendall(framed + framed[:5])
            time.sleep(0.05)
            stream.sendall(framed[5:])
            first = stream.recv(1000)
            while len(first) < 2 * (2 + int.from_bytes(first[:2], "big")):
                first += stream.recv(1000)
            return first

    answer = inside(client)
    assert answer.count(bytes((198, 18, 0, 1))) == 2


def test_a_datagram_in_fragments_is_reassembled_and_answered() -> None:
    def client(world: World) -> bytes:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.settimeout(5)
            binding = b"\0\1\x0f\xa0\x21\x12\xa4\x42" + bytes(12) + bytes(4000)
            datagrams.sendto(binding, (FAR, 3478))
            return datagrams.recv(1000)[:2]

    assert inside(client) == b"\1\1"


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl_understands_every_answer() -> None:
    def client(world: World) -> tuple[Output, str, Output, Output, Output, Output]:
        return (
            output("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "http://a.example/"),
            output("curl", "-sSI", "http://a.example/")[1].split("\r\n", maxsplit=1)[0],
            output("curl", "-sS", "https://a.example/"),
            output("curl", "-sS", "-x", "http://proxy.example:3128", "https://a.example/"),
            output("curl", "-sS", "-x", "socks5h://proxy.example", "http://a.example/"),
            output("curl", "-sS", "-T", "/etc/hosts", "-H", "Expect: 100-continue", "http://a/"),
        )

    plain, head, tls, proxied, socks, upload = inside(client)
    assert plain[:2] == (0, "503")
    assert "503" in head
    assert tls[0] == 35, "TLS handshake failed"
    assert proxied[0] == 56, "the proxy said 503"
    assert "503" in proxied[2]
    assert socks[0] == 97, "the proxy refused"
    assert upload[1].strip() == "Service Unavailable"


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl_understands_http_2() -> None:
    if "HTTP2" not in output("curl", "-V")[1]:
        pytest.skip("this curl has no HTTP/2")
    command = ("curl", "-sS", "--http2-prior-knowledge", "-w", "%{http_code}", "http://a.example/")
    assert inside(lambda world: output(*command)[:2]) == (0, "503")


@pytest.mark.skipif(shutil.which("getent") is None, reason="needs getent")
def test_getent_finds_a_host() -> None:
    status, told, _ = inside(lambda world: output("getent", "hosts", "a.example"))
    assert status == 0
    assert told.split() == ["fd00:e6e5::1", "a.example"]


@pytest.mark.skipif(shutil.which("ping") is None, reason="needs ping")
def test_ping_comes_back() -> None:
    assert inside(lambda world: output("ping", "-c", "1", "-W", "2", FAR)[0]) == 0


@pytest.mark.parametrize(
    ("family", "number", "kind", "reply", "address"),
    [
        (socket.AF_INET, socket.IPPROTO_ICMP, 8, 0, FAR),
        (socket.AF_INET6, socket.IPPROTO_ICMPV6, 128, 129, FAR_6),
    ],
)
def test_a_raw_ping_comes_back(
    family: int, number: int, kind: int, reply: int, address: str
) -> None:
    def client(world: World) -> bytes:
        with socket.socket(family, socket.SOCK_RAW, number) as raw:
            raw.settimeout(2)
            body = struct.pack(">BBHHH", kind, 0, 0, 7, 1) + b"hello"
            if kind == 8:
                body = body[:2] + struct.pack(">H", _checksum(body)) + body[4:]
            for _ in range(5):  # as ping does: the network is a moment old
                raw.sendto(body, (address, 0))
                with contextlib.suppress(TimeoutError):
                    return raw.recv(1000)[-13:]
            raise TimeoutError("no answer to five questions")

    answer = inside(client)
    assert (answer[0], answer[4:]) == (reply, b"\0\7\0\1hello")


def _checksum(data: bytes) -> int:
    return -int.from_bytes(data + bytes(len(data) % 2), "big") % 0xFFFF


@pytest.mark.parametrize("address", [FAR, FAR_6])
def test_sealed_connections_are_refused_at_once(address: str) -> None:
    outcome = inside(
        lambda world: error_of(lambda: socket.create_connection((address, 443), 5)), SEALED
    )
    assert outcome[0] == "ECONNREFUSED"
    assert outcome[1] < 1


@pytest.mark.parametrize("address", [FAR, FAR_6])
def test_sealed_datagrams_are_refused_at_once(address: str) -> None:
    def ask() -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as datagrams:
            datagrams.settimeout(5)
            datagrams.connect((address, 443))
            datagrams.send(b"x")
            datagrams.recv(10)

    outcome = inside(lambda world: error_of(ask), SEALED)
    assert outcome[0] == "ECONNREFUSED"
    assert outcome[1] < 1


def test_sealed_lookups_fail_at_once() -> None:
    outcome = inside(
        lambda world: error_of(lambda: socket.getaddrinfo("models.example", 443)), SEALED
    )
    assert outcome[0] == f"EAI {socket.EAI_AGAIN}"
    assert outcome[1] < 1


def test_a_world_without_ipv6_is_unreachable_at_once() -> None:
    outcome = inside(
        lambda world: error_of(lambda: socket.create_connection((FAR_6, 443), 5)),
        InternetSettings(ipv6=False),
    )
    assert outcome[0] == "ENETUNREACH"
    assert outcome[1] < 1


def test_a_sentinel_hears_nothing() -> None:
    def client(world: World) -> dict[str, int]:
        with pytest.raises(TimeoutError):
            socket.create_connection((FAR, 443), 0.3)
        return dict(world.internet.unanswered)

    settings = InternetSettings(swallow=frozenset({FAR}))
    assert inside(client, settings) == {"swallowed": 1}


def test_a_thousand_datagrams_cost_no_answer() -> None:
    def client(world: World) -> dict[str, int]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            for number in range(1000):
                datagrams.sendto(b"x" * number, (FAR, 8125))
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and world.internet.unanswered[TAKEN] < 1000:
            threading.Event().wait(0.01)
        return dict(world.internet.unanswered)

    assert inside(client) == {TAKEN: 1000}
