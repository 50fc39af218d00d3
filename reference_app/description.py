"""The OpenAPI description says what is true of every route: how it refuses, who may call it, and
whether its answers carry a tag.

Litestar describes a refusal in its own shape and every route as protected; ours answer problem
details (RFC 9457), and some are public.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import (
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Reference,
    Schema,
)
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

from reference_app.problems import MEDIA_TYPE, ProblemDetails

_COMPONENTS = "#/components/schemas/"


def describe_refusals(app: Litestar) -> None:
    """Correct the description of ``app``; its routes must be complete."""
    paths, components = app.openapi_schema.paths or {}, app.openapi_schema.components
    (problem, *_), schemas = msgspec.json.schema_components(
        [ProblemDetails], ref_template=_COMPONENTS + "{name}"
    )
    for schema in components.schemas.values():
        _describe_times(schema)
    # Litestar writes a plain mapping out as it is; only its type asks for a Schema.
    cast("dict[str, Any]", components.schemas).update(schemas)
    refusal = OpenAPIResponse(
        description="Any refusal: problem details (RFC 9457)",
        content={MEDIA_TYPE: OpenAPIMediaType(schema=Reference(ref=problem["$ref"]))},
    )
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            item = paths.get(route.path_format)
            if item is None or not isinstance(handler, HTTPRouteHandler):
                continue
            for method in handler.http_methods:
                operation = getattr(item, method.lower())
                if operation is None:
                    continue
                operation.responses.pop("400", None)
                operation.responses["default"] = refusal
                if handler.opt.get("conditional"):
                    _describe_tag(operation)
                if handler.opt.get("public"):
                    operation.security = []


def _describe_times(schema: Any) -> None:
    """A time of day is described by Litestar as a duration, and this application has none.

    OpenAPI's own format ``time`` is of no use either: it asks for an offset from UTC (RFC 3339),
    and a time at which guests arrive has none.
    """
    if not isinstance(schema, Schema):
        return
    if schema.format == OpenAPIFormat.DURATION:
        schema.format = None
        schema.description = "a time of day, such as 16:00:00"
    for inner in (*(schema.properties or {}).values(), *(schema.one_of or ()), schema.items):
        _describe_times(inner)


def _describe_tag(operation: Operation) -> None:
    text = Schema(type=OpenAPIType.STRING)
    tag = OpenAPIHeader(schema=text, description="Tag of the answer; weak when it is compressed")
    responses = operation.responses or {}
    answer = responses.get("200")
    if isinstance(answer, OpenAPIResponse):
        kept = Schema(type=OpenAPIType.STRING, enum=["hit", "miss"])
        answer.headers = {
            **(answer.headers or {}),
            "ETag": tag,
            "X-Cache": OpenAPIHeader(
                schema=kept,
                description="Whether the answer was kept from before; only with a cache",
            ),
        }
    responses["304"] = OpenAPIResponse(
        description="The client has this answer: its If-None-Match names the tag",
        headers={"ETag": tag},
    )
