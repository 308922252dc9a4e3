"""A source whose facts are amended yields the frames of its source, and closes it."""

import io
from dataclasses import replace

from egress_audit.capture.amended import AmendedSource
from egress_audit.capture.source import source_of
from egress_audit.capture.window import Window
from tests.builders.captures import Frame, pcap
from tests.builders.engine import opened

CAPTURE = pcap([Frame(0, b"a"), Frame(0, b"b")])


def test_the_frames_are_those_of_the_source() -> None:
    source = AmendedSource(opened(CAPTURE), lambda facts: facts)
    assert sum(len(batch) for batch in source) == 2


def test_what_is_amended_are_the_facts_at_the_end() -> None:
    source = AmendedSource(opened(CAPTURE), lambda facts: replace(facts, frames=facts.frames + 1))
    assert sum(len(batch) for batch in source) == 2
    assert source.facts().frames == 3


def test_who_closes_it_closes_the_input() -> None:
    stream = io.BytesIO(CAPTURE)
    source = source_of("capture", Window(stream))
    assert source is not None
    AmendedSource(source, lambda facts: facts).close()
    assert stream.closed
