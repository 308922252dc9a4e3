"""The published schemas: equal to their files, and true of what is published."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from egress_audit.model.audit import Audit
from egress_audit.model.destination import Absent
from egress_audit.model.flow import FlowOwner
from egress_audit.model.run import Role
from egress_audit.report.beside import Envelope
from egress_audit.report.document import json_text
from egress_audit.report.flow_records import flow_record
from egress_audit.report.schema import audit_schema, flow_schema, schema_text
from scripts.write_schema import FILES, FOLDER
from tests.builders.audit_parts import ALIBABA, HUB_NAME, flow
from tests.builders.audits import asserted_silence, far_and_wide, hub_lookup, silent_capture

ENVELOPE = Envelope("0.1.0", ("capture.pcap",))
SAMPLES = [hub_lookup(), silent_capture(), asserted_silence(), far_and_wide()]


def audit_validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema_text(audit_schema())))


def sample_document() -> Any:
    return json.loads(json_text(hub_lookup(), envelope=ENVELOPE))


@pytest.mark.parametrize("name", FILES)
def test_the_file_is_what_the_dataclasses_make(name: str) -> None:
    written = (FOLDER / name).read_text(encoding="utf-8")
    assert written == schema_text(FILES[name]()), "run scripts/write_schema.py"


@pytest.mark.parametrize("name", FILES)
def test_a_schema_is_valid_itself(name: str) -> None:
    Draft202012Validator.check_schema(json.loads(schema_text(FILES[name]())))


@pytest.mark.parametrize("audit", SAMPLES, ids=lambda audit: audit.verdict)
def test_every_sample_document_validates(audit: Audit) -> None:
    audit_validator().validate(json.loads(json_text(audit, envelope=ENVELOPE)))


@pytest.mark.parametrize("part", ["envelope", "audit"])
def test_a_field_that_nobody_declared_is_refused(part: str) -> None:
    record = sample_document()
    record[part]["surprise"] = 1
    with pytest.raises(ValidationError, match="surprise"):
        audit_validator().validate(record)


def test_a_missing_field_is_refused() -> None:
    record = sample_document()
    del record["audit"]["verdict"]
    with pytest.raises(ValidationError, match="verdict"):
        audit_validator().validate(record)


@pytest.mark.parametrize("value", [None, "not-found", {"absent": "because"}])
def test_an_absence_must_give_one_of_its_reasons(value: object) -> None:
    record = sample_document()
    record["audit"]["coverage"]["drops"] = value
    assert not audit_validator().is_valid(record)


def test_a_document_of_another_version_is_refused() -> None:
    record = sample_document() | {"schema": "egress-audit/audit/2"}
    assert not audit_validator().is_valid(record)


def test_a_field_is_described_by_the_string_below_it() -> None:
    properties = json.loads(schema_text(flow_schema()))["properties"]
    assert properties["proto"]["description"] == "IANA protocol number."


@pytest.mark.parametrize("destination", [ALIBABA, Absent.NOT_APPLICABLE])
def test_a_flow_record_validates(destination: Any) -> None:
    validator = Draft202012Validator(json.loads(schema_text(flow_schema())))
    for owner in (FlowOwner(7, "/bin/sh", Role.TARGET, "seccomp"), Absent.NOT_FOUND):
        validator.validate(flow_record(flow(), (HUB_NAME,), destination, owner))
        validator.validate(flow_record(flow(), (), destination, owner))
