"""The JSON Schema of tiers.yaml, made from the same classes the reader uses.

``python -m palier.model.jsonschema`` writes ``tiers.schema.json``; editors complete and check
tiers.yaml with it. Rules between fields and references are the reader's alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from palier.model.bounds import Bounds
from palier.model.document import CatalogueText
from palier.model.reading import ID
from palier.model.shape import (
    ById,
    Field,
    ListOf,
    Number,
    Record,
    Shape,
    Table,
    Text,
    Truth,
    Words,
    record_of,
)

SCHEMA_FILE = Path("tiers.schema.json")

JsonSchema = dict[str, Any]


def make_schema() -> JsonSchema:
    """The schema as a JSON value; the same classes give the same schema."""
    definitions: dict[str, JsonSchema] = {}
    root = _record(record_of(CatalogueText), definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tiers.yaml of Palier",
        "$ref": root["$ref"],
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text() -> str:
    """The content of ``tiers.schema.json``."""
    return json.dumps(make_schema(), indent=2, ensure_ascii=False) + "\n"


def _schema(shape: Shape, definitions: dict[str, JsonSchema]) -> JsonSchema:
    match shape:
        case Number():
            kind = "integer" if shape.whole else "number"
            return {"type": kind} | _limits(shape.bounds)
        case Text():
            return {"type": "string"}
        case Truth():
            return {"type": "boolean"}
        case Words():
            return {"enum": list(shape.words)}
        case ListOf():
            return {"type": "array", "items": _schema(shape.item, definitions)}
        case Table():
            return _mapping(shape.value, definitions) | {"propertyNames": _names(shape.key)}
        case ById():
            return _mapping(shape.record, definitions) | {
                "propertyNames": {"pattern": f"^{ID.pattern}$"}
            }
        case Record():
            return _record(shape, definitions)


def _mapping(value: Shape, definitions: dict[str, JsonSchema]) -> JsonSchema:
    if isinstance(value, Record):
        reference = _record(value, definitions, keyed=True)
        return {"type": "object", "additionalProperties": reference}
    return {"type": "object", "additionalProperties": _schema(value, definitions)}


def _names(key: Shape) -> JsonSchema:
    return {"enum": list(key.words)} if isinstance(key, Words) else {"type": "string"}


def _record(
    record: Record, definitions: dict[str, JsonSchema], *, keyed: bool = False
) -> JsonSchema:
    """A reference to the record's definition; its id is the key above it when ``keyed``."""
    name = record.name.removesuffix("Text")
    if name not in definitions:
        definitions[name] = {}  # the name is taken while the fields are being described
        fields = [one for one in record.fields if not (keyed and one.name == "id")]
        definitions[name] = {
            "type": "object",
            "description": record.help.replace("``", "`"),
            "properties": {one.name: _field(one, definitions) for one in fields},
            "required": [one.name for one in fields if one.required],
            "additionalProperties": False,
        }
    return {"$ref": f"#/$defs/{name}"}


def _field(one: Field, definitions: dict[str, JsonSchema]) -> JsonSchema:
    schema = _schema(one.shape, definitions)
    if one.nullable:
        schema = {"anyOf": [schema, {"type": "null"}]}
    if one.help:
        schema["description"] = one.help
    if isinstance(one.default, str | int | float) and one.default != "":
        schema["default"] = one.default
    return schema


def _limits(bounds: Bounds | None) -> JsonSchema:
    if bounds is None:
        return {}
    limits = {
        "exclusiveMinimum": bounds.above,
        "minimum": bounds.at_least,
        "exclusiveMaximum": bounds.below,
        "maximum": bounds.at_most,
    }
    return {name: limit for name, limit in limits.items() if limit is not None}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the schema to the file given, or to ``tiers.schema.json``."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    path = Path(given[0]) if given else SCHEMA_FILE
    path.write_text(schema_text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
