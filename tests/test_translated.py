"""What an IPv6 address may be translated to, where the prefix of the translator is not known."""

from ipaddress import IPv6Address

import pytest

from egress_audit.translated import translations_of


def texts(address: str) -> list[str]:
    return [str(end) for end in translations_of(IPv6Address(address))]


@pytest.mark.parametrize(
    "address",
    [
        "64:ff9b:1::203.0.113.9",
        "64:ff9b:1:abcd::203.0.113.9",
        "64:ff9b:1:cb00:71:900::",
        "64:ff9b:1:12cb:0:7109::",
        "64:ff9b:1:1234:cb:71:900:0",
        "64:ff9b:1:cb00:ff71:9ff:ffff:ffff",
        "::ffff:0:203.0.113.9",
    ],
)
def test_the_address_is_found_behind_a_prefix_of_any_length(address: str) -> None:
    assert "203.0.113.9" in texts(address)


def test_an_address_that_ends_in_zeros_is_found_at_the_end_alone() -> None:
    assert "203.1.0.0" in texts("64:ff9b:1::203.1.0.0")
    assert "203.1.0.0" not in texts("64:ff9b:1:cb01::203.0.113.9")


@pytest.mark.parametrize(
    "address",
    ["64:ff9b::203.0.113.9", "64:ff9b:2::203.0.113.9", "::ffff:203.0.113.9", "2001:db8::1"],
)
def test_all_others_are_translated_nowhere(address: str) -> None:
    assert texts(address) == []
