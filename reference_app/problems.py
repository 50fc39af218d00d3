"""Errors as the client sees them: problem details (RFC 9457), never a traceback.

Every refusal of ours is a :class:`Problem`. Trouble with the database becomes 503 with
``Retry-After``, input PostgreSQL cannot store becomes 400; what is left is a bug of ours: it is
logged with its traceback and answered 500 without details.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
import psycopg
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from reference_app.log import without_secrets

MEDIA_TYPE = "application/problem+json"

RETRY_AFTER_S = 1
"""Long enough for a lost connection to be replaced, short enough not to add to an outage."""

_LITESTARS_CLIENT_GONE = "client disconnected prematurely"
"""Litestar raises a 500 for it, and nothing but these words tells it from the others."""

logger = logging.getLogger("reference_app")


class FieldError(msgspec.Struct, frozen=True):
    """One field that was not accepted, and why."""

    field: str
    message: str


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Body of every error (RFC 9457); ``errors`` only for input that was not accepted."""

    type: str
    title: str
    status: int
    detail: str = ""
    request_id: str = ""
    errors: tuple[FieldError, ...] = ()


class Problem(Exception):  # noqa: N818 - the name of RFC 9457
    """A refusal with everything its answer needs.

    Attributes:
        status: HTTP status.
        slug: Last part of ``type``, e.g. ``"limit-reached"``; a contract with clients.
        detail: What happened this time, for people.
        errors: Fields that were not accepted.
        extra: Further members of the body, by name.
        headers: Further headers.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        *,
        errors: tuple[FieldError, ...] = (),
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.detail = detail
        self.errors = errors
        self.extra = extra or {}
        self.headers = headers or {}


def not_found(what: str) -> Problem:
    """404: it does not exist, or belongs to somebody else; the answer does not tell which."""
    return Problem(HTTPStatus.NOT_FOUND, "not-found", f"{what} not found")


def invalid(*errors: FieldError) -> Problem:
    """400 with the fields that were not accepted."""
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "invalid-input",
        "; ".join(f"{error.field}: {error.message}" for error in errors),
        errors=errors,
    )


def unavailable() -> Problem:
    """503: the database does not answer, or all its connections are taken."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "database-unavailable",
        "the database cannot answer at the moment",
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


def _respond(request: Request[Any, Any, Any], problem: Problem) -> Response[dict[str, Any]]:
    details = ProblemDetails(
        type=f"/problems/{problem.slug}",
        title=HTTPStatus(problem.status).phrase,
        status=problem.status,
        detail=problem.detail,
        request_id=str(request.scope.get("state", {}).get("request_id", "")),
        errors=problem.errors,
    )
    return Response(
        {**msgspec.to_builtins(details), **problem.extra},
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=dict(problem.headers),
    )


def _on_problem(request: Request[Any, Any, Any], error: Problem) -> Response[dict[str, Any]]:
    return _respond(request, error)


def _on_http_exception(
    request: Request[Any, Any, Any], error: HTTPException
) -> Response[dict[str, Any]]:
    if error.detail == _LITESTARS_CLIENT_GONE:
        # Nobody reads the answer, but metrics would count a failure of ours that was none.
        return _respond(request, Problem(HTTPStatus.BAD_REQUEST, "incomplete-body", error.detail))
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _on_bug(request, error)
    errors: tuple[FieldError, ...] = ()
    slug = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    if isinstance(error, ValidationException):
        slug = "invalid-input"
        found = error.extra if isinstance(error.extra, list) else []
        errors = tuple(
            FieldError(str(item.get("key", "")), str(item.get("message", "")))
            for item in found
            if isinstance(item, dict)
        )
    return _respond(
        request,
        Problem(error.status_code, slug, error.detail, errors=errors, headers=error.headers or {}),
    )


def _on_database_trouble(
    request: Request[Any, Any, Any], error: psycopg.OperationalError
) -> Response[dict[str, Any]]:
    # One line without a traceback: during an outage there is one for every request.
    logger.warning("database unavailable: %s: %s", type(error).__name__, error)
    return _respond(request, unavailable())


def _on_bad_data(
    request: Request[Any, Any, Any], error: psycopg.DataError
) -> Response[dict[str, Any]]:
    # For example a NUL in a text: valid JSON, but nothing PostgreSQL can store.
    detail = error.diag.message_primary or str(error)
    return _respond(request, Problem(HTTPStatus.BAD_REQUEST, "invalid-input", detail))


def _on_deep_nesting(
    request: Request[Any, Any, Any], _: RecursionError
) -> Response[dict[str, Any]]:
    # Nothing of ours recurses; the JSON parser does, as deep as the client wants.
    return _respond(request, Problem(HTTPStatus.BAD_REQUEST, "invalid-input", "nested too deeply"))


def _on_bad_utf8(
    request: Request[Any, Any, Any], error: UnicodeDecodeError
) -> Response[dict[str, Any]]:
    # The JSON parser lets it through; we decode nothing else that a client sends.
    detail = f"not UTF-8: {error.reason} at byte {error.start} of a text"
    return _respond(request, Problem(HTTPStatus.BAD_REQUEST, "invalid-input", detail))


def _on_bug(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    path = without_secrets(request.url.path)
    logger.error("unexpected error: %s %s", request.method, path, exc_info=error)
    return _respond(
        request,
        Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", "an unexpected error"),
    )


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    Problem: _on_problem,
    HTTPException: _on_http_exception,
    psycopg.OperationalError: _on_database_trouble,
    psycopg.DataError: _on_bad_data,
    RecursionError: _on_deep_nesting,
    UnicodeDecodeError: _on_bad_utf8,
    Exception: _on_bug,
}
