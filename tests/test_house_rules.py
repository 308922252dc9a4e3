"""What CONTRIBUTING.md promises of the source, checked: sizes, docstrings, mirrors, manual."""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from egress_audit.errors import ExitCode

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "egress_audit"
HOT_ROOMS = ("capture", "decode", "flows", "attribute", "compiled")

C_INCLUDES = {"<stdbool.h>", "<stddef.h>", "<stdint.h>", "<string.h>", '"hot_path.h"'}

FILE_LINES = 300
LINE_COLUMNS = 100
FUNCTION_LINES = 50
SELF_EVIDENT_LINES = 3

# Source files without a test file of their own, each with its reason.
UNMIRRORED = {
    "__init__.py": "the lazy names; tests/test_api.py uses them",
    "__main__.py": "one call of the command line; tests/cli starts it",
    "model/audit.py": "data only; every stage's tests build it",
    "model/claim.py": "data only; tests/judge/test_profile.py builds it",
    "model/destination.py": "data only; tests/classify builds it",
    "model/draft.py": "data only; tests/judge/test_drafting.py reads it",
    "model/evidence.py": "data only; tests/capture builds it",
    "model/flow.py": "data only; tests/flows builds it",
    "model/profile.py": "data only; tests/judge/test_profile.py builds it",
    "model/versions.py": "data only; tests/evidence/test_account_versions.py builds it",
    "model/whois.py": "data only; tests/classify/test_whois.py builds it",
    "record/surroundings.py": "data only; tests/builders/call_world.py builds it",
}

FORBIDDEN_NAMES = {"common", "handler", "helpers", "info", "manager", "utils"}

NOT_PROJECT_FILES = {".git", ".venv", "build", "dist", "out", "__pycache__", "node_modules"}

# Spelled in parts, or this file would find itself.
MACHINE_PATHS = re.compile("(?<![\\w.])/(?:work|root)" + "/|\\.\\./shared" + "/")
REGISTRY_HOSTS = re.compile(
    "|".join(("pypi[.]" + "org", "pythonhosted[.]" + "org", "npmjs[.]" + "org", "deb[.]debian"))
)

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def sources() -> list[Path]:
    """Every Python file of the package."""
    return sorted(PACKAGE.rglob("*.py"))


def code() -> list[Path]:
    """Every Python file of the project, tests, scripts and benches included."""
    return [path for path in project_files() if path.suffix == ".py"]


def project_files() -> list[Path]:
    """Every file but what tools make: environments, caches, builds."""
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if not is_made_by_tools(name)]
        found += [Path(folder, name) for name in files]
    return sorted(found)


def is_made_by_tools(folder: str) -> bool:
    return folder in NOT_PROJECT_FILES or folder.endswith(("_cache", ".egg-info", ".hypothesis"))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def public_definitions(body: list[ast.stmt]) -> Iterator[Definition]:
    """Public functions and classes of a module or class body, methods included."""
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node.body)


def is_self_evident(node: Definition) -> bool:
    """True for a function, not a class, whose body has at most three lines."""
    body_lines = (node.end_lineno or 0) - node.body[0].lineno + 1
    return not isinstance(node, ast.ClassDef) and body_lines <= SELF_EVIDENT_LINES


