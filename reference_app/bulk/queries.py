"""Asking for bulk operations and looking how they get on."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, LiteralString

import msgspec

from reference_app.bulk.values import BulkOperation, Kind, operation_of
from reference_app.listing import Listing, NewestFirst
from reference_app.own_rows import OwnRows
from reference_app.session import Session

WAITING_MAX = 10
"""Unfinished operations of one tenant. With 500 items each that is more than a big school has
pupils; who asks for more gets 429 and comes back."""

_COLUMNS: LiteralString = """id, kind, status, total, done, failed, failures, error, created_at,
       started_at, finished_at"""

OPERATIONS = Listing(
    name="bulk_operations",
    path="/api/bulk",
    source="bulk_operations r",
    scope="r.requested_by = %(owner)s",
    columns="""r.id, r.kind, r.status, r.total, r.done, r.failed, r.failures, r.error,
       r.created_at, r.started_at, r.finished_at""",
    row=operation_of,
    order=NewestFirst("created_at", datetime),
    conditions={"status": "r.status = %(status)s"},
)

OPERATION = OwnRows(
    name="bulk_operation",
    table="bulk_operations",
    scope="requested_by = %(owner)s",
    columns=_COLUMNS,
    row=operation_of,
    spoken="bulk operation",
)

# Those who ask at the same time wait for one another, or each would count without the others.
_TURN: LiteralString = """/* wait_for_bulk_queue */
SELECT pg_advisory_xact_lock(
    hashtext('bulk_operations'), hashtext(coalesce(%(group)s::uuid::text, 'office')))"""

_ASK: LiteralString = (
    """/* ask_in_bulk */
INSERT INTO bulk_operations (id, school_group_id, requested_by, kind, items, total)
SELECT %(id)s, %(group)s::uuid, %(owner)s, %(kind)s, %(items)s::jsonb,
       jsonb_array_length(%(items)s::jsonb)
WHERE (SELECT count(*) FROM bulk_operations
       WHERE school_group_id IS NOT DISTINCT FROM %(group)s::uuid
         AND status IN ('pending', 'processing')) < %(most)s
RETURNING """
    + _COLUMNS
)


async def ask_in_bulk(session: Session, kind: Kind, items: Any) -> BulkOperation | None:
    """Put an operation into the queue; None when the tenant has too many there already.

    Args:
        items: What is to be done, one JSON object each.
    """
    return await session.first(
        _ASK,
        {
            "id": uuid.uuid4(),
            "group": session.tenant_id,
            "owner": session.user_id,
            "kind": kind,
            "items": msgspec.json.encode(items).decode(),
            "most": WAITING_MAX,
        },
        operation_of,
        before=_TURN,
    )
