"""Where newer lists are taken from: a folder, or a URL. Only this file goes online.

Nothing but http and https is spoken; a redirect may not lead to another scheme, nor from https to
http; no answer is read further than the manifest says that it is long.

Source: RFC 9110 §15.4 (redirects).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPMessage, HTTPResponse
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
from egress_audit.paths import is_folder

TIMEOUT_S = 30.0
"""Seconds without an octet after which a server is given up."""
CHUNK = 1 << 16
SCHEMES = ("http", "https")
REDIRECTS = range(300, 400)
AGAIN = "try again, or give a folder with --from; the lists in use were left as they are"


class Place(Protocol):
    """Where the files of a manifest are."""

    def address(self, name: str) -> str:
        """Path or URL of a file there, for a person."""
        ...

    def pieces(self, name: str, most: int) -> Iterator[bytes]:
        """A file's octets. Raises ListUnreadable if it cannot be had or has more than `most`."""
        ...


def place_of(text: str) -> Place:
    """The folder or URL that a person gave. Raises WrongUsage if it is neither."""
    scheme = urlsplit(text).scheme.lower()
    if scheme in SCHEMES:
        if not urlsplit(text).hostname:
            raise WrongUsage(f"{text!r} names no host", hint="write https://HOST/FOLDER")
        return _Remote(text.rstrip("/") + "/")
    if is_folder(text):
        return _Folder(Path(text))
    if "://" in text:
        raise WrongUsage(f"{scheme} is not spoken", hint="give an http or https URL, or a folder")
    raise WrongUsage(f"{text!r} is no folder", hint="check the path, or give a URL")


class _Folder:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def address(self, name: str) -> str:
        return str(self._folder / name)

    def pieces(self, name: str, most: int) -> Iterator[bytes]:
        where = self.address(name)
        try:
            with (self._folder / name).open("rb") as stream:
                yield from _bounded(stream, most, where)
        except OSError as error:
            raise ListUnreadable(
                error.strerror or "cannot be read", where=where, hint="check the folder"
            ) from error


class _Remote:
    """A folder behind HTTP."""

    def __init__(self, base: str) -> None:
        self._base = base

    def address(self, name: str) -> str:
        return urljoin(self._base, name)

    def pieces(self, name: str, most: int) -> Iterator[bytes]:
        where = self.address(name)
        with _answer(where) as answer:
            yield from _bounded(answer, most, where)
            if answer.length:  # octets that were announced and did not come
                raise _failed(where, "was cut off on the way")


def _bounded(stream: IO[bytes], most: int, where: str) -> Iterator[bytes]:
    left = most
    while piece := stream.read(CHUNK):
        left -= len(piece)
        if left < 0:
            raise ListUnreadable(
                f"is longer than {most} octets, as the manifest has it", where=where, hint=AGAIN
            )
        yield piece


@contextmanager
def _answer(url: str) -> Iterator[HTTPResponse]:
    """What a server answers. What the way there raises becomes ListUnreadable."""
    request = Request(url, headers={"User-Agent": f"egress-audit/{__version__}"})
    try:
        with _opener().open(request, timeout=TIMEOUT_S) as answer:
            yield answer
    except HTTPError as error:
        error.close()
        what = "redirects to where it may not" if error.code in REDIRECTS else "is not given"
        raise _failed(url, f"{what}: the server says {error.code}") from error
    except URLError as error:
        raise _failed(url, f"cannot be had: {error.reason}") from error
    except HTTPException as error:
        raise _failed(url, "was cut off on the way") from error
    except OSError as error:
        raise _failed(url, f"cannot be had: {error}") from error


def _failed(url: str, what: str) -> ListUnreadable:
    return ListUnreadable(what, where=url, hint=AGAIN)


def _opener() -> OpenerDirector:
    """An opener that speaks HTTP and HTTPS alone: no files, no FTP, no data URLs."""
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        HTTPDefaultErrorHandler(),
        HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener


class _Redirects(HTTPRedirectHandler):
    """Follows a redirect only to HTTP or HTTPS, and never from HTTPS to HTTP."""

    max_redirections = 5

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """The request that follows; raises ListUnreadable where it would lead elsewhere."""
        before, after = req.type, urlsplit(newurl).scheme.lower()
        if after not in SCHEMES or (before == "https" and after != "https"):
            raise _failed(req.full_url, f"redirects to {after or 'nowhere'}, which is refused")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
