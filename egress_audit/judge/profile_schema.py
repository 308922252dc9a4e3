"""Which keys a profile can hold, and what each means: one table, and the walk that applies it."""

from collections.abc import Callable, Mapping

import egress_audit.yaml_values as read
from egress_audit.errors import ProfileInvalid
from egress_audit.judge import profile_values as own
from egress_audit.judge.operator_names import OPERATORS
from egress_audit.judge.profile_questions import question
from egress_audit.model.catalogue import Purpose
from egress_audit.model.profile import ProfileKind, Setting
from egress_audit.yaml_tree import Item, Table

KEYS: Mapping[str, Callable[[Item], object]] = {
    "name": read.name,
    "kind": read.one_of(*ProfileKind),
    "extends": read.text,
    "statement": read.text,
    "source": read.text,
    "applies_to.models": read.each(read.text),
    "applies_to.runtimes": read.each(read.text),
    "scope": read.one_of("process-tree", "capture"),
    "allow.scopes": read.each(read.one_of(*own.SCOPE_WORDS)),
    "allow.hosts": read.each(own.allowed_host),
    "allow.prefixes": read.each(own.prefix),
    "allow.endpoints": read.each(own.endpoint),
    "allow.located": read.each(read.country),
    "allow.controlled": read.each(read.country),
    "allow.operators": read.each(read.one_of(*OPERATORS)),
    "deny.located": read.each(read.country),
    "deny.controlled": read.each(read.country),
    "deny.categories": read.each(own.category),
    "deny.operators": read.each(read.one_of(*OPERATORS)),
    "deny.hosts": read.each(read.host),
    "deny.prefixes": read.each(own.prefix),
    "deny.purposes": read.each(read.one_of(*Purpose)),
    "inbound": read.one_of("allow", "report", "deny"),
    "require.whole_run": read.truth,
    "require.probes": read.truth,
    "require.phases": read.each(read.name),
    "require.observe": read.duration,
    "require.lists_max_age": read.duration,
    "holds_means": read.text,
    "holds_does_not_mean": read.text,
    "questions": read.each(question),
}
"""Every key, sub keys with their group, and the reader of its value."""

GROUPS = frozenset(key.partition(".")[0] for key in KEYS if "." in key)


def settings_of(table: Table, group: str = "") -> dict[str, Setting]:
    """Every key that `table` sets, by its name in KEYS; `group` is the key that holds the table.

    ProfileInvalid for an unknown key or a value that its reader refuses.
    """
    prefix = f"{group}." if group else ""
    settings: dict[str, Setting] = {}
    for key, item in table.entries.items():
        if key in GROUPS and not group:
            settings |= settings_of(_table(key, item), key)
        elif prefix + key in KEYS and "." not in key:
            settings[prefix + key] = Setting(item.where, KEYS[prefix + key](item))
        else:
            place = f" in `{group}`" if group else ""
            raise ProfileInvalid(
                f"unknown key `{key}`{place}",
                where=table.key_places[key],
                hint=read.nearest(key, _siblings(prefix)),
            )
    return settings


def _table(key: str, item: Item) -> Table:
    if not isinstance(item, Table):
        raise ProfileInvalid(
            f"`{key}` is a mapping of keys to values",
            where=item.where,
            hint=f"its keys: {', '.join(sorted(_siblings(f'{key}.')))}",
        )
    return item


def _siblings(prefix: str) -> set[str]:
    """The keys that can stand below `prefix`; the top level for ''."""
    return {name.removeprefix(prefix).partition(".")[0] for name in KEYS if name.startswith(prefix)}
