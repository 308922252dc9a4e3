"""Writes docs/schema/*.json from the dataclasses; a test holds the files to what this writes."""

from pathlib import Path

from egress_audit.report.schema import audit_schema, audits_schema, flow_schema, schema_text

FOLDER = Path(__file__).parent.parent / "docs" / "schema"

FILES = {
    "audit-1.json": audit_schema,
    "audits-1.json": audits_schema,
    "flow-1.json": flow_schema,
}


def main() -> None:
    """Writes every file of `FILES`."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, schema in FILES.items():
        (FOLDER / name).write_text(schema_text(schema()), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
