"""Endpoints of a group, and what became of their deliveries."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from reference_app.listing import Listing, NewestFirst
from reference_app.own_rows import OwnRows
from reference_app.session import Session
from reference_app.webhooks.sender import Outcome
from reference_app.webhooks.values import Attempt, Delivery, Endpoint, EventType

ENDPOINTS_MAX = 10
"""Of one group: each event is sent to all of them."""

_COLUMNS: LiteralString = """id, url, types, is_active, secret_version, verified_at, created_at,
       updated_at"""

ENDPOINTS = Listing(
    name="webhook_endpoints",
    path="/api/webhooks",
    source="webhook_endpoints r",
    scope="r.school_group_id = %(group)s",
    columns="""r.id, r.url, r.types, r.is_active, r.secret_version, r.verified_at, r.created_at,
       r.updated_at""",
    row=Endpoint,
    order=NewestFirst("created_at", datetime),
)

ENDPOINT = OwnRows(
    name="webhook_endpoint",
    table="webhook_endpoints",
    scope="school_group_id = %(group)s",
    columns=_COLUMNS,
    row=Endpoint,
    changeable=("url", "types", "is_active", "verified_at"),
    touched=("updated_at = now()",),
    spoken="webhook endpoint",
)

_DELIVERY: LiteralString = """r.id, r.event_id, e.type, r.endpoint_id, r.redelivery_of, r.status,
       r.attempts, r.available_at, r.created_at, r.finished_at, r.last_status, r.last_error"""

DELIVERIES = Listing(
    name="webhook_deliveries",
    path="/api/webhooks/deliveries",
    source="webhook_deliveries r JOIN webhook_events e ON e.id = r.event_id",
    scope="r.school_group_id = %(group)s",
    columns=_DELIVERY,
    row=Delivery,
    order=NewestFirst("created_at", datetime),
    conditions={
        "endpoint_id": "r.endpoint_id = %(endpoint_id)s",
        "event_id": "r.event_id = %(event_id)s",
        "status": "r.status = %(status)s",
    },
)

_ATTEMPTS: LiteralString = """/* list_webhook_attempts */
SELECT id, at, attempt, status, duration_ms, error
FROM webhook_attempts WHERE delivery_id = %(id)s AND school_group_id = %(group)s
ORDER BY at, id"""

_FIND_DELIVERY: LiteralString = f"""/* find_webhook_delivery */
SELECT {_DELIVERY}
FROM webhook_deliveries r JOIN webhook_events e ON e.id = r.event_id
WHERE r.id = %(id)s AND r.school_group_id = %(group)s"""

# Those who create at the same time wait for one another, or each would count without the others.
_TURN: LiteralString = """/* wait_for_webhook_endpoints */
SELECT pg_advisory_xact_lock(hashtext('webhook_endpoints'), hashtext(%(group)s::uuid::text))"""

_CREATE: LiteralString = f"""/* create_webhook_endpoint */
INSERT INTO webhook_endpoints (id, school_group_id, url, types)
SELECT %(id)s, %(group)s::uuid, %(url)s, %(types)s::text[]
WHERE (SELECT count(*) FROM webhook_endpoints WHERE school_group_id = %(group)s::uuid) < %(most)s
RETURNING {_COLUMNS}"""

_RENEW_SECRET: LiteralString = f"""/* renew_webhook_secret */
UPDATE webhook_endpoints SET secret_version = secret_version + 1, updated_at = now()
WHERE id = %(id)s AND school_group_id = %(group)s
RETURNING {_COLUMNS}"""

_LOG_TEST: LiteralString = """/* log_webhook_test */
WITH tested AS (
    UPDATE webhook_endpoints
    SET verified_at = CASE WHEN %(error)s::text IS NULL THEN now() ELSE verified_at END
    WHERE id = %(id)s AND school_group_id = %(group)s
    RETURNING id, school_group_id
)
INSERT INTO webhook_attempts (school_group_id, endpoint_id, attempt, status, duration_ms, error)
SELECT school_group_id, id, 1, %(status)s::smallint, %(duration_ms)s, %(error)s FROM tested
RETURNING id"""

# What is under way is not begun a second time; a row of its own says of which it is the repetition.
_REDELIVER: LiteralString = f"""/* redeliver_webhook */
WITH again AS (
    INSERT INTO webhook_deliveries (id, event_id, endpoint_id, school_group_id, redelivery_of)
    SELECT %(new_id)s, d.event_id, d.endpoint_id, d.school_group_id, d.id
    FROM webhook_deliveries d
    WHERE d.id = %(id)s AND d.school_group_id = %(group)s AND d.status IN ('delivered', 'failed')
    RETURNING *
)
SELECT {_DELIVERY} FROM again r JOIN webhook_events e ON e.id = r.event_id"""


async def create_endpoint(
    session: Session, url: str, types: Sequence[EventType]
) -> Endpoint | None:
    """A new endpoint; None when the group has as many as it may have."""
    return await session.first(
        _CREATE,
        {
            "id": uuid.uuid4(),
            "group": session.tenant_id,
            "url": url,
            "types": list(types),
            "most": ENDPOINTS_MAX,
        },
        Endpoint,
        before=_TURN,
    )


async def renew_secret(session: Session, endpoint_id: UUID) -> Endpoint | None:
    """The endpoint with a new secret; None when it is not the group's."""
    return await session.first(
        _RENEW_SECRET, {"id": endpoint_id, "group": session.tenant_id}, Endpoint
    )


async def log_test(session: Session, endpoint_id: UUID, outcome: Outcome) -> None:
    """Keep what came of a connectivity test."""
    await session.rows(
        _LOG_TEST,
        {
            "id": endpoint_id,
            "group": session.tenant_id,
            "status": outcome.status,
            "duration_ms": outcome.duration_ms,
            "error": outcome.error,
        },
        _nothing,
    )


async def find_delivery(session: Session, delivery_id: UUID) -> Delivery | None:
    """A delivery of the group."""
    return await session.first(
        _FIND_DELIVERY, {"id": delivery_id, "group": session.tenant_id}, Delivery
    )


async def list_attempts(session: Session, delivery_id: UUID) -> list[Attempt]:
    """What was tried for a delivery, oldest first."""
    return await session.rows(_ATTEMPTS, {"id": delivery_id, "group": session.tenant_id}, Attempt)


async def redeliver(session: Session, delivery_id: UUID) -> Delivery | None:
    """Put a delivery that has ended into the queue once more; None when there is none such."""
    return await session.first(
        _REDELIVER,
        {"id": delivery_id, "new_id": uuid.uuid4(), "group": session.tenant_id},
        Delivery,
    )


def _nothing(*_: object) -> None:
    return None
