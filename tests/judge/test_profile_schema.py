"""The table of keys, and the walk that applies it."""

import pytest

from egress_audit.errors import ProfileInvalid
from egress_audit.judge.profile_schema import settings_of
from egress_audit.model.profile import Setting
from egress_audit.yaml_tree import table_of


def refusal(text: str) -> str:
    with pytest.raises(ProfileInvalid) as caught:
        settings_of(table_of(text, "p.yaml", ProfileInvalid))
    return str(caught.value)


def test_a_setting_knows_its_line() -> None:
    settings = settings_of(
        table_of("name: a\nrequire:\n  probes: false\n", "p.yaml", ProfileInvalid)
    )
    assert settings == {
        "name": Setting("p.yaml:1", "a"),
        "require.probes": Setting("p.yaml:3", False),
    }


def test_an_unknown_key_is_refused_with_its_line_and_the_nearest() -> None:
    assert refusal("name: a\nstatment:\n  b\n") == (
        "p.yaml:2: unknown key `statment` (did you mean `statement`?)"
    )


def test_an_unknown_key_of_a_group_is_refused_with_the_nearest_of_that_group() -> None:
    assert refusal("deny:\n  locate: [CN]\n") == (
        "p.yaml:2: unknown key `locate` in `deny` (did you mean `located`?)"
    )


def test_a_key_of_one_group_is_unknown_in_another() -> None:
    assert "known: controlled, endpoints, hosts, located, operators, prefixes, scopes" in refusal(
        "allow: {categories: [cdn]}"
    )


def test_a_dotted_key_is_no_short_form() -> None:
    assert "unknown key `allow.hosts`" in refusal("allow.hosts: [a.b]")


def test_a_group_that_is_no_mapping_is_refused() -> None:
    assert refusal("name: a\nallow: [loopback]\n") == (
        "p.yaml:2: `allow` is a mapping of keys to values (its keys: controlled, endpoints, hosts, "
        "located, operators, prefixes, scopes)"
    )
