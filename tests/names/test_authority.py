"""Whom an authority names: one host as a rule, several where readers differ."""

import pytest

from egress_audit.model.flow import NameSource
from egress_audit.names.authority import hosts_of


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        (b"A.example:443", "a.example"),
        (b"[2001:DB8::1]:8080", "2001:db8::1"),
        (b"2001:db8::1", "2001:db8::1"),
        (b" a.example. ", "a.example"),
        (b"[fe80::1%25eth0]:80", "fe80::1%25eth0"),
        (b"_a-b~1.example", "_a-b~1.example"),
    ],
)
def test_an_authority_names_one_host_without_its_port(authority: bytes, host: str) -> None:
    spoken, odd = hosts_of([authority], NameSource.HTTP_HOST)
    assert ([word.host for word in spoken], odd) == ([host], False)


def test_an_empty_authority_names_nobody() -> None:
    assert hosts_of([b"", b" "], NameSource.HTTP_HOST) == ((), False)


def test_an_authority_of_two_readings_names_both_and_is_odd() -> None:
    spoken, odd = hosts_of([b"good.example@evil.example"], NameSource.HTTP_HOST)
    assert ([word.host for word in spoken], odd) == (["good.example", "evil.example"], True)


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        (b"evil%2eexample:80", "evil%2eexample"),
        (b"evil.exampl%65", "evil.exampl%65"),
        ("\uff45vil.example".encode(), "\\xef\\xbd\\x85vil.example"),
        (b"evil.example#.good.example", "evil.example#.good.example"),
        (b"[evil%2eexample]:80", "evil%2eexample"),
        (b"[v1.evil%2eexample]", "v1.evil%2eexample"),
    ],
)
def test_a_host_that_may_be_decoded_into_another_is_odd(authority: bytes, host: str) -> None:
    spoken, odd = hosts_of([authority], NameSource.HTTP_HOST)
    assert ([word.host for word in spoken], odd) == ([host], True)
