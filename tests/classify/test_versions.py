"""Bounds of versions: what is inside, what is outside, and what cannot be read."""

import pytest

from egress_audit.classify.versions import covers, is_specifier_set


@pytest.mark.parametrize("text", [">=1.29", ">=1.29,<2", ">=1, <2 , !=1.5.1", "==0.33.0"])
def test_bounds_over_dotted_numbers_are_a_set(text: str) -> None:
    assert is_specifier_set(text)


@pytest.mark.parametrize("text", ["", "1.29", ">=", ">=1.29,", "~=1.2", "==1.*", ">=1.0rc1", "=1"])
def test_what_is_no_bound_makes_no_set(text: str) -> None:
    assert not is_specifier_set(text)


@pytest.mark.parametrize(
    ("specifiers", "version"),
    [
        (">=1.29", "1.29.0"),
        (">=1.29", "1.30"),
        (">=1.9", "1.10"),
        (">=1,<2", "v1.31.1"),
        ("==1.2", "1.2.0"),
        (">1.2", "1.2.post1"),
        ("<0.33", "0.33.0-rc2"),
        ("<=1.29", "1.29.0+cu121"),
        ("!=1.5", "1.6"),
        ("", "whatever"),
    ],
)
def test_a_version_inside_all_bounds_is_covered(specifiers: str, version: str) -> None:
    assert covers(specifiers, version) is True


@pytest.mark.parametrize(
    ("specifiers", "version"),
    [
        (">=1.29", "1.28.9"),
        (">=1.29", "1.29.0rc1"),
        (">=1,<2", "2.0"),
        ("!=1.5", "1.5.0"),
        (">1.2", "1.2"),
    ],
)
def test_a_version_outside_one_bound_is_not_covered(specifiers: str, version: str) -> None:
    assert covers(specifiers, version) is False


@pytest.mark.parametrize("version", ["", "main", "1.x", "2026-11-21-nightly", "9" * 5000])
def test_a_version_that_cannot_be_read_is_neither_covered_nor_not(version: str) -> None:
    assert covers(">=1.29", version) is None
