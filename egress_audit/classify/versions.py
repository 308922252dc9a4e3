"""Which versions an entry is known of: a set of bounds over dotted numbers.

As PEP 440 has it, without wildcards, `~=` and epochs: `>=1.29,<2`. A version that cannot be read is
neither inside nor outside.
"""

import re

# Texts, which `re` compiles when they are first needed, and keeps.
_BOUND = r"(>=|<=|==|!=|>|<)([0-9]{1,9}(?:\.[0-9]{1,9}){0,5})"
_VERSION = (
    r"v?(?P<numbers>[0-9]{1,9}(?:\.[0-9]{1,9}){0,5})"
    r"(?:[-_.]?(?:(?P<before>a|b|c|rc|alpha|beta|pre|preview|dev)|(?P<after>post|rev|r))"
    r"[-_.]?[0-9]{0,9})?(?:\+[a-z0-9.]{1,64})?"
)
_BEFORE, _AT, _AFTER = -1, 0, 1

Version = tuple[tuple[int, ...], int]
"""Its numbers without trailing zeros, and whether it is before, at or after their release."""


def is_specifier_set(text: str) -> bool:
    """Whether `text` is a set of bounds such as `>=1.29,<2`."""
    return all(re.fullmatch(_BOUND, bound.strip()) for bound in text.split(","))


def is_version(text: str) -> bool:
    """Whether `text` is a version that can be compared, such as `1.29.0` or `0.33.0-rc2`."""
    return _read(text) is not None


def covers(specifiers: str, version: str) -> bool | None:
    """Whether a version is within all bounds, which are as `is_specifier_set` asks; '' has none.

    None for a version that cannot be read: unknown is neither.
    """
    if not specifiers:
        return True
    read = _read(version.strip())
    if read is None:
        return None
    bounds = [re.fullmatch(_BOUND, bound.strip()) for bound in specifiers.split(",")]
    return all(_within(read, bound[1], _numbers(bound[2])) for bound in bounds if bound)


def _read(text: str) -> Version | None:
    match = re.fullmatch(_VERSION, text, re.IGNORECASE)
    if not match:
        return None
    phase = _BEFORE if match["before"] else _AFTER if match["after"] else _AT
    return _numbers(match["numbers"]), phase


def _numbers(text: str) -> tuple[int, ...]:
    """1.2.0 and 1.2 are the same version."""
    numbers = [int(part) for part in text.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def _within(version: Version, operator: str, numbers: tuple[int, ...]) -> bool:
    bound = (numbers, _AT)
    if operator == ">=":
        return version >= bound
    if operator == "<=":
        return version <= bound
    if operator == ">":
        return version > bound
    if operator == "<":
        return version < bound
    return (version == bound) is (operator == "==")
