"""The readers of single values: what each takes, and what it refuses."""

from ipaddress import ip_network

import pytest

import egress_audit.yaml_values as read
from tests.builders.yaml_texts import refusal, value


def test_a_text_has_its_line_breaks_made_spaces() -> None:
    assert value(read.text, ">\n  one\n  two\n") == "one two"


@pytest.mark.parametrize("text", ["1", "true", "", "''", "[a]", "{a: b}", "2025-01-20"])
def test_what_is_no_text_is_refused(text: str) -> None:
    assert "a text is wanted" in refusal(read.text, text)


def test_a_date_in_quotes_is_a_text() -> None:
    assert value(read.text, "'2025-01-20'") == "2025-01-20"


def test_a_name_is_lower_case() -> None:
    assert value(read.name, "no-china") == "no-china"
    assert "is no name" in refusal(read.name, "No China")


def test_true_and_false_are_truths_and_a_quoted_one_is_none() -> None:
    assert (value(read.truth, "true"), value(read.truth, "no")) == (True, False)
    assert "true or false is wanted" in refusal(read.truth, "'true'")


@pytest.mark.parametrize(
    ("text", "seconds"), [("60s", 60), ("5m", 300), ("4h", 14_400), ("365d", 31_536_000)]
)
def test_a_duration_is_a_number_with_its_unit(text: str, seconds: int) -> None:
    assert value(read.duration, text) == seconds * 1_000_000_000


@pytest.mark.parametrize("text", ["60", "-5s", "1.5h", "5 m", "1:30", "9999999s", "s", "[5s]"])
def test_what_has_no_unit_is_no_duration(text: str) -> None:
    assert "duration" in refusal(read.duration, text)


def test_an_unknown_word_is_refused_with_the_nearest() -> None:
    assert "did you mean `capture`?" in refusal(read.one_of("capture", "process-tree"), "captures")


def test_of_many_words_the_nearest_are_told() -> None:
    many = [f"word-{number}" for number in range(60)]
    told = read.nearest("zzz", many)
    assert told.startswith("the nearest of 60: ") and told.count(",") == 4


def test_the_nearest_is_found_whatever_the_case_and_told_in_its_own() -> None:
    assert read.nearest("CLOUDFLAR", ["Akamai", "Cloudflare"]) == "did you mean `Cloudflare`?"


def test_a_word_like_no_other_is_refused_with_all_there_are() -> None:
    assert "known: capture, process-tree" in refusal(
        read.one_of("capture", "process-tree"), "zzzzz"
    )


def test_the_same_value_twice_is_refused() -> None:
    assert value(read.each(read.country), "[CN, RU]") == ("CN", "RU")
    assert "`CN` stands here a second time" in refusal(read.each(read.country), "[CN, CN]")


def test_a_list_is_wanted_even_for_one() -> None:
    assert "a list is wanted, not a single value" in refusal(read.each(read.country), "CN")


def test_norway_is_a_country() -> None:
    assert value(read.country, "NO") == "NO"


@pytest.mark.parametrize(("code", "hint"), [("cn", "`CN`"), ("UK", "3166"), ("CHN", "3166")])
def test_what_no_list_answers_with_is_no_country(code: str, hint: str) -> None:
    assert hint in refusal(read.country, code)


def test_a_host_is_lower_case() -> None:
    assert value(read.host, "Example.ORG") == "example.org"


@pytest.mark.parametrize(
    "pattern",
    ["*", ".com", "a.*.com", "*a.com", "a..b", "a b", "http://a.b", "a.b:443", "bücher.de", "a."],
)
def test_what_is_no_host_pattern_is_refused(pattern: str) -> None:
    assert "is no host" in refusal(read.host, f"'{pattern}'")


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_an_address_is_no_host(address: str) -> None:
    assert "under `prefixes`" in refusal(read.host, f"'{address}'")


@pytest.mark.parametrize("text", ["192.0.2.0/24", "192.0.2.7", "2001:db8::/32", "::1"])
def test_a_prefix_is_of_either_family(text: str) -> None:
    assert value(read.prefix, text) == ip_network(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::ffff:c000:200/120", "192.0.2.0/24"),
        ("::/8", "::/8"),
        ("64:ff9b::192.0.2.7", "64:ff9b::c000:207"),
    ],
)
def test_an_address_mapped_to_ipv6_is_that_of_ipv4(text: str, meant: str) -> None:
    assert value(read.prefix, f'"{text}"') == ip_network(meant)


@pytest.mark.parametrize("text", ["192.0.2.1/24", "192.0.2.0/33", "example.org", "10", "[a]"])
def test_what_is_no_prefix_is_refused(text: str) -> None:
    assert "prefix" in refusal(read.prefix, text)


@pytest.mark.parametrize("pattern", ["example.org", "*.example.org", "localhost", "*.cn"])
def test_a_host_is_exact_or_a_suffix(pattern: str) -> None:
    assert value(read.host, f"'{pattern}'") == pattern
