"""A summary in each format."""

import json
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator

from egress_audit.report.beside import Envelope
from egress_audit.report.document import json_text
from egress_audit.report.safe_text import width_of
from egress_audit.report.schema import audits_schema, schema_text
from egress_audit.report.summary import SetAside, row_of, row_without_audit, summary_of
from egress_audit.report.summary_formats import summary_json, summary_markdown, summary_text
from tests.builders.audits import far_and_wide, hub_lookup, silent_capture

AUDITS = [silent_capture(), hub_lookup(), far_and_wide()]
NAMES = [
    "mute.pcap",
    "a-capture-with-a-rather-long-name-of-its-own-which-goes-on.pcap",
    "\x1b[2J|`",
]
ROWS = [
    *(row_of(name, audit) for name, audit in zip(NAMES, AUDITS, strict=True)),
    row_without_audit("cut.pcap", "is empty: it has no capture header"),
]
SUMMARY = summary_of(ROWS, [SetAside("folder/notes.txt", "text")])
ENVELOPE = Envelope("0.1.0", (*NAMES, "cut.pcap"))
DOCUMENTS = [json_text(audit, envelope=Envelope("0.1.0", ("x",))) for audit in AUDITS]


@pytest.mark.parametrize("width", [20, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    text = summary_text(SUMMARY, claim="offline", width=width)
    assert max(map(width_of, text.splitlines())) <= max(width, 80)


def test_every_capture_stands_in_the_table_and_has_its_own_line() -> None:
    text = summary_text(SUMMARY, claim="offline")
    assert text.startswith('VIOLATED  "offline"  4 captures\n')
    assert text.count("mute.pcap") == text.count("cut.pcap") == 2
    assert "    is empty: it has no capture header" in text
    assert "folder/notes.txt" in text


def test_what_was_not_judged_is_told_by_kind_and_counted() -> None:
    aside = [SetAside(f"f/{n}.txt", "text") for n in range(30)] + [SetAside("f/x", "a JSON file")]
    text = summary_text(replace(SUMMARY, set_aside=tuple(aside)), claim="offline")
    flat = " ".join(text.split())
    assert "30 files: f/0.txt, f/1.txt" in flat
    assert "and 10 more" in flat
    assert "a JSON file f/x" in flat


def test_nothing_in_a_name_is_obeyed() -> None:
    assert "\x1b" not in summary_text(SUMMARY, claim="offline")
    assert "\\|\\`" in summary_markdown(SUMMARY, claim="offline")


def test_colour_changes_no_word() -> None:
    loud = summary_text(SUMMARY, claim="offline", colour=True)
    assert "\x1b[1;31mVIOLATED\x1b[0m" in loud
    for code in ("\x1b[1;31m", "\x1b[1;33m", "\x1b[1m", "\x1b[0m"):
        loud = loud.replace(code, "")
    assert loud == summary_text(SUMMARY, claim="offline")


def test_markdown_has_a_table_and_a_list() -> None:
    lines = summary_markdown(SUMMARY, claim="offline").splitlines()
    assert lines[0] == "# VIOLATED “offline” 4 captures"
    assert "| mute.pcap | INCONCLUSIVE | 0 |" in "\n".join(lines)
    assert "| cut.pcap | NO AUDIT |  |  |  |  |" in lines


def test_json_holds_what_its_schema_says() -> None:
    whole = json.loads(summary_json(SUMMARY, DOCUMENTS, envelope=ENVELOPE))
    Draft202012Validator(json.loads(schema_text(audits_schema()))).validate(whole)
    assert whole["audits"] == [json.loads(document) for document in DOCUMENTS]
    rows = whole["summary"]["captures"]
    assert [row["audit"] for row in rows] == [0, 1, 2, {"absent": "not-applicable"}]


def test_json_is_laid_out_as_if_it_were_written_at_once() -> None:
    text = summary_json(SUMMARY, DOCUMENTS, envelope=ENVELOPE)
    at_once = json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
    assert text.replace("\\u001b", "\\x1b") == at_once.replace("\\u001b", "\\x1b")


def test_where_nothing_was_judged_there_are_no_documents() -> None:
    none = summary_of([row_without_audit("x", "is empty")])
    whole = json.loads(summary_json(none, [], envelope=Envelope("0.1.0", ("x",))))
    assert (whole["audits"], whole["summary"]["exit_code"]) == ([], 12)
