"""What holds for every test: sockets and resolvers are closed, unless it is marked for them."""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no failure; the time limits that matter are tests of their own.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

# A shell that starts the tests in the background has Ctrl-C ignored, which programs inherit, and so
# would each that a test starts to interrupt it.
signal.signal(signal.SIGINT, signal.default_int_handler)

_CLOSED = frozenset(
    {
        "socket.__new__",
        "socket.getaddrinfo",
        "socket.gethostbyaddr",
        "socket.gethostbyname",
        "socket.getnameinfo",
    }
)


class SocketOpened(AssertionError):
    """A test opened a socket, or asked a resolver, without being marked `opens_sockets`."""


class _Guard:
    """An audit hook of the interpreter: it also sees sockets that are opened from C.

    A hook cannot be taken out again, so it is put in once a process and armed test by test.
    """

    armed = False

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.armed and event in _CLOSED:
            raise SocketOpened(f"{event}{arguments!r} in a test that is not marked opens_sockets")


_guard = _Guard()
sys.addaudithook(_guard)


@pytest.fixture(autouse=True, scope="session")
def ways_to_temporary_folders(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Lets other users pass through the folders in which the temporary ones lie: some tests become
    nobody. What is inside stays closed unless a test opens it."""
    root = Path(tempfile.gettempdir()).resolve()
    base = tmp_path_factory.getbasetemp().resolve()
    for folder in (base, *base.parents):
        if folder != root and root in folder.parents and folder.stat().st_uid == os.getuid():
            folder.chmod(0o711)


@pytest.fixture(autouse=True)
def sockets_closed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Arms the guard around every test but those marked `opens_sockets`."""
    _guard.armed = request.node.get_closest_marker("opens_sockets") is None
    yield
    _guard.armed = False
