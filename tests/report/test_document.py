"""The one document as JSON."""

import json
from dataclasses import replace
from typing import Any
from unicodedata import category

import pytest

from egress_audit.model.audit import Audit
from egress_audit.model.claim import Question
from egress_audit.report.answers import answers
from egress_audit.report.beside import Envelope
from egress_audit.report.document import json_text, shown_json
from egress_audit.report.plain import plain
from tests.builders.audits import asserted_silence, far_and_wide, hub_lookup, silent_capture

ENVELOPE = Envelope("0.1.0", ("capture.pcap",))
SAMPLES = [hub_lookup(), silent_capture(), asserted_silence(), far_and_wide()]


def document(audit: Audit, envelope: Envelope = ENVELOPE) -> dict[str, Any]:
    """The whole document as plain data."""
    whole: dict[str, Any] = json.loads(json_text(audit, envelope=envelope))
    return whole


@pytest.mark.parametrize("audit", SAMPLES, ids=lambda audit: audit.verdict)
def test_the_document_holds_the_audit(audit: Audit) -> None:
    assert document(audit)["audit"] == plain(audit)


@pytest.mark.parametrize("audit", SAMPLES, ids=lambda audit: audit.verdict)
def test_the_text_is_indented_as_any_json(audit: Audit) -> None:
    assert json_text(audit, envelope=ENVELOPE) == shown_json(document(audit))


ASKED = (Question("Where does it go?", "located"), Question("For how long?", "cannot", "Ask."))


def test_the_questions_of_a_profile_are_answered_in_the_document() -> None:
    audit = hub_lookup()
    asking = replace(audit, claim=replace(audit.claim, questions=ASKED))
    whole = document(asking)
    assert whole["answers"] == plain(answers(asking))
    assert [told["ask"] for told in whole["answers"]] == [asked.ask for asked in ASKED]
    assert whole["answers"][1]["answered"] == "not"


def test_a_profile_without_questions_has_no_answers() -> None:
    assert "answers" not in document(hub_lookup())


def test_the_envelope_names_tool_version_engine_and_inputs() -> None:
    assert document(hub_lookup())["envelope"] == {
        "tool": "egress-audit",
        "version": "0.1.0",
        "engine": "numpy",
        "inputs": ["capture.pcap"],
    }


def test_the_text_ends_in_a_newline() -> None:
    assert json_text(hub_lookup(), envelope=ENVELOPE).endswith("}\n")


@pytest.mark.parametrize("obeyed", ["\x1b[2J", "\x7f", "\x9b2J", "\u202e", "\u2066", "\u2028"])
def test_what_a_terminal_would_obey_is_escaped_and_comes_back(obeyed: str) -> None:
    audit = replace(hub_lookup(), headline=obeyed)
    text = json_text(audit, envelope=ENVELOPE)
    assert obeyed not in text
    assert json.loads(text)["audit"]["headline"] == obeyed


def test_a_file_name_that_is_no_utf_8_can_be_written() -> None:
    text = json_text(hub_lookup(), envelope=Envelope("0.1.0", ("\\\udcff.pcap",)))
    assert text.encode("utf-8")
    assert json.loads(text)["envelope"]["inputs"] == ["\\\udcff.pcap"]


@pytest.mark.parametrize(
    "hidden", ["\u200b", "\U000e0041", "\u00ad", "\ufeff", "\ue000", "\U0010fffd"]
)
def test_what_a_file_name_hides_is_shown_and_comes_back(hidden: str) -> None:
    text = json_text(hub_lookup(), envelope=Envelope("0.1.0", (f"a{hidden}.pcap",)))
    assert hidden not in text
    assert json.loads(text)["envelope"]["inputs"] == [f"a{hidden}.pcap"]


def test_every_character_that_does_nothing_but_steer_or_hide_is_escaped() -> None:
    hidden = {c for c in map(chr, range(0x110000)) if category(c) in {"Cf", "Cs", "Co"}}
    text = json_text(hub_lookup(), envelope=Envelope("0.1.0", tuple(sorted(hidden))))
    assert not hidden & set(text)


def test_names_beyond_ascii_stay_readable() -> None:
    audit = replace(hub_lookup(), subject="Müllers 模型")
    assert "Müllers 模型" in json_text(audit, envelope=ENVELOPE)


def test_an_audit_does_not_depend_on_its_envelope() -> None:
    other = replace(ENVELOPE, inputs=("another.pcap",))
    assert document(hub_lookup(), other)["audit"] == plain(hub_lookup())
    assert "another.pcap" not in str(plain(hub_lookup()))


def test_the_bytes_of_an_audit_do_not_depend_on_the_order_of_a_mapping() -> None:
    audit = hub_lookup()
    asked = audit.observations[1]
    turned = replace(asked, questions=dict(reversed(list(asked.questions.items()))))
    assert list(turned.questions) != list(asked.questions)
    other = replace(audit, observations=(audit.observations[0], turned))
    assert json_text(other, envelope=ENVELOPE) == json_text(audit, envelope=ENVELOPE)


def test_another_verdict_gives_another_document() -> None:
    assert plain(silent_capture()) != plain(asserted_silence())
