"""The owner's side: sheets, hour requests, feedback. Every statement names the owner itself."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from reference_app.guests.values import Feedback, HourRequest, NewSheet, Sheet
from reference_app.listing import Listing, NewestFirst
from reference_app.session import Session, token_sha256

DAYS_AFTER = 7
"""Life of a sheet after the later of departure and the day it was handed out (decision 0032)."""

SHEETS = Listing(
    name="sheets",
    path="/api/sheets",
    source="client_access_tokens r",
    scope="r.owner_user_id = %(owner)s",
    columns="""r.id, r.reservation_id, r.gite_id, r.scope, r.created_at, r.expires_at,
       r.revoked_at""",
    row=Sheet,
    order=NewestFirst("created_at", datetime),
    conditions={"reservation_id": "r.reservation_id = %(reservation_id)s"},
)

HOUR_REQUESTS = Listing(
    name="hour_requests",
    path="/api/hour-requests",
    source="hour_requests r",
    scope="r.owner_user_id = %(owner)s",
    columns="""r.id, r.reservation_id, r.gite_id, r.heure_arrivee, r.heure_depart, r.message,
       r.status, r.created_at, r.decided_at""",
    row=HourRequest,
    order=NewestFirst("created_at", datetime),
    conditions={"gite_id": "r.gite_id = %(gite_id)s", "status": "r.status = %(status)s"},
)

FEEDBACK = Listing(
    name="feedback",
    path="/api/feedback",
    source="guest_feedback r",
    scope="r.owner_user_id = %(owner)s",
    columns="r.id, r.reservation_id, r.gite_id, r.note, r.commentaire, r.created_at",
    row=Feedback,
    order=NewestFirst("created_at", datetime),
    conditions={"gite_id": "r.gite_id = %(gite_id)s"},
)


async def hand_out_sheet(
    session: Session, sheet_id: UUID, reservation_id: UUID, token: str, new: NewSheet, today: date
) -> Sheet | None:
    """Open a sheet for a stay; None when the stay is not there for this owner, or cancelled.

    Locks the stay, so that a sheet and the cancellation of its stay know of each other: whichever
    comes second sees what the first one did.

    Args:
        session: The owner.
        sheet_id: Its id.
        reservation_id: The stay.
        token: What the guest will hold; only its hash is stored.
        new: Scope and last day.
        today: The day it is.
    """
    return await session.first(
        """/* hand_out_sheet */
        WITH stay AS (
            SELECT r.id, r.gite_id, r.owner_user_id, r.date_fin FROM reservations r
            WHERE r.id = %(reservation_id)s AND r.owner_user_id = %(owner)s
              AND r.status <> 'cancelled'
            FOR SHARE
        )
        INSERT INTO client_access_tokens
               (id, token, reservation_id, gite_id, owner_user_id, scope, expires_at)
        SELECT %(id)s, %(token)s, s.id, s.gite_id, s.owner_user_id, %(scope)s,
               (coalesce(%(expires_on)s::date,
                         greatest(s.date_fin, %(today)s::date) + %(days_after)s::integer) + 1
               )::timestamp AT TIME ZONE 'UTC'
        FROM stay s
        RETURNING id, reservation_id, gite_id, scope, created_at, expires_at, revoked_at""",
        {
            "id": sheet_id,
            "token": token_sha256(token),
            "reservation_id": reservation_id,
            "scope": new.scope,
            "expires_on": new.expires_on,
            "today": today,
            "days_after": DAYS_AFTER,
            "owner": session.user_id,
        },
        Sheet,
    )


async def revoke_sheet(session: Session, sheet_id: UUID) -> Sheet | None:
    """Close a sheet at once; a closed one stays as it is; None when it is not this owner's."""
    return await session.first(
        """/* revoke_sheet */
        UPDATE client_access_tokens SET revoked_at = coalesce(revoked_at, now())
        WHERE id = %(id)s AND owner_user_id = %(owner)s
        RETURNING id, reservation_id, gite_id, scope, created_at, expires_at, revoked_at""",
        {"id": sheet_id, "owner": session.user_id},
        Sheet,
    )


async def decide_hour_request(
    session: Session, request_id: UUID, decision: Literal["accepted", "declined"]
) -> HourRequest | None:
    """Answer a request that is still open; None when there is none.

    Of two decisions at once the second waits for the row and finds it no longer pending.
    """
    return await session.first(
        """/* decide_hour_request */
        UPDATE hour_requests SET status = %(decision)s, decided_at = now()
        WHERE id = %(id)s AND owner_user_id = %(owner)s AND status = 'pending'
        RETURNING id, reservation_id, gite_id, heure_arrivee, heure_depart, message, status,
                  created_at, decided_at""",
        {"id": request_id, "decision": decision, "owner": session.user_id},
        HourRequest,
    )


async def find_hour_request(session: Session, request_id: UUID) -> HourRequest | None:
    """One request; None when it does not exist or is somebody else's."""
    return await session.first(
        """/* find_hour_request */
        SELECT id, reservation_id, gite_id, heure_arrivee, heure_depart, message, status,
               created_at, decided_at
        FROM hour_requests WHERE id = %(id)s AND owner_user_id = %(owner)s""",
        {"id": request_id, "owner": session.user_id},
        HourRequest,
    )
