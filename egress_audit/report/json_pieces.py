"""A value of the model as indented JSON, in pieces: a document may have tens of thousands of rows.

The text is that of `json.dumps(plain(value), indent=2, ensure_ascii=False)`, which with
an indent is written by the slow half of the json module, after the whole document was made of
dicts: for 10,000 rows 1.4 CPU seconds and 150 MB, against 0.3 and nothing here.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from json.encoder import encode_basestring
from unicodedata import category

from egress_audit.model.destination import Absent, Destination
from egress_audit.report.plain import network_text

KEPT = 4096
"""Destinations whose text is kept: rows share them."""
STEP = "  "

_BARE = re.compile(r"[^\x00-\x7e]")
_OBEYED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Categories that JSON allows bare, but a terminal obeys or does not show: DEL, C1 controls, line
separators, bidi controls, tags, lone surrogates, private use."""

_Writer = Callable[[object, str], str]
"""A value, and the line break with the indent of the line it stands on, to its JSON."""


def quoted(text: str) -> str:
    """A string of JSON; whatever a terminal would obey or not show is escaped."""
    return visible(encode_basestring(text))


def visible(text: str) -> str:
    """JSON with whatever a terminal would obey or not show escaped."""
    return text if text.isascii() and "\x7f" not in text else _BARE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    return json.dumps(character)[1:-1] if category(character) in _OBEYED else character


def json_of(value: object, line: str = "\n") -> str:
    """`plain(value)` as JSON, in one piece. Raises TypeError as `plain` does.

    line: a line break with the indent of the line on which the value stands.
    """
    return _writer_of(type(value))(value, line)


def object_of(members: Iterable[tuple[str, str]], line: str) -> str:
    """An object of JSON, of names and the JSON of what they stand for."""
    inner = line + STEP
    return _enclosed("{}", [f'"{name}": {value}' for name, value in members], inner, line)


def pieces_of(value: object, line: str) -> Iterator[str]:
    """A dataclass as an object in pieces, none of which is longer than a member of one of its
    tuples."""
    inner, before = line + STEP, "{"
    for field in fields(value):  # type: ignore[arg-type]  # no type says "any dataclass"
        yield f'{before}{inner}"{field.name}": '
        member, before = getattr(value, field.name), ","
        if isinstance(member, tuple) and member:
            yield from _rows_of(member, inner)
        else:
            yield json_of(member, inner)
    yield f"{line}}}"


def _rows_of(rows: tuple[object, ...], line: str) -> Iterator[str]:
    inner, before = line + STEP, "["
    for row in rows:
        yield f"{before}{inner}{json_of(row, inner)}"
        before = ","
    yield f"{line}]"


def _enclosed(brackets: str, members: list[str], inner: str, line: str) -> str:
    if not members:
        return brackets
    between = f",{inner}"
    return f"{brackets[0]}{inner}{between.join(members)}{line}{brackets[1]}"


def _writer_of(kind: type) -> _Writer:
    """What writes values of a type: looked for once for each type, not for each value."""
    writer = _OF_TYPES.get(kind)
    if writer is None:
        writer = _OF_TYPES[kind] = _first_writer(kind)
    return writer


def _first_writer(kind: type) -> _Writer:
    if issubclass(kind, Absent):
        return lru_cache(maxsize=KEPT)(_absent)
    if issubclass(kind, Destination):
        return lru_cache(maxsize=KEPT)(_dataclass_writer(kind))
    if is_dataclass(kind):
        return _dataclass_writer(kind)
    for known, writer in _WRITERS:
        if issubclass(kind, known):
            return writer
    raise TypeError(f"{kind.__name__} has no place in a document")


def _dataclass_writer(kind: type) -> _Writer:
    names = [field.name for field in fields(kind)]
    keys = [(name, f'"{name}": ') for name in names]

    def write(value: object, line: str) -> str:
        inner = line + STEP
        members = []
        for name, key in keys:
            member = getattr(value, name)
            members.append(key + _writer_of(type(member))(member, inner))
        return _enclosed("{}", members, inner, line)

    return write


def _absent(value: object, line: str) -> str:
    assert isinstance(value, Absent)
    return object_of([("absent", quoted(value.value))], line)


def _enum(value: object, line: str) -> str:
    assert isinstance(value, Enum)
    return json_of(value.value, line)


def _string(value: object, _: str) -> str:
    assert isinstance(value, str)
    return quoted(value)


def _truth(value: object, _: str) -> str:
    return "true" if value else "false"


def _number(value: object, _: str) -> str:
    return str(value)


def _network(value: object, _: str) -> str:
    assert isinstance(value, IPv4Network | IPv6Network)
    return quoted(network_text(value))


def _mapping(value: object, line: str) -> str:
    assert isinstance(value, Mapping)
    inner = line + STEP
    members = [f"{quoted(str(key))}: {json_of(value[key], inner)}" for key in sorted(value)]
    return _enclosed("{}", members, inner, line)


def _array(value: object, line: str) -> str:
    assert isinstance(value, tuple | list | frozenset)
    inner = line + STEP
    members = sorted(value) if isinstance(value, frozenset) else value
    return _enclosed("[]", [json_of(member, inner) for member in members], inner, line)


_WRITERS: tuple[tuple[type, _Writer], ...] = (
    (Enum, _enum),
    (str, _string),
    (bool, _truth),
    (int, _number),
    (IPv4Network, _network),
    (IPv6Network, _network),
    (Mapping, _mapping),
    (tuple, _array),
    (list, _array),
    (frozenset, _array),
)
"""The first that fits: a word of an enumeration is a string too, and a truth a number."""
_OF_TYPES: dict[type, _Writer] = {}
