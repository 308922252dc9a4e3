"""A YAML file as a tree in which every value knows its line: what people write is read from it.

PyYAML's own dictionaries forget lines and let the second of two equal keys win. So values are taken
from its nodes, and stay the text that stands in the file: `NO` is Norway here, not false.
"""

from collections.abc import Iterable
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from egress_audit.errors import EgressAuditError
from egress_audit.paths import is_folder
from egress_audit.values import dataclass

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, Node

SUFFIXES = (".yaml", ".yml")
MAX_BYTES = 256 * 1024
MAX_DEPTH = 10

WRITE = "indent with spaces, and put texts with `: ` or marks into quotes"
"""What helps with most of what YAML cannot be read as."""
SPLIT = "make several of it"
CHECK = "check the path, and that you may read it"

Refusal = type[EgressAuditError]
"""What is raised for a file of one kind: ProfileInvalid, CatalogueInvalid."""


@dataclass(frozen=True, slots=True)
class Word:
    """A value that is neither list nor mapping."""

    where: str
    """FILE:LINE."""
    text: str
    kind: str
    """What YAML takes it for: `str`, `int`, `bool`, `null`, `float`, `timestamp` …"""
    error: Refusal = field(default=EgressAuditError, compare=False, repr=False)
    """What whoever cannot use the value raises."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list."""

    where: str
    items: tuple["Item", ...]
    error: Refusal = field(default=EgressAuditError, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping; its keys are unique."""

    where: str
    entries: dict[str, "Item"]
    key_places: dict[str, str]
    """FILE:LINE of each key; the line of its value can be another."""
    error: Refusal = field(default=EgressAuditError, compare=False, repr=False)


Item = Word | Listing | Table


def refused(item: Item, what: str, hint: str = "") -> EgressAuditError:
    """The error that says what is wrong with an item, and in which line it stands."""
    return item.error(what, where=item.where, hint=hint)


def yaml_files(paths: Iterable[Path], error: Refusal) -> list[Path]:
    """The files, each once; instead of a folder its YAML files, in the order of their names, and of
    no folder in it.

    Raises `error` for a folder that has none, or cannot be read.
    """
    return list(dict.fromkeys(file for path in paths for file in _files(path, error)))


def _files(path: Path, error: Refusal) -> list[Path]:
    if not is_folder(path):
        return [path]
    try:
        files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
    except OSError as failure:
        reason = (failure.strerror or "unreadable").lower()
        raise error(f"cannot be read: {reason}", where=str(path), hint=CHECK) from failure
    if not files:
        hint = "name a file, or a folder that holds some directly"
        raise error("holds no .yaml file", where=str(path), hint=hint)
    return files


def text_of(path: Path, error: Refusal, hint: str = CHECK) -> str:
    """The text of a file of at most MAX_BYTES; raises `error` if there is none. hint: for a file
    that cannot be opened."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as failure:
        reason = (failure.strerror or "unreadable").lower()
        raise error(f"cannot be read: {reason}", where=str(path), hint=hint) from failure
    if len(data) > MAX_BYTES:
        raise error(f"a file has at most {MAX_BYTES >> 10} KiB", where=str(path), hint=SPLIT)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        line = data.count(b"\n", 0, failure.start) + 1
        raise error("not UTF-8", where=f"{path}:{line}", hint="save it as UTF-8") from failure


def table_of(text: str, name: str, error: Refusal) -> Table:
    """The mapping that `text` holds; `name` is how errors call the file.

    Raises `error` if it is no YAML, no mapping, deeper than MAX_DEPTH, holds an alias, or a key
    twice in one mapping.
    """
    import yaml

    try:
        _refuse_depth_and_aliases(text, name, error)
        node = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as failure:
        line = failure.problem_mark.line + 1 if failure.problem_mark else 1
        problem = " ".join(filter(None, (failure.context, failure.problem)))
        raise error(f"no YAML: {problem}", where=f"{name}:{line}", hint=WRITE) from failure
    except yaml.YAMLError as failure:
        what = str(failure).splitlines()[0]
        raise error(f"no YAML: {what}", where=name, hint=WRITE) from failure
    if node is None:
        raise error("the file is empty", where=f"{name}:1", hint="write `key: value`")
    item = _item(node, name, error)
    if not isinstance(item, Table):
        raise refused(item, "the file must be a mapping of keys to values", "write `key: value`")
    return item


def _refuse_depth_and_aliases(text: str, name: str, error: Refusal) -> None:
    """Raises `error` before anything recursive sees the text.

    An alias lets nine short lines stand for a billion values.
    """
    import yaml

    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        where = f"{name}:{event.start_mark.line + 1 if event.start_mark else 1}"
        if isinstance(event, yaml.AliasEvent):
            raise error(
                f"alias *{event.anchor}: there are none here", where=where, hint="write the value"
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            hint = "close the brackets, or write it flatter"
            raise error(f"nested deeper than {MAX_DEPTH} levels", where=where, hint=hint)


def _item(node: "Node", name: str, error: Refusal) -> Item:
    """The tree below `node`."""
    import yaml

    where = f"{name}:{node.start_mark.line + 1}"
    if isinstance(node, yaml.MappingNode):
        return _table(node, name, where, error)
    if isinstance(node, yaml.SequenceNode):
        return Listing(where, tuple(_item(child, name, error) for child in node.value), error)
    return Word(where, str(node.value), node.tag.rpartition(":")[2], error)


def _table(node: "MappingNode", name: str, where: str, error: Refusal) -> Table:
    """Keys and values; raises `error` for a key that stands twice or is no word."""
    table = Table(where, {}, {}, error)
    for key_node, value_node in node.value:
        key = _item(key_node, name, error)
        if not isinstance(key, Word):
            raise refused(key, "a key must be a word", "write `key: value`")
        if key.text in table.entries:
            raise refused(key, f"`{key.text}` stands here a second time", "leave one of them out")
        table.entries[key.text] = _item(value_node, name, error)
        table.key_places[key.text] = key.where
    return table
