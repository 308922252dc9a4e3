"""Where newer lists are taken from: a folder, or a URL. Only this file goes online.

Nothing but http and https is spoken; a redirect may not lead to another scheme, nor from https to
http, and is told before it is followed; no answer is read further than the manifest says that it is
long, nor for ever.

Source: RFC 9110 §15.4 (redirects).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPMessage, HTTPResponse
from io import BufferedIOBase
from pathlib import Path
from typing import IO, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from egress_audit import __version__
from egress_audit.errors import ListUnreadable, WrongUsage
from egress_audit.paths import is_folder, is_ordinary_file, is_there

TIMEOUT_S = 30.0
"""Seconds without an octet after which a server is given up."""
PATIENCE_S, SLOWEST = 60.0, 1 << 10
"""Seconds that any server is given, and octets a second that it must have sent after them: an octet
now and then would hold out for days."""
CHUNK = 1 << 16
SCHEMES = ("http", "https")
REDIRECTS = range(300, 400)
A_FOLDER = "write https://HOST/FOLDER, without a user, `?`, `#` or spaces"
AGAIN = "try again, or give a folder with --from; the lists in use were left as they are"


class Place(Protocol):
    """Where the files of a manifest are."""

    def address(self, name: str) -> str:
        """Path or URL of a file there, for a person."""
        ...

    def pieces(self, name: str, most: int) -> Iterator[bytes]:
        """A file's octets. Raises ListUnreadable if it cannot be had or has more than `most`."""
        ...


def place_of(text: str, redirected: Callable[[str], None] = lambda url: None) -> Place:
    """The folder or URL that a person gave. Raises WrongUsage if it is neither.

    redirected: told of each URL to which a server leads on, before it is asked.
    """
    scheme, colon, _ = text.partition(":")
    if colon and scheme.lower() in SCHEMES:
        _refuse_no_folder(text)
        return _Remote(text.rstrip("/") + "/", redirected)
    if text and is_folder(text):
        return _Folder(Path(text))
    if "://" in text:
        raise WrongUsage(f"{scheme} is not spoken", hint="give an http or https URL, or a folder")
    raise WrongUsage(f"{text!r} is no folder", hint="check the path, or give a URL")


def _refuse_no_folder(url: str) -> None:
    """Raises WrongUsage for a URL behind which no file can be named, or of which a part would be
    left out in silence."""
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise WrongUsage(f"{url!r} is no URL: {error}", hint=A_FOLDER) from error
    left_out = "@" in parts.netloc or parts.query or parts.fragment
    if not is_whole or left_out or not url.isprintable() or " " in url:
        raise WrongUsage(f"{url!r} is no URL of a folder", hint=A_FOLDER)


class _Folder:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def address(self, name: str) -> str:
        return str(self._folder / name)

    def pieces(self, name: str, most: int) -> Iterator[bytes]:
        where = self.address(name)
        if is_there(where) and not (is_ordinary_file(where) or is_folder(where)):
            raise ListUnreadable("is no ordinary file", where=where, hint="check the folder")
        try:
            with (self._folder / name).open("rb") as stream:
                yield from _bounded(stream, most, where)
        except OSError as error:
            raise ListUnreadable(
                error.strerror or "cannot be read", where=where, hint="check the folder"
            ) from error


class _Remote:
    """A folder behind HTTP."""

    def __init__(self, base: str, redirected: Callable[[str], None]) -> None:
        self._base = base
        self._redirected = redirected

    def address(self, name: str) -> str:
        return urljoin(self._base, name)

    def pieces(self, name: str, most: int) -> Iterator[bytes]:
        where = self.address(name)
        began, got = time.monotonic(), 0
        with _answer(where, self._redirected) as answer:
            announced = answer.length
            for piece in _bounded(answer, most, where):
                got += len(piece)
                if is_too_slow(got, time.monotonic() - began):
                    raise _failed(where, f"comes too slowly: {got} octets until now")
                yield piece
            if announced is not None and got < announced:
                raise _failed(where, "was cut off on the way")


def is_too_slow(octets: int, seconds: float) -> bool:
    """Whether a server that sent so much in so long is given up."""
    return seconds > PATIENCE_S and octets < seconds * SLOWEST


def _bounded(stream: BufferedIOBase, most: int, where: str) -> Iterator[bytes]:
    left = most
    while piece := stream.read1(CHUNK):
        left -= len(piece)
        if left < 0:
            raise ListUnreadable(
                f"is longer than {most} octets, as the manifest has it", where=where, hint=AGAIN
            )
        yield piece


@contextmanager
def _answer(url: str, redirected: Callable[[str], None]) -> Iterator[HTTPResponse]:
    """What a server answers. What the way there raises becomes ListUnreadable."""
    request = Request(url, headers={"User-Agent": f"egress-audit/{__version__}"})
    try:
        with _opener(redirected).open(request, timeout=TIMEOUT_S) as answer:
            yield answer
    except HTTPError as error:
        error.close()
        what = "redirects to where it may not" if error.code in REDIRECTS else "is not given"
        raise _failed(url, f"{what}: the server says {error.code}") from error
    except URLError as error:
        raise _failed(url, f"cannot be had: {error.reason}") from error
    except HTTPException as error:
        raise _failed(url, "was cut off on the way") from error
    except (OSError, ValueError) as error:  # a host, or a redirect, that is none
        raise _failed(url, f"cannot be had: {error}") from error


def _failed(url: str, what: str) -> ListUnreadable:
    return ListUnreadable(what, where=url, hint=AGAIN)


def _opener(redirected: Callable[[str], None]) -> OpenerDirector:
    """An opener that speaks HTTP and HTTPS alone: no files, no FTP, no data URLs."""
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        HTTPDefaultErrorHandler(),
        HTTPErrorProcessor(),
        _Redirects(redirected),
    ):
        opener.add_handler(handler)
    return opener


class _Redirects(HTTPRedirectHandler):
    """Follows a redirect only to HTTP or HTTPS, and never from HTTPS to HTTP."""

    max_redirections = 5

    def __init__(self, redirected: Callable[[str], None]) -> None:
        self._redirected = redirected

    def http_error_302(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage
    ) -> HTTPResponse | None:
        """What the server answers there; raises ValueError or ListUnreadable for no such place."""
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except (ValueError, ListUnreadable):
            fp.close()
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """The request that follows; raises ListUnreadable where it would lead elsewhere."""
        before, after = req.type, urlsplit(newurl).scheme.lower()
        if after not in SCHEMES or (before == "https" and after != "https"):
            raise _failed(req.full_url, f"redirects to {after or 'nowhere'}, which is refused")
        self._redirected(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)
