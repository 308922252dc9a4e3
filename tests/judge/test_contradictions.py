"""What a profile cannot mean: each refusal with the profile beside it that is fine."""

from pathlib import Path

import pytest

from egress_audit.errors import ProfileInvalid
from egress_audit.judge.contradictions import refuse_contradictions
from egress_audit.judge.profile import load_profile
from egress_audit.model.claim import Claim
from egress_audit.model.profile import Setting
from tests.builders.endpoints import entry

HEAD = "name: n\nstatement: s\n"


def written(folder: Path, allow: str, deny: str = "{}") -> str:
    path = folder / "p.yaml"
    path.write_text(f"{HEAD}allow: {allow}\ndeny: {deny}\n", encoding="utf-8")
    return str(path)


def refusal(path: str) -> str:
    with pytest.raises(ProfileInvalid) as caught:
        load_profile(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("scope", "prefixes"),
    [
        ("loopback", "[127.0.0.0/8, '::1/128']"),
        ("loopback", "[127.0.0.0/9, 127.128.0.0/9, '::/127']"),
        ("cgnat", "[100.0.0.0/8]"),
        ("multicast", "[224.0.0.0/3, 'ff00::/8']"),
    ],
)
def test_a_scope_of_which_every_range_is_denied_is_a_contradiction(
    tmp_path: Path, scope: str, prefixes: str
) -> None:
    path = written(tmp_path, f"{{scopes: [{scope}]}}", f"{{prefixes: {prefixes}}}")
    said = refusal(path)
    assert said.startswith(f"{path}:3: `{scope}` is allowed here and denied at {path}:4")
    assert "leave one of the two out" in said


@pytest.mark.parametrize(
    ("scope", "prefixes"),
    [
        ("loopback", "[127.0.0.0/8]"),
        ("lan", "[10.0.0.0/8]"),
        ("metadata-service", "[100.100.100.200/32]"),
        ("any", "['2000::/3']"),
        ("global", "['2000::/3']"),
    ],
)
def test_a_scope_of_which_some_range_is_not_denied_is_an_exception(
    tmp_path: Path, scope: str, prefixes: str
) -> None:
    path = written(tmp_path, f"{{scopes: [{scope}]}}", f"{{prefixes: {prefixes}}}")
    assert load_profile(path).name == "n"


@pytest.mark.parametrize(
    ("prefixes", "version"),
    [
        ("[0.0.0.0/1, 128.0.0.0/1]", 4),
        ("[192.0.2.0/24, 128.0.0.0/1, 64.0.0.0/2, 0.0.0.0/2]", 4),
        ("['::/1', '8000::/1']", 6),
    ],
)
def test_prefixes_that_together_cover_everything_are_refused(
    tmp_path: Path, prefixes: str, version: int
) -> None:
    said = refusal(written(tmp_path, f"{{prefixes: {prefixes}}}"))
    assert f"p.yaml:3: these prefixes together cover every IPv{version} address" in said
    assert "write `scopes: [any]`" in said


def test_an_operator_that_is_allowed_and_denied_is_a_contradiction(tmp_path: Path) -> None:
    path = written(tmp_path, "{operators: [Hetzner, Google]}", "{operators: [Google]}")
    assert refusal(path).startswith(f"{path}:3: `Google` is allowed here and denied at {path}:4")


def test_an_operator_that_is_denied_beside_another_is_not(tmp_path: Path) -> None:
    path = written(tmp_path, "{operators: [Hetzner]}", "{operators: [Google]}")
    assert load_profile(path).deny.operators == {"Google"}


def test_prefixes_that_leave_something_out_are_not(tmp_path: Path) -> None:
    path = written(tmp_path, "{prefixes: [0.0.0.0/1, 128.0.0.0/2, '8000::/1']}")
    assert load_profile(path).name == "n"


def test_a_country_that_is_allowed_and_denied_is_a_contradiction() -> None:
    settings = {
        "allow.located": Setting("p.yaml:3", ("DE", "FR")),
        "deny.located": Setting("p.yaml:4", ("FR",)),
    }
    with pytest.raises(ProfileInvalid, match=r"p.yaml:3: `FR` is allowed .* denied at p.yaml:4"):
        refuse_contradictions(settings)


