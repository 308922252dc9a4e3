"""Which Python distribution a module is of, and in which version: read from its metadata.

The files beside the packages were written by whoever made or installed them, and may be by the
program: they are read as bytes and bounded, never executed, and links in them lead nowhere out of
the sandbox.

Source: PyPA specifications, Recording installed projects (`*.dist-info`, METADATA, RECORD,
top_level.txt) and Core metadata; setuptools, `*.egg-info`, which Debian keeps.
"""

import os
import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice

from egress_audit.record.inside import Inside

MOST_FOLDERS = 64
"""Of site-packages; an environment for each of a program's parts is far fewer."""
MOST_ENTRIES = 20_000
"""Names read of one site-packages."""
MOST_FILES = 20_000
"""Files opened in all; two or three for each distribution of an environment."""
MOST_READ = 64 << 20
"""Octets read in all: RECORD of the largest distributions is 2 MiB, and there are hundreds."""
MOST_MODULES = 200_000
"""Top-level modules of all distributions together; one has a dozen, and a RECORD that somebody made
could tell of a million."""
MOST_SAME = 8
"""Distributions of one name, or that claim one module, that are looked at."""
LONGEST_METADATA = 16 << 10
"""Octets; name and version stand at its beginning."""
LONGEST_LIST = 4 << 20
"""Octets read of one RECORD or top_level.txt."""

_INFO = re.compile(r"(?P<name>[^/]+?)(?:-(?P<version>[^-/]+)(?:-py[0-9.]+)?)?\.(?:dist|egg)-info")
_EGG = re.compile(r"(?P<name>[^-/]+)-(?P<version>[^-/]+)(?:-[^/]*)?\.egg")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.!+_-]{0,99}")
_GAPS = re.compile(r"[-_.]+")
_FIRST = re.compile(rb'^"?([^/.,\n"]+)(?:/|\.(?:py|(?:[^/,\n"]*\.)?so)[",])', re.MULTILINE)
"""The top-level module at the beginning of a line of RECORD: a package, or a file."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """An installed distribution."""

    name: str
    version: str
    """Empty where none can be read."""
    source: str
    """Path of its metadata, as the program would name it."""


@dataclass(slots=True)
class _Packages:
    """What stands in one site-packages."""

    infos: tuple[str, ...]
    """Names of the folders or files with metadata, sorted."""
    by_name: dict[str, list[str]] = field(default_factory=dict)
    """By the distribution's name, normalized."""
    by_module: dict[str, list[str]] | None = None
    """By top-level module; None until somebody asks for one that no name tells."""


