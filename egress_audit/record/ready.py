"""Whether the program can be used yet: asked inside, by a process that is not the program's."""

import encodings.ascii
import encodings.idna  # noqa: F401 - both are looked up late, where Python may be closed to us
import http.client
import re
import socket
import time
from contextlib import closing

from egress_audit.errors import WrongUsage

PAUSE_S = 0.1
PATIENCE_S = 2.0
SERVER_ERROR = 500
ENDPOINT = re.compile(
    r"(http://)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]*[A-Za-z._-][A-Za-z0-9._-]*|[0-9.]+\.[0-9]+)?"
    r"(?::?([0-9]{1,5}))?(/[^\s]*)?"
)
"""Scheme, host, port, path."""


def endpoint_of(text: str) -> tuple[str, int, str]:
    """Host, port and path of `8080`, `:8080`, `host:8080` or `http://host:8080/path`.

    The path is empty where a connection is enough. Raises WrongUsage for anything else.
    """
    found = ENDPOINT.fullmatch(text)
    if found is not None:
        scheme, host, port, path = found.groups()
        number = int(port or 80)
        if (port or scheme) and 0 < number < 65_536:
            return (host or "127.0.0.1").strip("[]"), number, (path or "/") if scheme else ""
    raise WrongUsage(
        f"{text!r} says not where to ask",
        where="--ready",
        hint="write a port, or a URL such as http://127.0.0.1:8080/health",
    )


def wait_until_ready(endpoint: tuple[str, int, str], seconds: float) -> int:
    """Asks again and again; returns 0 when it is ready, 1 when the time is up. Runs inside."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if _is_ready(*endpoint):
            return 0
        time.sleep(PAUSE_S)
    return 1


def _is_ready(host: str, port: int, path: str) -> bool:
    try:
        if not path:
            socket.create_connection((host, port), PATIENCE_S).close()
            return True
        with closing(http.client.HTTPConnection(host, port, timeout=PATIENCE_S)) as connection:
            connection.request("GET", path)
            return connection.getresponse().status < SERVER_ERROR
    except (OSError, UnicodeError, http.client.HTTPException):
        return False  # UnicodeError: a host that can be no name.