def test_countries_of_which_none_is_both_are_not() -> None:
    refuse_contradictions(
        {
            "allow.located": Setting("p.yaml:3", ("DE",)),
            "deny.located": Setting("p.yaml:4", ("FR",)),
        }
    )


# Endpoints of the catalogue

STATS = entry()
UPDATE = entry("acme-update", "update-check", hosts=("*.dl.acme.example",))
PATTERN = entry("acme-cdn", hosts=("/[a-z]+\\.cdn\\.acme\\.example/",))
KNOWN = {
    "acme-stats": (STATS,),
    "acme-update": (UPDATE,),
    "acme-cdn": (PATTERN,),
    "vendor:Acme": (STATS, UPDATE),
}


def with_endpoint(folder: Path, word: str, deny: str) -> Claim:
    return load_profile(written(folder, f"{{endpoints: ['{word}']}}", deny), lambda: KNOWN)


@pytest.mark.parametrize(
    ("word", "deny"),
    [
        ("acme-stats", "{purposes: [auth, telemetry]}"),
        ("vendor:Acme", "{purposes: [telemetry, update-check]}"),
        ("purpose:telemetry", "{purposes: [telemetry]}"),
        ("acme-stats", "{hosts: ['*.acme.example']}"),
        ("acme-update", "{hosts: [dl.acme.example, '*.dl.acme.example']}"),
    ],
)
def test_an_endpoint_of_which_everything_is_denied_is_a_contradiction(
    tmp_path: Path, word: str, deny: str
) -> None:
    with pytest.raises(ProfileInvalid) as caught:
        with_endpoint(tmp_path, word, deny)
    where = tmp_path / "p.yaml"
    said = f"{where}:3: `{word}` is allowed here and denied at {where}:4"
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("word", "deny"),
    [
        ("vendor:Acme", "{purposes: [telemetry]}"),
        ("purpose:telemetry", "{purposes: [analytics]}"),
        ("acme-update", "{hosts: ['*.dl.acme.example']}"),
        ("acme-cdn", "{hosts: ['*.acme.example']}"),
    ],
)
def test_an_endpoint_of_which_something_is_left_is_an_exception(
    tmp_path: Path, word: str, deny: str
) -> None:
    assert with_endpoint(tmp_path, word, deny).allow.endpoints == (word,)


def test_an_operator_of_which_every_role_is_denied_is_a_contradiction(tmp_path: Path) -> None:
    path = written(tmp_path, "{operators: [China Telecom]}", "{categories: [state-telecom]}")
    said = refusal(path)
    assert said.startswith(f"{path}:3: `China Telecom` is allowed here and denied at {path}:4")


@pytest.mark.parametrize(
    ("operator", "category"),
    [("Hetzner", "state-telecom"), ("Google", "cloud"), ("Quad9", "dns")],
    ids=["another role", "resolvers of a cloud", "anycast of a resolver"],
)
def test_an_operator_of_which_some_role_is_not_denied_is_an_exception(
    tmp_path: Path, operator: str, category: str
) -> None:
    path = written(tmp_path, f"{{operators: [{operator}]}}", f"{{categories: [{category}]}}")
    assert load_profile(path).allow.operators == {operator}


def test_an_operator_under_a_denied_law_is_a_contradiction(tmp_path: Path) -> None:
    said = refusal(written(tmp_path, "{operators: [Alibaba]}", "{controlled: [CN]}"))
    assert "`Alibaba` is allowed here and denied" in said and "(`CN`)" in said


@pytest.mark.parametrize("operator", ["Hetzner", "Mullvad"], ids=["another law", "none known"])
def test_an_operator_under_another_law_is_fine(tmp_path: Path, operator: str) -> None:
    path = written(tmp_path, f"{{operators: [{operator}]}}", "{controlled: [CN]}")
    assert load_profile(path).allow.operators == {operator}
