"""The formats of a report."""

import json

import pytest

from egress_audit.report.beside import Envelope
from egress_audit.report.renderers import RENDERERS, Presentation
from tests.builders.audits import hub_lookup


def rendered(word: str, presentation: Presentation) -> str:
    return "".join(RENDERERS[word](hub_lookup(), presentation))


PRESENTATION = Presentation(Envelope("0.1.0", ("a.pcap", "b.pcap")))


def test_the_formats_are_those_of_the_manual() -> None:
    assert set(RENDERERS) == {"text", "json", "markdown"}


@pytest.mark.parametrize("word", RENDERERS)
def test_every_format_gives_the_verdict_and_ends_in_one_newline(word: str) -> None:
    text = rendered(word, PRESENTATION)
    assert "VIOLATED" in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_json_is_json() -> None:
    assert json.loads(rendered("json", PRESENTATION))["audit"]["verdict"] == "VIOLATED"


def test_several_captures_are_all_named() -> None:
    assert "a.pcap, b.pcap" in rendered("text", PRESENTATION).splitlines()[0]


def test_colour_and_width_reach_the_terminal_only() -> None:
    loud = Presentation(PRESENTATION.envelope, colour=True, width=80)
    assert "\x1b[" in rendered("text", loud)
    for word in ("json", "markdown"):
        assert rendered(word, loud) == rendered(word, PRESENTATION)
