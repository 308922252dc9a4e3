"""The JSON Schemas of what is published, made from the dataclasses: they cannot drift apart.

Source: JSON Schema draft 2020-12. Every object is closed, every field required: a reader that
meets a field it does not know is reading another version.
"""

import ast
import inspect
import json
import textwrap
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import EnumType
from ipaddress import IPv4Network, IPv6Network
from types import UnionType
from typing import Union, get_args, get_origin, get_type_hints

from egress_audit.model.audit import Audit
from egress_audit.model.destination import Absent, Destination
from egress_audit.model.flow import Flow, FlowOwner, Name
from egress_audit.report.answers import Answer
from egress_audit.report.beside import AddressLabel, Envelope, FrameOrigin
from egress_audit.report.document import SCHEMA
from egress_audit.report.plain import Plain
from egress_audit.report.summary import Summary
from egress_audit.report.summary_formats import SCHEMA as AUDITS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
AUDIT_ID = "urn:egress-audit:schema:audit:1"
AUDITS_ID = "urn:egress-audit:schema:audits:1"
FLOW_ID = "urn:egress-audit:schema:flow:1"

Schema = dict[str, Plain]

_SCALARS: dict[object, Schema] = {
    # bool before int in name only: JSON Schema knows them apart, Python does not.
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    str: {"type": "string"},
    IPv4Network: {"type": "string"},
    IPv6Network: {"type": "string"},
}


NAME_FIELDS = ("host", "source", "frame", "outer")
"""What a flow record holds of each name."""


def audit_schema() -> Schema:
    """The schema of the document that `--format json` writes."""
    definitions: dict[str, Schema] = {}
    head = _head(AUDIT_ID, "An audit by egress-audit, in its envelope")
    return {**head, **_document(definitions), "$defs": _sorted(definitions)}


def audits_schema() -> Schema:
    """The schema of what `--format json` writes for several captures."""
    definitions: dict[str, Schema] = {}
    properties: Schema = {
        "schema": {"const": AUDITS},
        "envelope": _reference(Envelope, definitions),
        "summary": _reference(Summary, definitions),
        "audits": {"type": "array", "items": _document(definitions)},
    }
    head = _head(AUDITS_ID, "Several captures, each judged by egress-audit, with a summary")
    return {**head, **_closed_object(properties), "$defs": _sorted(definitions)}


def _document(definitions: dict[str, Schema]) -> Schema:
    """One audit in its envelope, and what may stand beside it."""
    properties: Schema = {
        "schema": {"const": SCHEMA},
        "envelope": _reference(Envelope, definitions),
        "audit": _reference(Audit, definitions),
    }
    optional: Schema = {
        "answers": _schema_of(tuple[Answer, ...], definitions)
        | {"description": "Of each question of the profile, in its order, if it asks any."},
        "frame_origins": _schema_of(tuple[FrameOrigin, ...], definitions)
        | {"description": "Of each frame that a finding cites, if captures were merged."},
        "labels": _schema_of(tuple[AddressLabel, ...], definitions)
        | {"description": "What the user calls addresses, if names were given; no evidence."},
    }
    return {**_closed_object(properties), "properties": properties | optional}


def flow_schema() -> Schema:
    """The schema of one line that `--flows` writes."""
    definitions: dict[str, Schema] = {}
    name = _properties(Name, definitions)
    properties: Schema = {
        **_properties(Flow, definitions),
        "names": {
            "type": "array",
            "items": _closed_object({key: name[key] for key in NAME_FIELDS}),
        },
        "destination": _schema_of(Destination | Absent, definitions),
        "owner": _schema_of(FlowOwner | Absent, definitions),
    }
    head = _head(FLOW_ID, "One flow, with its names, its destination and the process behind it")
    return {**head, **_closed_object(properties), "$defs": _sorted(definitions)}


def schema_text(schema: Schema) -> str:
    """A schema as the file in docs/schema holds it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _head(identifier: str, title: str) -> Schema:
    return {"$schema": DIALECT, "$id": identifier, "title": title}


def _sorted(definitions: dict[str, Schema]) -> Plain:
    return {name: definitions[name] for name in sorted(definitions)}


def _closed_object(properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _schema_of(hint: object, definitions: dict[str, Schema]) -> Schema:
    """The schema of one type; what has a name goes into `definitions` and is referred to."""
    if hint in _SCALARS:
        return dict(_SCALARS[hint])
    if isinstance(hint, EnumType) or is_dataclass(hint):
        return _reference(hint, definitions)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _any_of([_schema_of(argument, definitions) for argument in arguments])
    if origin in (tuple, frozenset):
        return {"type": "array", "items": _schema_of(arguments[0], definitions)}
    if origin is Mapping:
        key, value = (_schema_of(argument, definitions) for argument in arguments)
        return {"type": "object", "propertyNames": key, "additionalProperties": value}
    raise TypeError(f"no schema for {hint!r}")


def _any_of(schemas: list[Schema]) -> Schema:
    """One of several; networks of both versions are one and the same string."""
    different: list[Plain] = []
    for schema in schemas:
        if schema not in different:
            different.append(schema)
    return {"anyOf": different} if len(different) > 1 else schemas[0]


def _reference(type_: object, definitions: dict[str, Schema]) -> Schema:
    """A reference to a named type, whose definition is added if it is not there yet."""
    assert isinstance(type_, type)
    name = type_.__name__
    if name not in definitions:
        body = _body(type_, definitions)
        definitions[name] = {"description": inspect.getdoc(type_) or "", **body}
    return {"$ref": f"#/$defs/{name}"}


def _body(type_: type, definitions: dict[str, Schema]) -> Schema:
    if not isinstance(type_, EnumType):
        return _closed_object(_properties(type_, definitions))
    words: Schema = {"enum": list(type_.__members__.values())}
    return _closed_object({"absent": words}) if type_ is Absent else words


def _properties(type_: type, definitions: dict[str, Schema]) -> Schema:
    """The fields of a dataclass in their order, each with its description if it has one."""
    hints, descriptions = get_type_hints(type_), _field_docstrings(type_)
    return {
        field.name: _schema_of(hints[field.name], definitions) | descriptions.get(field.name, {})
        for field in fields(type_)
    }


def _field_docstrings(type_: type) -> dict[str, Schema]:
    """The string below each field, as the source of the dataclass has it."""
    body = ast.parse(textwrap.dedent(inspect.getsource(type_))).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, Schema] = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = {"description": inspect.cleandoc(text)}
    return found
