"""A YAML file as a tree in which every value knows its line: what profiles are read from.

PyYAML's own dictionaries forget lines and let the second of two equal keys win. So values are taken
from its nodes, and stay the text that stands in the file: `NO` is Norway here, not false.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egress_audit.errors import ProfileInvalid

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, Node

MAX_BYTES = 256 * 1024
MAX_DEPTH = 10


@dataclass(frozen=True, slots=True)
class Word:
    """A value that is neither list nor mapping."""

    where: str
    """FILE:LINE."""
    text: str
    kind: str
    """What YAML takes it for: `str`, `int`, `bool`, `null`, `float`, `timestamp` …"""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list."""

    where: str
    items: tuple["Item", ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping; its keys are unique."""

    where: str
    entries: dict[str, "Item"]
    key_places: dict[str, str]
    """FILE:LINE of each key; the line of its value can be another."""


Item = Word | Listing | Table


def table_of(text: str, name: str) -> Table:
    """The mapping that `text` holds; `name` is how errors call the file.

    ProfileInvalid if it is no YAML, no mapping, deeper than MAX_DEPTH, holds an alias, or a key
    twice in one mapping.
    """
    import yaml

    try:
        _refuse_depth_and_aliases(text, name)
        node = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = " ".join(filter(None, (error.context, error.problem)))
        raise ProfileInvalid(f"no YAML: {problem}", where=f"{name}:{line}") from error
    except yaml.YAMLError as error:
        raise ProfileInvalid(f"no YAML: {str(error).splitlines()[0]}", where=name) from error
    if node is None:
        raise ProfileInvalid("the profile is empty", where=name)
    item = _item(node, name)
    if not isinstance(item, Table):
        raise ProfileInvalid("a profile is a mapping of keys to values", where=item.where)
    return item


def _refuse_depth_and_aliases(text: str, name: str) -> None:
    """Raises ProfileInvalid before anything recursive sees the text.

    An alias lets nine short lines stand for a billion values.
    """
    import yaml

    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        where = f"{name}:{event.start_mark.line + 1 if event.start_mark else 1}"
        if isinstance(event, yaml.AliasEvent):
            raise ProfileInvalid(
                f"alias *{event.anchor}: profiles have none", where=where, hint="write the value"
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise ProfileInvalid(f"nested deeper than {MAX_DEPTH} levels", where=where)


def _item(node: "Node", name: str) -> Item:
    """The tree below `node`."""
    import yaml

    where = f"{name}:{node.start_mark.line + 1}"
    if isinstance(node, yaml.MappingNode):
        return _table(node, name, where)
    if isinstance(node, yaml.SequenceNode):
        return Listing(where, tuple(_item(child, name) for child in node.value))
    return Word(where, str(node.value), node.tag.rpartition(":")[2])


def _table(node: "MappingNode", name: str, where: str) -> Table:
    """Keys and values; ProfileInvalid for a key that stands twice or is no word."""
    table = Table(where, {}, {})
    for key_node, value_node in node.value:
        key = _item(key_node, name)
        if not isinstance(key, Word):
            raise ProfileInvalid("a key must be a word", where=key.where)
        if key.text in table.entries:
            raise ProfileInvalid(f"`{key.text}` stands here a second time", where=key.where)
        table.entries[key.text] = _item(value_node, name)
        table.key_places[key.text] = key.where
    return table
