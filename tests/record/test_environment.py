"""Only variables that announce CI are taken away; what matters to the verdict is told."""

from pathlib import Path

import pytest

from egress_audit.errors import EgressAuditError
from egress_audit.record.environment import child_environment, read_env_file


def env_file(folder: Path, text: str) -> str:
    path = folder / "variables.env"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", ["CI", "GITHUB_ACTIONS", "TF_BUILD", "JENKINS_URL"])
def test_a_variable_that_announces_ci_is_removed_and_named(name: str) -> None:
    child = child_environment({name: "true", "PATH": "/bin"})
    assert child.variables == {"PATH": "/bin"}
    assert child.removed == (name,)


@pytest.mark.parametrize("name", ["CITY", "GITHUB_TOKEN", "HOME", "CI_MODEL"])
def test_a_variable_that_announces_nothing_stays(name: str) -> None:
    child = child_environment({name: "x"})
    assert child.variables == {name: "x"}
    assert child.removed == ()


def test_an_opt_out_stays_and_is_a_condition_of_the_verdict() -> None:
    child = child_environment({"HF_HUB_OFFLINE": "1", "PATH": "/bin"})
    assert child.variables["HF_HUB_OFFLINE"] == "1"
    assert [(setting.name, setting.value) for setting in child.conditions] == [
        ("HF_HUB_OFFLINE", "1")
    ]


def test_a_proxy_is_told_without_its_password() -> None:
    child = child_environment({"https_proxy": "http://alice:secret@proxy.example:3128"})
    (setting,) = child.endpoints
    assert setting.value == "http://***@proxy.example:3128"
    assert child.variables["https_proxy"] == "http://alice:secret@proxy.example:3128"


def test_values_of_other_variables_are_not_told() -> None:
    child = child_environment({"HF_TOKEN": "hf_secret", "DATABASE": "x", "MY_ENDPOINT": "word"})
    assert child.conditions == child.endpoints == ()


def test_a_file_is_laid_over_the_environment(tmp_path: Path) -> None:
    path = env_file(tmp_path, "DO_NOT_TRACK=1\nCI=true\n")
    child = child_environment({"DO_NOT_TRACK": "0"}, path)
    assert child.variables == {"DO_NOT_TRACK": "1"}
    assert child.removed == ("CI",)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("export A=b", "b"),
        ("A = b ", "b"),
        ("A=", ""),
        ("A=b # comment", "b"),
        ("A=b#c", "b#c"),
        ("A=#c", ""),
        ("A='b # c'", "b # c"),
        ("A='b' # c", "b"),
        ('A="b\\n\\"c\\""', 'b\n"c"'),
        ("A='$HOME\\n'", "$HOME\\n"),
        ("A=b=c", "b=c"),
    ],
)
def test_a_line_of_a_file_gives_a_value(tmp_path: Path, line: str, value: str) -> None:
    assert read_env_file(env_file(tmp_path, f"# first\n\n{line}\n")) == {"A": value}


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("no equals sign", "no NAME=value"),
        ("1A=b", "no NAME=value"),
        ("A='b", "the value of A does not end"),
        ('A="b\\"', "the value of A does not end"),
        ("A='b'c", "the value of A does not end"),
        ("A=b\0", "a zero byte"),
    ],
)
def test_a_line_that_says_nothing_is_named(tmp_path: Path, line: str, what: str) -> None:
    path = env_file(tmp_path, f"B=1\n{line}\n")
    with pytest.raises(EgressAuditError, match=what) as caught:
        read_env_file(path)
    assert caught.value.where == f"{path}:2"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EgressAuditError, match="cannot be read"):
        read_env_file(str(tmp_path / "absent"))


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"A=\xff\xfe")
    with pytest.raises(EgressAuditError, match="not UTF-8"):
        read_env_file(str(tmp_path / "binary"))
