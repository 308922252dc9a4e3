"""What a process may be called."""

import pytest

from egress_audit.programs import is_interpreter, is_named, program_names
from tests.builders.catalogues import read_entry

ANYBODY = read_entry(id="anybody")


@pytest.mark.parametrize(
    ("exe", "cmdline", "names"),
    [
        ("/usr/bin/ollama", ["ollama", "serve"], {"ollama"}),
        ("C:\\Apps\\Ollama App.EXE", [], {"ollama-app"}),
        ("/usr/bin/python3", ["python3", "-u", "/opt/bin/vllm", "serve"], {"python3", "vllm"}),
        ("/usr/bin/python3", ["python3", "-m", "a.b", "x"], {"python3", "a.b", "a"}),
        ("/usr/bin/python3", ["python3", "-m"], {"python3"}),
        ("/usr/bin/python3", ["python3"], {"python3"}),
        ("/usr/bin/python3", ["python3", "-W", "hf", "/opt/acme.py"], {"python3", "acme"}),
        ("/usr/bin/python3", ["python3", "-c", "hf", "x"], {"python3"}),
        ("/usr/bin/curl", ["ollama", "serve"], {"curl"}),
        ("", ["/opt/acme", "x"], {"acme"}),
        ("", [], set()),
    ],
)  # fmt: skip
def test_a_program_is_called_by_its_file_or_its_script(
    exe: str, cmdline: list[str], names: set[str]
) -> None:
    assert program_names(exe, cmdline) == names


@pytest.mark.parametrize("exe", ["/usr/bin/python3.13", "node", "/opt/java"])
def test_an_interpreter_is_known_by_its_name(exe: str) -> None:
    assert is_interpreter(exe)


@pytest.mark.parametrize("exe", ["ollama", "/usr/bin/nodejs-thing", ""])
def test_a_program_of_its_own_is_no_interpreter(exe: str) -> None:
    assert not is_interpreter(exe)


def test_names_are_compared_without_case_and_ending() -> None:
    assert is_named(read_entry(processes="[Ollama.exe]"), frozenset({"ollama"}))
    assert not is_named(ANYBODY, frozenset({"ollama"}))


@pytest.mark.parametrize("exe", ["/opt/lm-studio", "/opt/LM_Studio", "C:\\Apps\\LM Studio.exe"])
def test_words_of_a_name_may_be_joined_by_anything(exe: str) -> None:
    assert is_named(read_entry(processes="[LM Studio]"), program_names(exe, []))
    assert not is_named(read_entry(processes="[LM Studio]"), program_names("/opt/lmstudio", []))