class Distributions:
    """The distributions that a program could load, as its own file system shows them."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside
        self._folders: dict[str, _Packages] = {}
        self._files = 0
        self._read = 0
        self._modules_known = 0

    def of(self, folder: str, module: str) -> Distribution | None:
        """The one distribution that a top-level module of a site-packages belongs to.

        folder: with a slash at its end. None if there is none, or more than one may be it.
        """
        if _EGG.fullmatch(module):
            return self._egg(folder, module)
        packages = self._packages(folder)
        infos = packages.by_name.get(_normalized(module), [])
        if not infos and packages.infos:
            if packages.by_module is None:
                packages.by_module = self._modules(folder, packages.infos)
            infos = packages.by_module.get(module, [])
        return _agreed([self._described(folder, info) for info in infos[:MOST_SAME]])

    def _packages(self, folder: str) -> _Packages:
        if folder not in self._folders:
            room = len(self._folders) < MOST_FOLDERS
            infos = tuple(sorted(self._infos(folder))) if room else ()
            packages = _Packages(infos)
            for info in infos:
                packages.by_name.setdefault(_normalized(_part(info, "name")), []).append(info)
            if not room:
                return packages
            self._folders[folder] = packages
        return self._folders[folder]

    def _infos(self, folder: str) -> list[str]:
        with suppress(OSError):
            descriptor = self._inside.descriptor(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                with os.scandir(descriptor) as entries:
                    names = [entry.name for entry in islice(entries, MOST_ENTRIES)]
            finally:
                os.close(descriptor)
            return [name for name in names if _INFO.fullmatch(name)]
        return []

    def _modules(self, folder: str, infos: tuple[str, ...]) -> dict[str, list[str]]:
        """Every top-level module that a distribution says is its own."""
        found: dict[str, list[str]] = {}
        for info in infos:
            for module in self._modules_of(folder + info):
                if self._modules_known >= MOST_MODULES:
                    return found
                self._modules_known += 1
                found.setdefault(module, []).append(info)
        return found

    def _modules_of(self, info: str) -> list[str]:
        """In the order in which they are listed, each once."""
        said = self._text(f"{info}/top_level.txt", LONGEST_METADATA).split()
        if not said:
            record = self._text(f"{info}/RECORD", LONGEST_LIST)
            said = [match[1] for match in _FIRST.finditer(record)]
        return [os.fsdecode(word) for word in dict.fromkeys(said)]

    def _described(self, folder: str, info: str) -> Distribution:
        """Name and version as the metadata have them, or else the name of their folder."""
        place = folder + info
        files = (f"{place}/METADATA", f"{place}/PKG-INFO", place)
        fields = next(filter(None, (self._fields(path) for path in files)), {})
        return _distribution(fields, _part(info, "name"), _part(info, "version"), place)

    def _egg(self, folder: str, module: str) -> Distribution:
        place = f"{folder}{module}/EGG-INFO/PKG-INFO"
        match = _EGG.fullmatch(module)
        assert match is not None
        return _distribution(self._fields(place), match["name"], match["version"], place)

    def _fields(self, path: str) -> dict[str, str]:
        """The fields Name and Version of a file of metadata; the first of each counts."""
        found: dict[str, str] = {}
        head = self._text(path, LONGEST_METADATA).replace(b"\r\n", b"\n").partition(b"\n\n")[0]
        for line in head.split(b"\n"):
            name, colon, value = line.partition(b":")
            if colon and name.lower() in (b"name", b"version"):
                found.setdefault(name.decode().lower(), os.fsdecode(value.strip()))
        return found

    def _text(self, path: str, most: int) -> bytes:
        """The first octets of a regular file; none where it cannot be read, or too much was."""
        self._files += 1
        most = min(most, MOST_READ - self._read) if self._files <= MOST_FILES else 0
        parts: list[bytes] = []
        if most <= 0:
            return b""
        with suppress(OSError):
            descriptor = self._inside.open(path)
            try:
                while most > 0 and (part := os.read(descriptor, most)):
                    parts.append(part)
                    most -= len(part)
                    self._read += len(part)
            finally:
                os.close(descriptor)
        return b"".join(parts)


def _agreed(found: list[Distribution]) -> Distribution | None:
    """The one that all of them are; without its version if they say several, None if they are not
    the same.

    Debian keeps an egg-info beside a dist-info; an upgrade that was interrupted leaves two.
    """
    if len({_normalized(one.name) for one in found}) != 1:
        return None
    told = [one for one in found if one.version]
    if len({one.version for one in told}) > 1:
        return replace(found[0], version="")
    return (told or found)[0]


def _distribution(fields: dict[str, str], name: str, version: str, place: str) -> Distribution:
    said, of = fields.get("name", ""), fields.get("version", "")
    return Distribution(
        next(filter(_NAME.fullmatch, (said, name)), ""),
        next(filter(_VERSION.fullmatch, (of, version)), ""),
        place,
    )


def _part(info: str, part: str) -> str:
    match = _INFO.fullmatch(info)
    return (match[part] or "") if match else ""


def _normalized(name: str) -> str:
    """As PyPA's specification of names has it."""
    return _GAPS.sub("-", name).lower()
