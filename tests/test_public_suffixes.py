"""Suffixes below which names belong to anybody."""

import pytest

from egress_audit.public_suffixes import is_platform_suffix, is_registry_suffix


@pytest.mark.parametrize("name", ["com", "co.uk", "com.cn", "xn--fiqs8s", "localhost"])
def test_domains_are_sold_below_top_level_domains_and_below_some_second_levels(name: str) -> None:
    assert is_registry_suffix(name)


@pytest.mark.parametrize("name", ["ollama.com", "example.co.uk", "uk.com.example", "github.io"])
def test_no_registry_sells_domains_below_a_domain(name: str) -> None:
    assert not is_registry_suffix(name)


@pytest.mark.parametrize(
    "name", ["github.io", "hf.space", "cloudfront.net", "blob.core.windows.net"]
)
def test_platforms_give_names_to_customers(name: str) -> None:
    assert is_platform_suffix(name)


@pytest.mark.parametrize("name", ["x.github.io", "huggingface.co", "trycloudflare.com"])
def test_a_customer_a_company_and_a_tunnel_are_no_platforms(name: str) -> None:
    assert not is_platform_suffix(name)