def shown(path: Path, line: int = 1) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def text_of(path: Path) -> str:
    """The text of a file; '' if it is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_every_source_file_has_its_mirrored_test_file() -> None:
    names = {path.relative_to(PACKAGE).as_posix(): path for path in sources()}
    missing = [
        name
        for name, path in names.items()
        if path.stat().st_size
        and name not in UNMIRRORED
        and not (ROOT / "tests" / name).with_name(f"test_{path.name}").exists()
    ]
    assert not missing


def test_the_table_of_unmirrored_files_names_only_files_that_exist() -> None:
    assert not [name for name in UNMIRRORED if not (PACKAGE / name).exists()]


def test_the_init_files_of_the_rooms_are_empty() -> None:
    inits = [path for path in PACKAGE.glob("*/**/__init__.py") if path.stat().st_size]
    assert not inits


def test_no_source_file_is_longer_than_300_lines() -> None:
    lengths = {shown(path): len(text_of(path).splitlines()) for path in sources()}
    assert not {name: lines for name, lines in lengths.items() if lines > FILE_LINES}


def test_no_function_is_longer_than_50_lines() -> None:
    too_long = [
        f"{shown(path, node.lineno)} {node.name}"
        for path in code()
        for node in functions(path)
        if (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES
    ]
    assert not too_long


def c_files() -> list[Path]:
    """Every C file and header of the package."""
    return sorted(path for path in PACKAGE.rglob("*.[ch]"))


def test_no_c_file_is_longer_or_wider_than_one_of_python() -> None:
    for path in c_files():
        lines = text_of(path).splitlines()
        assert len(lines) <= FILE_LINES, shown(path)
        assert not [n for n, line in enumerate(lines, 1) if len(line) > LINE_COLUMNS], shown(path)


def test_no_c_function_is_longer_than_50_lines() -> None:
    for path in c_files():
        bodies = re.findall(r"^\{\n(.*?)^\}$", text_of(path), re.MULTILINE | re.DOTALL)
        assert not [body for body in bodies if body.count("\n") > FUNCTION_LINES], shown(path)


def test_every_c_file_says_what_it_is() -> None:
    assert not [shown(path) for path in c_files() if not text_of(path).startswith("/* ")]


def test_c_allocates_opens_and_keeps_nothing() -> None:
    """It includes nothing that could, and has no variable outside of functions that may change."""
    for path in c_files():
        text = text_of(path)
        assert set(re.findall(r"^#include (.*)$", text, re.MULTILINE)) <= C_INCLUDES, shown(path)
        variable = r"^(?!.*\bconst\b)\w[\w *]*(?:\[[^]]*\])?(?: = .*)?;$"
        assert not re.findall(variable, text, re.MULTILINE), shown(path)


def test_every_module_says_what_it_is() -> None:
    silent = [
        shown(path) for path in code() if path.stat().st_size and not ast.get_docstring(tree(path))
    ]
    assert not silent


def test_every_public_definition_says_what_comes_back() -> None:
    silent = [
        f"{shown(path, node.lineno)} {node.name}"
        for path in sources()
        for node in public_definitions(tree(path).body)
        if not ast.get_docstring(node) and not is_self_evident(node)
    ]
    assert not silent


def test_no_module_has_a_name_that_says_nothing() -> None:
    vague = [shown(path) for path in code() if FORBIDDEN_NAMES & set(path.stem.split("_"))]
    assert not vague


def test_nothing_catches_every_exception() -> None:
    broad = [
        shown(path, node.lineno)
        for path in code()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and catches_everything(node)
    ]
    assert not broad


def catches_everything(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    names = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
    return bool(names & {"Exception", "BaseException"})


def is_marked_hot(path: Path) -> bool:
    return "HOT PATH" in (ast.get_docstring(tree(path)) or "")


def test_only_files_of_the_hot_rooms_are_marked_hot() -> None:
    elsewhere = [
        shown(path)
        for path in sources()
        if is_marked_hot(path)
        and path.parent.name not in HOT_ROOMS
        and path != PACKAGE / "columns.py"
    ]
    assert not elsewhere


@pytest.mark.parametrize("room", HOT_ROOMS)
def test_every_hot_room_marks_the_files_that_touch_every_packet(room: str) -> None:
    assert any(is_marked_hot(path) for path in (PACKAGE / room).glob("*.py"))


def test_hot_files_do_not_log() -> None:
    hot = [path for path in sources() if is_marked_hot(path)]
    assert not [shown(path) for path in hot if re.search(r"\blogging\b", text_of(path))]


def test_the_exit_codes_of_the_readme_are_those_of_the_code() -> None:
    rows = re.findall(r"^\|\s*`?(\d+)`?\s*\|(.*)\|\s*$", text_of(ROOT / "README.md"), re.MULTILINE)
    meanings = {int(number): meaning for number, meaning in rows}
    assert set(meanings) == {int(code) for code in ExitCode}
    for verdict in (ExitCode.HOLDS, ExitCode.VIOLATED, ExitCode.INCONCLUSIVE):
        assert verdict.name in meanings[verdict]


def test_every_rule_stands_in_the_manual() -> None:
    from egress_audit.judge.rules import RULES

    manual = text_of(ROOT / "docs" / "rules.md")
    assert not [rule.id for rule in RULES if rule.id not in manual]


def test_every_blind_spot_stands_in_the_manual() -> None:
    from egress_audit.judge.verdict import BLIND_SPOTS

    manual = text_of(ROOT / "docs" / "blind-spots.md")
    assert not [spot.id for spot in BLIND_SPOTS if spot.id not in manual]


def test_no_file_or_folder_is_named_like_an_option() -> None:
    below = (path.relative_to(ROOT).parts for path in project_files())
    assert not [parts for parts in below if any(part.startswith("-") for part in parts)]


@pytest.mark.parametrize("traces", [MACHINE_PATHS, REGISTRY_HOSTS], ids=["paths", "registries"])
def test_no_file_tells_on_which_machine_it_was_made(traces: re.Pattern[str]) -> None:
    told = [
        shown(path, number)
        for path in project_files()
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if traces.search(line)
    ]
    assert not told
