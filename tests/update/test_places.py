"""Where newer lists are taken from: folders, and HTTP servers that may do whatever they like."""

import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from egress_audit.errors import ListUnreadable, WrongUsage
from egress_audit.update.places import Place, is_too_slow, place_of

CONTENT = bytes(range(256)) * 1000
ELSEWHERE = {
    "/ftp": "ftp://127.0.0.1/file",
    "/file": "file:///etc/passwd",
    "/data": "data:,text",
    "/loop": "/loop",
    "/no-url": "http://[",
}


class Behaviour(BaseHTTPRequestHandler):
    """A server that has one good file and every fault, by path."""

    def do_GET(self) -> None:
        """Answers by path; /moved/x leads to /x."""
        name = self.path.removeprefix("/moved")
        if self.path.startswith("/moved"):
            self.redirect(name)
        elif name in ELSEWHERE:
            self.redirect(ELSEWHERE[name])
        elif name == "/good":
            self.answer(CONTENT, len(CONTENT))
        elif name == "/cut-off":
            self.answer(CONTENT[:1000], len(CONTENT))
        elif name == "/no-http":
            self.wfile.write(b"220 welcome\r\n")
        else:
            self.send_error(404)

    def redirect(self, to: str) -> None:
        """Says that it is elsewhere."""
        self.send_response(302)
        self.send_header("Location", to)
        self.end_headers()

    def answer(self, content: bytes, length: int) -> None:
        """Sends a content under a length, which may be wrong."""
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """The URL of the server, on loopback."""
    with HTTPServer(("127.0.0.1", 0), Behaviour) as listening:
        thread = Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


def read(place: Place, name: str, most: int = len(CONTENT)) -> bytes:
    return b"".join(place.pieces(name, most))


def test_a_folder_gives_its_files(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    place = place_of(str(tmp_path))
    assert read(place, "file") == CONTENT
    assert place.address("file") == str(tmp_path / "file")


def test_a_folder_may_be_called_as_a_scheme_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("http").mkdir()
    assert place_of("http").address("file") == "http/file"
    with pytest.raises(WrongUsage, match="no URL of a folder"):
        place_of("http:")


def test_a_file_that_is_longer_than_promised_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    with pytest.raises(ListUnreadable, match="longer"):
        read(place_of(str(tmp_path)), "file", len(CONTENT) - 1)


def test_a_pipe_in_a_folder_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "file")
    with pytest.raises(ListUnreadable, match="no ordinary file"):
        read(place_of(str(tmp_path)), "file")


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ListUnreadable, match="file"):
        read(place_of(str(tmp_path)), "file")


@pytest.mark.parametrize(
    "word",
    [
        "",
        "ftp://host/x",
        "file:///tmp",
        "nowhere",
        "http://",
        "https:///x",
        "data:,x",
        "http://[/",
        "http://host:port/",
        "http://host:99999/",
        "http://user:word@host/",
        "http://host/folder?which=1",
        "http://host/folder#part",
        "http://host/two words",
        "http://host/\n",
    ],
)
def test_what_is_neither_folder_nor_http_is_refused(word: str) -> None:
    with pytest.raises(WrongUsage):
        place_of(word)


@pytest.mark.opens_sockets
@pytest.mark.parametrize("end", ["", "/"])
def test_a_server_gives_its_files(server: str, end: str) -> None:
    assert read(place_of(server + end), "good") == CONTENT


@pytest.mark.opens_sockets
def test_a_redirect_to_http_is_followed(server: str) -> None:
    led: list[str] = []
    assert read(place_of(f"{server}/moved", led.append), "good") == CONTENT
    assert led == [f"{server}/good"]


@pytest.mark.opens_sockets
def test_what_redirects_nowhere_is_said_to_redirect_nowhere(server: str) -> None:
    led: list[str] = []
    read(place_of(server, led.append), "good")
    assert led == []


@pytest.mark.opens_sockets
@pytest.mark.parametrize("name", ["ftp", "file", "data"])
def test_a_redirect_to_another_scheme_is_refused_and_not_followed(server: str, name: str) -> None:
    led: list[str] = []
    with pytest.raises(ListUnreadable, match="redirects to"):
        read(place_of(server, led.append), name)
    assert led == []


@pytest.mark.opens_sockets
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("none", "404"),
        ("cut-off", "cut off"),
        ("no-http", "cut off"),
        ("loop", "30[0-9]"),
        ("no-url", "cannot be had"),
    ],
)
def test_a_server_that_fails_is_named_with_the_remedy(server: str, name: str, says: str) -> None:
    with pytest.raises(ListUnreadable, match=says) as raised:
        read(place_of(server), name)
    assert server in raised.value.where
    assert raised.value.hint


@pytest.mark.opens_sockets
def test_a_server_that_sends_without_end_is_left(server: str) -> None:
    with pytest.raises(ListUnreadable, match="longer"):
        read(place_of(server), "good", 1000)


@pytest.mark.opens_sockets
def test_a_server_that_is_not_there_is_named() -> None:
    with HTTPServer(("127.0.0.1", 0), Behaviour) as closed:
        url = f"http://127.0.0.1:{closed.server_port}"
    with pytest.raises(ListUnreadable, match="cannot be had"):
        read(place_of(url), "good")


@pytest.mark.opens_sockets
def test_a_host_that_no_name_can_be_is_named() -> None:
    with pytest.raises(ListUnreadable, match="cannot be had"):
        read(place_of("http://a..b"), "good")


def test_a_server_that_sends_an_octet_a_second_is_given_up() -> None:
    assert is_too_slow(61, 61.0)


@pytest.mark.parametrize(("octets", "seconds"), [(61 * 1024, 61.0), (1, 60.0), (10 << 20, 3600.0)])
def test_a_slow_line_is_not_given_up(octets: int, seconds: float) -> None:
    assert not is_too_slow(octets, seconds)
