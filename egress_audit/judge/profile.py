"""A profile, by its name or path, as the claim that it makes.

A profile may extend one other: what it sets replaces what the other sets, key by key, and the keys
of `allow`, `deny`, `require` and `applies_to` each by itself.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from egress_audit.addresses import Scope
from egress_audit.errors import ProfileInvalid, WrongUsage
from egress_audit.judge.contradictions import (
    PLACES,
    refuse_contradictions,
    refuse_denied_endpoints,
)
from egress_audit.judge.phrases import either
from egress_audit.judge.profile_schema import settings_of
from egress_audit.judge.profile_values import ANY, Placed
from egress_audit.model.catalogue import Entry, Purpose
from egress_audit.model.claim import Allow, AppliesTo, Claim, Deny, Require
from egress_audit.model.profile import Profile, ProfileKind, Setting
from egress_audit.paths import is_folder, led_to
from egress_audit.yaml_tree import SUFFIXES, table_of, text_of

MAX_CHAIN = 5
"""Profiles in one line of `extends`, the first included."""

NOT_CLAIMED = frozenset({"extends", "kind"})
"""Keys that say something of the profile and nothing of the claim."""

ONE_OF_THEM = "name one file in it; `egress-audit profiles check` takes a folder"
WHERE_NAMES_ARE = "`egress-audit profiles list` tells those that come with the program"

_PACKAGE = Path(__file__).parent.parent

KnownEndpoints = Callable[[], Mapping[str, Sequence[Entry]]]
"""The words that `allow.endpoints` can hold, with the entries that are meant; asked only for a
profile that has the key."""


def load_profile(name_or_path: str, known_endpoints: KnownEndpoints | None = None) -> Claim:
    """The claim of a profile, by name or path, as `read_profile` reads it."""
    return read_profile(name_or_path, known_endpoints).claim


def read_profile(name_or_path: str, known_endpoints: KnownEndpoints | None = None) -> Profile:
    """The packaged profile of that name, or that of the file at that path.

    A path is what holds a separator or ends in `.yaml`. known_endpoints: None for entries that are
    not checked: one that there is not allows nothing. WrongUsage for a name there is not,
    ProfileInvalid for a file that cannot be read or does not say what it must.
    """
    path = Path(name_or_path)
    if not _is_path(name_or_path):
        if name_or_path not in profile_names():
            raise WrongUsage(f"no profile `{name_or_path}`", hint=_nearest_name(name_or_path))
        path = _packaged(name_or_path)
    settings = _merged(path)
    _refuse_what_is_missing(settings, str(path))
    refuse_contradictions(settings)
    if known_endpoints is not None and _allowed_endpoints(settings):
        known = known_endpoints()
        _refuse_unknown_endpoints(_allowed_endpoints(settings), known)
        refuse_denied_endpoints(settings, known)
    kind = settings["kind"].value if "kind" in settings else ProfileKind.POLICY
    return Profile(_claim(settings), ProfileKind(kind), str(path), settings)


def profile_names() -> tuple[str, ...]:
    """The names of the packaged profiles, in alphabetical order."""
    return tuple(sorted(path.stem for path in _folder().glob("*.yaml")))


def _nearest_name(word: str) -> str:
    """The hint for a name that no profile has: those that begin with it, the nearest, else where
    all of them are told."""
    from difflib import get_close_matches  # not above: only wrong words are compared

    begun = [name for name in profile_names() if name.startswith(f"{word.lower()}-")]
    close = begun or get_close_matches(word.lower(), profile_names(), n=1)
    return f"did you mean {either(f'`{name}`' for name in close)}?" if close else WHERE_NAMES_ARE


def _folder() -> Path:
    """Where the profiles are: in the package once installed, beside it in a source tree."""
    installed = _PACKAGE / "profiles"
    return installed if installed.is_dir() else _PACKAGE.parent / "profiles"


def _packaged(name: str) -> Path:
    return _folder() / f"{name}.yaml"


def _is_path(name_or_path: str) -> bool:
    return Path(name_or_path).name != name_or_path or name_or_path.endswith(SUFFIXES)


def _merged(path: Path) -> dict[str, Setting]:
    """The settings of the file and of all that it extends; the nearest file wins."""
    chain: list[Path] = []
    merged: dict[str, Setting] = {}
    for settings, origin in _line_of_descent(path):
        chain.append(origin)
        if "name" not in settings:
            hint = "every file has one of its own: lower case, digits and `-`"
            raise ProfileInvalid("`name` is missing", where=str(origin), hint=hint)
        merged = settings | merged
        extends = settings.get("extends")
        if extends and len(chain) == MAX_CHAIN:
            raise ProfileInvalid(
                f"extends more than {MAX_CHAIN - 1} others",
                where=extends.where,
                hint="put what several of them say into one",
            )
    return merged


def _line_of_descent(path: Path) -> Iterator[tuple[dict[str, Setting], Path]]:
    """The settings of each file, from the first to the one that extends no other."""
    seen, way = {led_to(path)}, list[str]()
    while True:
        hint = ONE_OF_THEM if is_folder(path) else WHERE_NAMES_ARE
        if way:
            hint = f"asked for at {way[-1]}: give a name, or a path from the folder of that file"
        text = text_of(path, ProfileInvalid, hint)
        settings = settings_of(table_of(text, str(path), ProfileInvalid))
        yield settings, path
        if "extends" not in settings:
            return
        path = _extended(settings["extends"], path)
        way.append(settings["extends"].where)
        if led_to(path) in seen:
            others = f", by way of others: {' -> '.join((*way, str(path)))}" if way[1:] else ""
            raise ProfileInvalid(
                f"extends itself{others}",
                where=way[-1],
                hint="leave `extends` out here, or extend a file that is not on the way",
            )
        seen.add(led_to(path))


def _extended(extends: Setting, child: Path) -> Path:
    """The file behind `extends`: a packaged name, or a path from the folder of `child`."""
    if _is_path(extends.value):
        return Path(os.path.normpath(child.parent / extends.value))
    if extends.value not in profile_names():
        raise ProfileInvalid(
            f"no profile `{extends.value}`",
            where=extends.where,
            hint=_nearest_name(extends.value),
        )
    return _packaged(extends.value)


def _refuse_what_is_missing(settings: Mapping[str, Setting], path: str) -> None:
    """ProfileInvalid if there is no sentence to test, or nothing that could be allowed.

    A profile that only denies would forbid everything else as well, and seldom means it.
    """
    if "statement" not in settings:
        raise ProfileInvalid(
            "`statement` is missing", where=path, hint="quote the sentence under test"
        )
    if not any(key.startswith("allow.") for key in settings):
        raise ProfileInvalid(
            "`allow` is missing",
            where=path,
            hint="`allow: {scopes: [any]}` if all is allowed that `deny` does not name",
        )


def _allowed_endpoints(settings: Mapping[str, Setting]) -> tuple[Placed, ...]:
    setting = settings.get("allow.endpoints")
    return () if setting is None else setting.value


def _refuse_unknown_endpoints(words: tuple[Placed, ...], known: Collection[str]) -> None:
    """ProfileInvalid for the first word that names no entry of the catalogue."""
    for word in words:
        if word.text not in known and not word.text.startswith("purpose:"):
            from difflib import get_close_matches  # as above

            close = get_close_matches(word.text, known, n=1)
            raise ProfileInvalid(
                f"the catalogue has no `{word}`",
                where=word.where,
                hint=f"did you mean `{close[0]}`?" if close else "give your own with --catalogue",
            )


def _claim(settings: Mapping[str, Setting]) -> Claim:
    """The claim that complete settings make; what is not set keeps the default of `Claim`."""
    top = {key: setting.value for key, setting in settings.items() if "." not in key}
    for key in NOT_CLAIMED & top.keys():
        del top[key]
    return Claim(
        **{"source": ""} | top,
        applies_to=AppliesTo(**_values(settings, "applies_to.")),
        allow=_allow(settings),
        deny=_deny(_values(settings, "deny.")),
        require=_require(_values(settings, "require.")),
    )


def _allow(settings: Mapping[str, Setting]) -> Allow:
    """`Allow` of settings; `any` is no scope, and what is only looked up becomes a set."""
    values = _values(settings, "allow.", without=("endpoints",))
    scopes = values.pop("scopes", ())
    for key in set(PLACES) & values.keys():
        values[key] = frozenset(values[key])
    return Allow(
        everything=ANY in scopes,
        scopes=frozenset(Scope(word) for word in scopes if word != ANY),
        endpoints=tuple(word.text for word in _allowed_endpoints(settings)),
        **values,
    )


def _deny(values: dict[str, Any]) -> Deny:
    """`Deny` of values as read; what is only looked up becomes a set."""
    for key in {"located", "controlled", "categories", "operators"} & values.keys():
        values[key] = frozenset(values[key])
    purposes = frozenset(Purpose(word) for word in values.pop("purposes", ()))
    return Deny(**values, purposes=purposes)


def _require(values: dict[str, Any]) -> Require:
    """`Require` of values as read, whose durations are nanoseconds."""
    durations = {"observe": "observe_ns", "lists_max_age": "lists_max_age_ns"}
    return Require(**{durations.get(key, key): value for key, value in values.items()})


def _values(
    settings: Mapping[str, Setting], group: str, without: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The values of one group by sub key."""
    keys = {key: key.removeprefix(group) for key in settings if key.startswith(group)}
    return {short: settings[key].value for key, short in keys.items() if short not in without}
