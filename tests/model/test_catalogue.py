"""What an entry of the catalogue may be used for."""

from dataclasses import replace

from egress_audit.model.catalogue import Entry, Purpose, Verified

READ_IN_CODE = Entry(
    id="example-telemetry",
    vendor="Example",
    product="example",
    purpose=Purpose.TELEMETRY,
    source="example 1.0, telemetry.py",
    verified=Verified.CODE,
    confidence="high",
    example="telemetry.example.org",
)


def test_what_was_read_in_code_can_accuse() -> None:
    assert READ_IN_CODE.accuses


def test_what_rests_on_general_knowledge_labels_and_does_not_accuse() -> None:
    assert not replace(READ_IN_CODE, labels_only=True).accuses


def test_a_vendor_is_told_with_its_jurisdiction_if_that_is_known() -> None:
    assert replace(READ_IN_CODE, jurisdiction="SE").vendor_and_law == "Example (SE)"
    assert READ_IN_CODE.vendor_and_law == "Example"
