"""Tests of egress_audit/evidence/event_kinds.py."""

import pytest

from egress_audit.evidence.account_parts import PARTS
from egress_audit.evidence.event_kinds import (
    KINDS,
    LIMIT,
    OPTIONAL,
    Check,
    flag,
    ip_version,
    natural,
    one_of,
    or_null,
    positive,
    status,
    text,
    texts,
    version_known,
)


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (natural, (0, LIMIT - 1), (-1, LIMIT, True, "1", None, 1.0)),
        (positive, (1,), (0, True)),
        (text, ("",), (1, None, [])),
        (flag, (True, False), (0, 1, "true")),
        (texts, ([], ["a"]), ("a", [1], None)),
        (status, (0, 255, -9), (256, -65, False)),
        (version_known, (1,), (True, 2, "1")),
        (ip_version, (4, 6), (5, "4")),
        (or_null(text), (None, "a"), (1,)),
        (one_of("tun"), ("tun",), ("veth", 1, None)),
    ],
)
def test_a_field_is_taken_only_for_what_it_must_be(
    check: Check, good: tuple[object, ...], bad: tuple[object, ...]
) -> None:
    assert all(check(value) for value in good)
    assert not any(check(value) for value in bad)


def test_every_kind_of_event_says_something_to_the_account() -> None:
    assert set(PARTS) == set(KINDS)


def test_no_field_has_the_name_of_those_that_every_event_has() -> None:
    assert not [kind for kind, fields in KINDS.items() if {"event", "t"} & set(fields)]
    assert set(OPTIONAL) <= set(KINDS)
