"""The log of errors that clients met (B-93, B-95)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from reference_app.listing import Listing, NewestFirst
from reference_app.session import Session


class LoggedError(msgspec.Struct, frozen=True):
    """An error that somebody met, in their words or their program's."""

    id: UUID
    timestamp: datetime
    source: str
    message: str
    user_id: UUID | None
    request_id: str


class Logged(msgspec.Struct, frozen=True):
    """Under what number an error was written down."""

    id: UUID
    timestamp: datetime


ERRORS = Listing(
    name="errors",
    path="/api/errors",
    source="error_logs r",
    # support sees everybody's; the route and the policy ask for the role
    scope="true",
    columns="r.id, r.timestamp, r.source, r.message, r.user_id, r.request_id",
    row=LoggedError,
    order=NewestFirst("timestamp", datetime),
    conditions={"source": "r.source = %(source)s", "user_id": "r.user_id = %(user_id)s"},
)


async def log_error(
    session: Session, error_id: UUID, *, source: str, message: str, request_id: str
) -> Logged:
    """Write an error of the signed-in account down.

    Not INSERT ... RETURNING: who reports may read nothing of the log, not even what it just wrote.
    """
    logged = await session.first(
        """/* log_error */
        WITH written AS (
            INSERT INTO error_logs (id, "timestamp", source, message, user_id, request_id)
            VALUES (%(id)s, now(), %(source)s, %(message)s, %(user_id)s, %(request_id)s)
        )
        SELECT %(id)s::uuid, now()""",
        {
            "id": error_id,
            "source": source,
            "message": message,
            "user_id": session.user_id,
            "request_id": request_id,
        },
        Logged,
    )
    assert logged is not None, "a SELECT without FROM gives one row"
    return logged
