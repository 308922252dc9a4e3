"""Whether a program answers yet, asked as its user would ask."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egress_audit.errors import WrongUsage
from egress_audit.record.ready import endpoint_of, wait_until_ready

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("8080", ("127.0.0.1", 8080, "")),
        (":8080", ("127.0.0.1", 8080, "")),
        ("localhost:8080", ("localhost", 8080, "")),
        ("127.0.0.1:8080", ("127.0.0.1", 8080, "")),
        ("my-host_1.test:1", ("my-host_1.test", 1, "")),
        ("[::1]:8080", ("::1", 8080, "")),
        ("http://127.0.0.1:8080/health", ("127.0.0.1", 8080, "/health")),
        ("http://localhost", ("localhost", 80, "/")),
        ("http://localhost/v1?x=1", ("localhost", 80, "/v1?x=1")),
        ("http://[::1]:11434/api/tags", ("::1", 11434, "/api/tags")),
        ("http://:65535/", ("127.0.0.1", 65535, "/")),
    ],
)
def test_a_place_is_understood(text: str, endpoint: tuple[str, int, str]) -> None:
    assert endpoint_of(text) == endpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "65536",
        "99999",
        "localhost",
        "https://x",
        "ftp://x:1",
        "http://x:0",
        "a b:1",
        "::1",
    ],
)
def test_what_says_no_place_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(WrongUsage, match="where to ask") as raised:
        endpoint_of(text)
    assert "http://127.0.0.1:8080/health" in str(raised.value.hint)


@given(st.text(max_size=40))
def test_every_text_is_a_place_or_refused(text: str) -> None:
    try:
        host, port, path = endpoint_of(text)
    except WrongUsage:
        return
    assert host
    assert 0 < port < 65_536
    assert path in ("",) or path.startswith("/")


@contextmanager
def server(*answers: bytes) -> Iterator[int]:
    """The port of a server that gives each connection its answer and closes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for answer in answers:
                made, _ = listening.accept()
                with made:
                    made.settimeout(2)
                    try:
                        made.recv(4096)
                        made.sendall(answer)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(5)


def free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        port: int = made.getsockname()[1]
        return port


@pytest.mark.opens_sockets
def test_a_port_that_accepts_is_ready() -> None:
    with server(b"") as port:
        assert wait_until_ready(("127.0.0.1", port, ""), 5) == 0


@pytest.mark.opens_sockets
def test_a_port_that_nobody_listens_at_is_not_ready_when_the_time_is_up() -> None:
    began = time.monotonic()
    assert wait_until_ready(("127.0.0.1", free_port(), ""), 0.3) == 1
    assert 0.3 <= time.monotonic() - began < 3


@pytest.mark.opens_sockets
@pytest.mark.parametrize("status", [b"200 OK", b"404 Not Found", b"401 Unauthorized"])
def test_a_server_that_answers_is_ready(status: bytes) -> None:
    with server(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n") as port:
        assert wait_until_ready(("127.0.0.1", port, "/health"), 5) == 0


@pytest.mark.opens_sockets
@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", b"", b"nonsense\r\n\r\n"],
    ids=["error", "nothing", "nonsense"],
)
def test_a_server_that_cannot_answer_yet_is_asked_again(answer: bytes) -> None:
    with server(answer, OK) as port:
        assert wait_until_ready(("127.0.0.1", port, "/"), 5) == 0


@pytest.mark.opens_sockets
def test_a_server_that_only_has_errors_is_not_ready() -> None:
    error = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
    with server(error) as port:
        assert wait_until_ready(("127.0.0.1", port, "/"), 0.05) == 1


@pytest.mark.opens_sockets
@pytest.mark.parametrize("host", ["a..b", ".", "x" * 64 + ".test"])
def test_a_host_that_can_be_no_name_is_not_ready(host: str) -> None:
    assert wait_until_ready((host, 80, ""), 0.05) == 1
