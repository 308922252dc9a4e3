"""The libraries of a record: one module and one process a line, gathered to products."""

from typing import Any

import pytest

from egress_audit.evidence.account import Account
from egress_audit.evidence.event_kinds import KINDS
from egress_audit.model.destination import Absent
from egress_audit.model.versions import VersionHow
from tests.builders.accounts import account_of
from tests.builders.bundles import TARGET, Line, line, process, whole_run


def library(**changes: Any) -> Line:
    plain: dict[str, Any] = {
        "process": TARGET,
        "module": "yaml",
        "product": "PyYAML",
        "version": "6.0",
        "how": "opened",
        "source": "/lib/PyYAML-6.0.dist-info",
    }
    return line("library", **(plain | changes))


def told(*middle: Line) -> Account:
    return account_of(whole_run(*middle))


def test_a_library_is_a_product_in_a_version() -> None:
    account = told(library())
    (known,) = account.versions
    assert (known.product, known.version, known.how) == ("PyYAML", "6.0", VersionHow.OPENED)
    assert (known.modules, known.processes) == (("yaml",), (TARGET,))
    assert known.source == "/lib/PyYAML-6.0.dist-info"
    assert account.problems == ()


def test_a_record_without_libraries_has_none_and_is_whole() -> None:
    account = told()
    assert (account.versions, account.problems) == ((), ())


def test_a_library_without_a_version_has_none() -> None:
    assert told(library(version=None)).versions[0].version is Absent.NOT_FOUND


def test_modules_and_processes_of_one_product_are_one_row() -> None:
    (known,) = told(process(3), library(process=3), library(module="_yaml"), library()).versions
    assert (known.modules, known.processes) == (("_yaml", "yaml"), (TARGET, 3))


def test_a_product_is_as_strongly_known_in_a_process_as_any_module_of_it() -> None:
    (known,) = told(library(module="_yaml", how="mapped"), library()).versions
    assert known.how is VersionHow.MAPPED


def test_what_is_mapped_in_one_process_is_not_in_another() -> None:
    rows = told(process(3), library(how="mapped"), library(process=3)).versions
    assert [(row.how, row.processes) for row in rows] == [
        (VersionHow.MAPPED, (TARGET,)),
        (VersionHow.OPENED, (3,)),
    ]


def test_two_versions_are_two_rows() -> None:
    assert [row.version for row in told(library(version="7"), library()).versions] == ["6.0", "7"]


def test_products_stand_in_the_order_of_their_names() -> None:
    rows = told(library(), library(product="numpy"), library(product="Zope")).versions
    assert [row.product for row in rows] == ["numpy", "PyYAML", "Zope"]


def test_a_process_that_is_not_known_is_a_problem() -> None:
    account = told(library(process=9))
    assert account.versions == ()
    assert "names process 9" in account.problems[0]


def test_no_record_states_anything_for_the_user() -> None:
    may_be = KINDS["library"]["how"]
    assert [word for word in VersionHow if may_be(word.value)] == ["mapped", "opened"]


@pytest.mark.parametrize("field", ["product", "version", "module", "source"])
def test_text_of_a_stranger_is_one_line(field: str) -> None:
    (known,) = told(library(**{field: "a\x1b[31m\nb"})).versions
    assert "\x1b" not in str(known) and "\n" not in str(known)
