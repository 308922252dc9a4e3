"""Regular expressions over names: which form is taken, and where they are filed."""

import pytest

from egress_audit.classify.host_regexes import MAX_LENGTH, UnfitRegex, host_regex


def refusal(text: str) -> str:
    with pytest.raises(UnfitRegex) as caught:
        host_regex(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        (r"^derp\d+[a-z]*\.tailscale\.com$", "derp12f.tailscale.com"),
        (r"^([a-z0-9-]+-)?aiplatform\.googleapis\.com$", "aiplatform.googleapis.com"),
        (r"^([a-z0-9-]+-)?aiplatform\.googleapis\.com$", "us-east1-aiplatform.googleapis.com"),
        (r"^a(?:-b|-c)?\.[a-z]{2,5}\.example\.org$", "a-c.eu.example.org"),
    ],
)
def test_an_expression_of_the_form_matches_whole_names(text: str, host: str) -> None:
    assert host_regex(text).compiled.fullmatch(host)


@pytest.mark.parametrize("host", ["x.derp1.tailscale.com", "derp1.tailscale.com.evil.org", "derp"])
def test_an_expression_does_not_match_part_of_a_name(host: str) -> None:
    assert not host_regex(r"^derp\d+[a-z]*\.tailscale\.com$").compiled.fullmatch(host)


def test_an_expression_is_filed_under_its_fixed_labels() -> None:
    assert host_regex(r"^[a-z]+\.maas\.aliyuncs\.com$").tails == ("maas.aliyuncs.com",)


def test_labels_that_are_optional_make_a_second_tail() -> None:
    regex = host_regex(r"^bedrock\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$")
    assert regex.tails == ("amazonaws.com", "amazonaws.com.cn")


@pytest.mark.parametrize("text", [r"a\.example\.com", r"^a\.example\.com", r"a\.example\.com$"])
def test_an_expression_without_anchors_is_refused(text: str) -> None:
    assert "not anchored" in refusal(text)


@pytest.mark.parametrize(
    "text", [r"^([a-z]+)+\.a\.com$", r"^(a|b)*\.a\.com$", r"^(?:[a-z]*){2}\.a\.com$"]
)
def test_a_group_that_repeats_is_refused(text: str) -> None:
    assert "a group that repeats" in refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        r"^a*b*c*d*\.a\.com$",
        r"^(a|a)(a|a)(a|a)(a|a)\.a\.com$",
        r"^a*b*\.c*d*\.e*f*\.a\.com$",
    ],
)
def test_an_expression_with_many_choices_is_refused(text: str) -> None:
    assert "groups and quantifiers" in refusal(text)


@pytest.mark.parametrize(
    "text",
    [r"^.*\.a\.com$", r"^[a-z]+$", r"^[^a]\.a\.com$", r"^(a(b))\.a\.com$", r"^a(?=b)\.a\.com$"],
)
def test_an_expression_of_another_form_is_refused(text: str) -> None:
    assert "end in labels" in refusal(text)


def test_a_range_that_runs_backwards_is_refused() -> None:
    assert "bad character range" in refusal(r"^[z-a]\.a\.com$")


def test_a_long_expression_is_refused() -> None:
    assert "more than 200" in refusal("^" + "a" * MAX_LENGTH + r"\.a\.com$")
