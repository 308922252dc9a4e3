"""What the paths of a command line stand for: captures and bundles, and what is neither."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from egress_audit.errors import InputUnreadable
from egress_audit.paths import is_folder, is_ordinary_file, is_there, led_to
from egress_audit.values import dataclass

if TYPE_CHECKING:
    from egress_audit.report.summary import SetAside

CAPTURE_SUFFIXES = (".pcap", ".pcapng", ".cap", ".dmp", ".ntar", ".ntarx", ".trc", ".pkt")
CAPTURE = "capture.pcapng"
"""Of a bundle."""
PACKED_SUFFIXES = (".gz", ".zst", ".xz", ".bz2")
OTHER_KINDS = frozenset(
    {
        "text",
        "a JSON file",
        "an XML file",
        "a web page (HTML)",
        "a PDF document",
        "a picture (PNG)",
        "a program (ELF)",
        "a program (Windows)",
        "an SQLite database",
        "a GGUF model file",
        "a Parquet table",
        "a Zeek log",
    }
)
"""Kinds of files that lie beside captures and hold none: reports, notes, models. Whatever else
cannot be read might be a capture, and counts as one that could not be judged."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is to be judged."""

    paths: tuple[str, ...]
    """Captures and bundles, in the order given; of a folder by name."""
    set_aside: "tuple[SetAside, ...]" = ()
    """What lies in the folders and is none."""
    several: bool = False
    """True if more than one path, or a folder of captures, was given: whatever it holds today."""


def gathered(paths: Sequence[str]) -> Gathered:
    """The captures at the paths; of a folder that is no bundle, all that lie directly in it.

    Raises InputUnreadable for a folder without any, UsageError for what is named twice, and for
    standard input beside something else.
    """
    found: list[str] = []
    aside: list[SetAside] = []
    for path in paths:
        if not is_folder(path) or is_bundle(Path(path)):
            found.append(path)
            continue
        inside = list(_inside(Path(path)))
        captures = [entry for entry in inside if isinstance(entry, str)]
        if not captures:
            what = "is a folder, and neither a bundle nor one that holds captures"
            raise InputUnreadable(what, where=path, hint="name a capture, or a folder of them")
        found += captures
        aside += [entry for entry in inside if not isinstance(entry, str)]
    several = len(paths) > 1 or found != list(paths)
    if several and "-" in found:
        raise click.UsageError("standard input is judged alone: save it to a file first")
    _refuse_twice(found)
    return Gathered(tuple(found), tuple(aside), several)


def is_bundle(folder: Path) -> bool:
    """True for a folder that `egress-audit run` left, or what remains of one."""
    names = ("manifest.json", CAPTURE)
    record = is_ordinary_file(folder / "events.jsonl")
    return record or all(is_ordinary_file(folder / name) for name in names)


def size_of(path: str) -> int:
    """Bytes of a capture, or of that in a bundle; 0 if nobody knows, as of standard input."""
    place = Path(path, CAPTURE) if is_folder(path) else Path(path)
    return place.stat().st_size if path != "-" and is_ordinary_file(place) else 0


def distinct_names(paths: Sequence[str]) -> list[str]:
    """The name of each path, with as many of its folders as tell it from the others."""
    parts = [Path(path).absolute().parts for path in paths]
    taken = [1] * len(parts)
    while True:
        names = ["/".join(part[-depth:]) for part, depth in zip(parts, taken, strict=True)]
        count: dict[str, int] = {}
        for name in names:
            count[name] = count.get(name, 0) + 1
        longer = [
            depth + (count[name] > 1 and depth < len(part))
            for name, depth, part in zip(names, taken, parts, strict=True)
        ]
        if longer == taken:
            return names
        taken = longer


def _inside(folder: Path) -> "Iterator[str | SetAside]":
    """Of each entry of a folder, by name: its path if it is to be judged, else what it is."""
    from egress_audit.report.summary import SetAside

    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        what = f"is a folder that cannot be read: {error.strerror}"
        raise InputUnreadable(what, where=str(folder), hint="ask for read permission") from error
    judged: dict[Path, str] = {}
    for entry in entries:
        what = _what_else(entry)
        if not what and is_there(entry):
            first = judged.setdefault(led_to(entry), entry.name)
            what = f"what {first} is too" if first != entry.name else ""
        yield SetAside(f"{folder.name or folder}/{entry.name}", what) if what else str(entry)


def _what_else(entry: Path) -> str:
    """What an entry of a folder is that holds no capture; empty if it may be one."""
    from egress_audit.capture.foreign_formats import LOOKED_AT, foreign_format

    if is_folder(entry):
        return "" if is_bundle(entry) else "a folder, which is not looked into"
    if is_there(entry):
        if entry.is_symlink() and led_to(entry).parent == led_to(entry.parent):
            return f"a link to {led_to(entry).name}"
        if not is_ordinary_file(entry):
            return "no ordinary file"
    if entry.name.lower().endswith(_suffixes()):
        return ""
    try:
        with entry.open("rb") as stream:
            head = stream.read(LOOKED_AT)
    except OSError:
        return ""  # Whoever opens it to judge it says why.
    if not head and entry.name.startswith("."):
        return "empty"
    foreign = foreign_format(head, entry.name)
    return foreign.what if foreign is not None and foreign.what in OTHER_KINDS else ""


def _suffixes() -> tuple[str, ...]:
    packed = [plain + suffix for plain in CAPTURE_SUFFIXES for suffix in PACKED_SUFFIXES]
    return (*CAPTURE_SUFFIXES, *packed)


def _refuse_twice(paths: Sequence[str]) -> None:
    seen: dict[Path, str] = {}
    for path in paths:
        place = led_to(path) if is_there(path) else Path(path).absolute()
        if path != "-" and place in seen:
            raise click.UsageError(f"{path} is named twice")
        seen[place] = path
