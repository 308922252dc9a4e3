"""What a profile cannot be: each is refused with file, line and remedy, never read otherwise."""

from pathlib import Path

import pytest

from egress_audit.claims import profile_of
from egress_audit.errors import ProfileInvalid

HEAD = "name: n\nstatement: s\n"

BAD = {
    "not YAML": ("a: [1\nb: 2\n", 2),
    "a tab for an indent": ("name: n\nallow:\n\tscopes: [any]\n", 3),
    "no mapping": ("- name\n", 1),
    "a key twice": ("name: n\nname: m\n", 2),
    "a list as key": ("name: n\n? [a]\n: 1\n", 2),
    "an alias": ("name: &a n\nstatement: *a\n", 2),
    "too deep": (f"name: {'[' * 20}\n", 1),
    "an unknown key": (f"{HEAD}alow: {{scopes: [any]}}\n", 3),
    "an unknown key of a group": (f"{HEAD}allow: {{scope: [any]}}\n", 3),
    "a group that is a list": (f"{HEAD}allow: [loopback]\n", 3),
    "a list where a text is wanted": ("name: n\nstatement: [s]\n", 2),
    "a number where a text is wanted": ("name: n\nstatement: 1\n", 2),
    "a text where a list is wanted": (f"{HEAD}allow: {{scopes: loopback}}\n", 3),
    "a value twice": (f"{HEAD}allow:\n  scopes:\n  - lan\n  - lan\n", 6),
    "an unknown kind": ("name: n\nkind: systems\n", 2),
    "an unknown scope": (f"{HEAD}allow: {{scopes: [internet]}}\n", 3),
    "an unknown country": (f"{HEAD}allow: {{located: [EU]}}\n", 3),
    "an unknown operator": (f"{HEAD}allow: {{operators: [Amazon]}}\n", 3),
    "an unknown category": (f"{HEAD}deny: {{categories: [telco]}}\n", 3),
    "an unknown purpose": (f"{HEAD}deny: {{purposes: [tracking]}}\n", 3),
    "an unknown endpoint": (f"{HEAD}allow: {{endpoints: [olama-update]}}\n", 3),
    "an unknown vendor": (f"{HEAD}allow: {{endpoints: ['vendor:Nobody at all']}}\n", 3),
    "every host": (f"{HEAD}allow: {{hosts: ['*']}}\n", 3),
    "every host of a top-level domain": (f"{HEAD}allow: {{hosts: ['*.com']}}\n", 3),
    "a top-level domain with a dot": (f"{HEAD}allow: {{hosts: [.com]}}\n", 3),
    "two stars": (f"{HEAD}allow: {{hosts: ['*.*']}}\n", 3),
    "every address": (f"{HEAD}allow: {{prefixes: [0.0.0.0/0]}}\n", 3),
    "every address in halves": (f"{HEAD}allow: {{prefixes: ['::/1', '8000::/1']}}\n", 3),
    "an address as host": (f"{HEAD}allow: {{hosts: [192.0.2.1]}}\n", 3),
    "host bits": (f"{HEAD}allow: {{prefixes: [192.0.2.1/24]}}\n", 3),
    "a scope beside any": (f"{HEAD}allow: {{scopes: [any, lan]}}\n", 3),
    "a place beside any": (f"{HEAD}allow: {{scopes: [any], located: [DE]}}\n", 3),
    "a duration without unit": (f"{HEAD}require: {{observe: 60}}\n", 3),
    "neither true nor false": (f"{HEAD}require: {{probes: perhaps}}\n", 3),
    "a question without answer": (f"{HEAD}questions: [{{ask: 'Where?'}}]\n", 3),
    "extends itself": ("name: n\nextends: p.yaml\n", 2),
    "extends nothing that there is": ("name: n\nextends: ofline\n", 2),
    "a host allowed and denied": (
        f"{HEAD}allow: {{hosts: [a.b.c]}}\ndeny: {{hosts: ['*.b.c']}}\n",
        3,
    ),
    "a prefix allowed and denied": (
        f"{HEAD}allow: {{prefixes: [192.0.2.1]}}\ndeny: {{prefixes: [192.0.2.0/24]}}\n",
        3,
    ),
    "a scope allowed and denied": (
        f"{HEAD}allow: {{scopes: [cgnat]}}\ndeny: {{prefixes: [100.64.0.0/10]}}\n",
        3,
    ),
    "a place allowed and denied": (
        f"{HEAD}allow: {{located: [DE]}}\ndeny: {{located: [DE]}}\n",
        3,
    ),
    "a purpose allowed and denied": (
        f"{HEAD}allow: {{endpoints: ['purpose:auth']}}\ndeny: {{purposes: [auth]}}\n",
        3,
    ),
    "an endpoint allowed and its purpose denied": (
        f"{HEAD}allow: {{endpoints: [ollama-update]}}\ndeny: {{purposes: [update-check]}}\n",
        3,
    ),
}
"""What it is → the file, and the line in which it stands."""


@pytest.mark.parametrize("what", BAD)
def test_a_bad_profile_is_refused_with_file_line_and_remedy(what: str, tmp_path: Path) -> None:
    text, line = BAD[what]
    path = tmp_path / "p.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileInvalid) as caught:
        profile_of(str(path))
    assert caught.value.where == f"{path}:{line}"
    assert caught.value.hint


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_an_empty_profile_is_refused_at_its_first_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileInvalid) as caught:
        profile_of(str(path))
    assert caught.value.where == f"{path}:1"


@pytest.mark.parametrize("text", ["name: n\n", "statement: s\n", "name: n\nstatement: s\n"])
def test_a_profile_that_lacks_something_is_refused_with_file_and_remedy(
    text: str, tmp_path: Path
) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileInvalid) as caught:
        profile_of(str(path))
    assert caught.value.where == str(path)
    assert caught.value.hint
