"""Errors say what, where and the remedy, and carry the exit code of their kind."""

import pytest

from egress_audit.errors import (
    CatalogueInvalid,
    EgressAuditError,
    ExitCode,
    InputUnreadable,
    ListUnreadable,
    ProfileInvalid,
    WrongUsage,
)
from egress_audit.model.audit import Verdict


def test_an_error_reads_where_what_and_remedy_in_one_line() -> None:
    error = InputUnreadable("is a folder", where="captures", hint="name one capture file in it")
    assert str(error) == "captures: is a folder (name one capture file in it)"


def test_an_error_without_place_and_remedy_is_just_what() -> None:
    assert str(EgressAuditError("no room on the disk")) == "no room on the disk"


@pytest.mark.parametrize(
    "kind",
    [CatalogueInvalid, EgressAuditError, InputUnreadable, ListUnreadable, ProfileInvalid],
)
def test_what_prevents_an_audit_leaves_with_12(kind: type[EgressAuditError]) -> None:
    assert kind("x").exit_code is ExitCode.NO_AUDIT


def test_wrong_usage_leaves_with_2() -> None:
    assert WrongUsage("x").exit_code is ExitCode.USAGE


def test_every_verdict_has_its_own_exit_code_and_none_is_a_crash() -> None:
    codes = {verdict.exit_code for verdict in Verdict}
    assert codes == {ExitCode.HOLDS, ExitCode.VIOLATED, ExitCode.INCONCLUSIVE}


@pytest.mark.parametrize("kind", [InputUnreadable, WrongUsage])
def test_an_error_about_a_dash_speaks_of_standard_input(kind: type[EgressAuditError]) -> None:
    assert str(kind("is empty", where="-")) == "standard input: is empty"


def test_an_error_of_what_is_written_does_not_speak_of_standard_input() -> None:
    assert str(EgressAuditError("is closed", where="-")) == "-: is closed"
