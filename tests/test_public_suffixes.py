"""Suffixes below which names belong to anybody."""

import pytest

from egress_audit.public_suffixes import is_platform_suffix, is_registry_suffix


@pytest.mark.parametrize(
    "name",
    ["com", "co.uk", "com.cn", "xn--fiqs8s", "localhost", "any.ck", "kobe.jp", "city.kobe.jp"],
)
def test_domains_are_sold_below_top_level_domains_and_below_some_second_levels(name: str) -> None:
    assert is_registry_suffix(name)


@pytest.mark.parametrize(
    "name", ["ollama.com", "example.co.uk", "uk.com.example", "github.io", "www.ck", "a.b.ck"]
)
def test_no_registry_sells_domains_below_a_domain(name: str) -> None:
    assert not is_registry_suffix(name)


@pytest.mark.parametrize(
    "name", ["github.io", "hf.space", "cloudfront.net", "blob.core.windows.net"]
)
def test_platforms_give_names_to_customers(name: str) -> None:
    assert is_platform_suffix(name)


@pytest.mark.parametrize(
    "name",
    [
        "s3.eu-west-1.amazonaws.com",
        "s3.dualstack.us-gov-west-1.amazonaws.com",
        "s3-website-us-east-1.amazonaws.com",
        "us-east-1.elb.amazonaws.com",
        "lambda-url.us-east-1.on.aws",
        "oss-cn-hangzhou.aliyuncs.com",
        "cos.ap-guangzhou.myqcloud.com",
        "tos-cn-beijing.volces.com",
        "obs.cn-north-4.myhuaweicloud.com",
    ],
)
def test_they_do_so_in_each_of_their_regions(name: str) -> None:
    assert is_platform_suffix(name)


@pytest.mark.parametrize(
    "name",
    ["bucket.s3.eu-west-1.amazonaws.com", "bedrock.eu-west-1.amazonaws.com", "maas.aliyuncs.com"],
)
def test_a_bucket_and_a_service_of_a_region_are_none(name: str) -> None:
    assert not is_platform_suffix(name)


@pytest.mark.parametrize(
    "name",
    [
        "x.github.io",
        "us-shop.github.io",
        "me-app.vercel.app",
        "huggingface.co",
        "trycloudflare.com",
    ],
)
def test_a_customer_a_company_and_a_tunnel_are_no_platforms(name: str) -> None:
    assert not is_platform_suffix(name)
