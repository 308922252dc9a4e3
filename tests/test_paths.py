"""A path behind a closed folder leads nowhere, and is no crash."""

import os
from pathlib import Path

from egress_audit.paths import is_folder, is_ordinary_file, is_there, led_to
from tests.builders.namespaces import become_nobody, in_child

LOOKS = (is_there, is_folder, is_ordinary_file)


def looked(path: str | Path) -> list[bool]:
    return [look(path) for look in LOOKS]


def test_a_folder_and_a_file_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert looked(tmp_path) == [True, True, False]
    assert looked(str(tmp_path / "file")) == [True, False, True]


def test_what_is_not_there_is_neither(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in ("absent", "file/below", "a\0b"):
        assert looked(tmp_path / path) == [False, False, False]


def test_a_link_leads_to_its_file_and_a_loop_to_no_other(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "loop").symlink_to("loop")
    assert led_to(tmp_path / "link") == led_to(str(tmp_path / "file"))
    assert led_to(tmp_path / "loop").name == "loop"
    assert looked(tmp_path / "loop") == [False, False, False]


def test_what_lies_behind_a_closed_folder_is_not_seen(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "file").touch()
    closed.chmod(0)

    def as_an_ordinary_user() -> list[bool]:
        if os.geteuid() == 0:
            become_nobody()
        return looked(closed / "file")

    assert in_child(as_an_ordinary_user) == [False, False, False]
    closed.chmod(0o700)
