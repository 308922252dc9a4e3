"""The place within what was pasted by mistake."""

import pytest

from egress_audit.classify.pasted import LONGEST, place_within


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("https://api.deepseek.com/v1/chat?x=1", "api.deepseek.com"),
        ("HTTP://user:secret@ollama.com:80/x#y", "ollama.com:80"),
        ("https://[2001:db8::1]:443/", "[2001:db8::1]:443"),
        ("ollama.com/api", "ollama.com"),
        ("*.deepseek.com", "deepseek.com"),
        ("192.0.2.0/24", "192.0.2.0"),
        ("fe80::1%eth0", "fe80::1"),
        ("somebody@acme.example", "acme.example"),
        (" ollama.com\n", "ollama.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("https://bücher.example:443/", "xn--bcher-kva.example:443"),
    ],
)
def test_a_place_is_found_within_what_was_pasted(text: str, place: str) -> None:
    assert place_within(text) == place


@pytest.mark.parametrize(
    "text",
    ["", "-", "a b", "8.8.8", "256.1.1.1", "https://", "ä" * 300, "https://a b/", "ollama.com"],
)
def test_what_holds_no_other_place_gives_none(text: str) -> None:
    assert place_within(text) is None


def test_a_name_that_two_standards_write_in_two_ways_is_not_guessed() -> None:
    assert place_within("straße.example") is None


def test_more_than_anybody_pastes_is_not_looked_at() -> None:
    assert place_within("https://ollama.com/" + "x" * LONGEST) is None
