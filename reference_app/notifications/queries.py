"""Notices to an account (B-94): unread ones first, newest first."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from reference_app.listing import Listing, NewestFirst
from reference_app.session import Session

Kind = Literal["reservation", "hour_request", "feedback", "sync", "system"]


class Notification(msgspec.Struct, frozen=True):
    """What somebody should know; ``read_at`` is null until it was read."""

    id: UUID
    kind: Kind
    title: str
    body: str
    is_read: bool
    created_at: datetime
    read_at: datetime | None


NOTIFICATIONS = Listing(
    name="notifications",
    path="/api/notifications",
    source="notifications r",
    scope="r.user_id = %(owner)s",
    columns="r.id, r.kind, r.title, r.body, r.is_read, r.created_at, r.read_at",
    row=Notification,
    order=NewestFirst("created_at", datetime, flag="is_read"),
    conditions={"is_read": "r.is_read = %(is_read)s", "kind": "r.kind = %(kind)s"},
)


async def mark_read(session: Session, notification_id: UUID) -> Notification | None:
    """Mark a notice as read, the first time; None when it is not this account's."""
    return await session.first(
        """/* mark_notification_read */
        UPDATE notifications SET is_read = true, read_at = coalesce(read_at, now())
        WHERE id = %(id)s AND user_id = %(owner)s
        RETURNING id, kind, title, body, is_read, created_at, read_at""",
        {"id": notification_id, "owner": session.user_id},
        Notification,
    )


async def mark_all_read(session: Session) -> int:
    """Mark every unread notice of this account as read; how many there were.

    A notice that arrives meanwhile stays unread: nobody has seen it.
    """
    marked = await session.rows(
        """/* mark_all_notifications_read */
        UPDATE notifications SET is_read = true, read_at = now()
        WHERE user_id = %(owner)s AND NOT is_read
        RETURNING id""",
        {"owner": session.user_id},
        lambda notification_id: notification_id,
    )
    return len(marked)
