"""Reservations: changing them, one at a time. Every statement names the owner itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from reference_app.reservations.values import Clash, Reservation
from reference_app.session import Session


class Refusal(msgspec.Struct, frozen=True):
    """Why a stay could not be booked: the gîte is missing, or another stay is in the way."""

    gite_exists: bool
    clash: Clash | None


async def find_reservation(session: Session, reservation_id: UUID) -> Reservation | None:
    """One reservation; None when it does not exist or is somebody else's."""
    return await session.first(
        """/* find_reservation */
        SELECT id, gite_id, date_debut, date_fin, client_nom, client_email, voyageurs, plateforme,
               status, prix_centimes, created_at, updated_at
        FROM reservations WHERE id = %(id)s AND owner_user_id = %(owner)s""",
        {"id": reservation_id, "owner": session.user_id},
        Reservation,
    )


async def create_reservation(session: Session, values: Mapping[str, Any]) -> Reservation | None:
    """Book a stay; None when the gîte is not this owner's or is taken on one of the nights.

    ON CONFLICT DO NOTHING rather than an exception: two plain INSERTs of overlapping stays find
    each other's row and wait for each other until the deadlock detector ends one after a second;
    a speculative insertion withdraws its row instead.
    Source: PostgreSQL, src/backend/executor/execIndexing.c, "Speculative insertion".
    """
    return await session.first(
        """/* create_reservation */
        INSERT INTO reservations
               (id, gite_id, owner_user_id, date_debut, date_fin, client_nom, client_email,
                voyageurs, plateforme, status, prix_centimes)
        SELECT %(id)s, g.id, g.owner_user_id, %(date_debut)s, %(date_fin)s, %(client_nom)s,
               %(client_email)s, %(voyageurs)s, %(plateforme)s, %(status)s, %(prix_centimes)s
        FROM gites g WHERE g.id = %(gite_id)s AND g.owner_user_id = %(owner)s
        ON CONFLICT DO NOTHING
        RETURNING id, gite_id, date_debut, date_fin, client_nom, client_email, voyageurs,
                  plateforme, status, prix_centimes, created_at, updated_at""",
        {**values, "owner": session.user_id},
        Reservation,
    )


async def explain_refusal(
    session: Session, gite_id: UUID, date_debut: date, date_fin: date
) -> Refusal:
    """Why :func:`create_reservation` gave None; looked up only then.

    The clash can be None although the gîte exists: it may have been cancelled in between.
    """
    return await find_clash(session, None, gite_id, date_debut, date_fin)


async def find_clash(
    session: Session,
    reservation_id: UUID | None,
    gite_id: UUID | None,
    date_debut: date | None,
    date_fin: date | None,
) -> Refusal:
    """The first stay that is in the way of one that is booked or to be booked.

    Args:
        reservation_id: The stay that was to be changed; gives the gîte and missing dates.
        gite_id: The gîte of a stay that was to be booked.
    """
    found = await session.first(
        """/* find_clash */
        WITH wanted AS (
            SELECT r.gite_id, coalesce(%(date_debut)s, r.date_debut) AS date_debut,
                   coalesce(%(date_fin)s, r.date_fin) AS date_fin
            FROM reservations r
            WHERE r.id = %(reservation_id)s AND r.owner_user_id = %(owner)s
            UNION ALL
            SELECT g.id, %(date_debut)s, %(date_fin)s
            FROM gites g WHERE g.id = %(gite_id)s AND g.owner_user_id = %(owner)s
        )
        SELECT clash.id, clash.date_debut, clash.date_fin
        FROM wanted w LEFT JOIN LATERAL (
            SELECT r.id, r.date_debut, r.date_fin FROM reservations r
            WHERE r.gite_id = w.gite_id AND r.owner_user_id = %(owner)s
              AND r.status <> 'cancelled' AND r.id IS DISTINCT FROM %(reservation_id)s
              AND daterange(r.date_debut, r.date_fin, '[)')
                  && daterange(w.date_debut, w.date_fin, '[)')
            ORDER BY r.date_debut LIMIT 1
        ) AS clash ON true""",
        {
            "reservation_id": reservation_id,
            "gite_id": gite_id,
            "date_debut": date_debut,
            "date_fin": date_fin,
            "owner": session.user_id,
        },
        lambda *columns: columns,
    )
    if found is None:
        return Refusal(gite_exists=False, clash=None)
    return Refusal(gite_exists=True, clash=None if found[0] is None else Clash(*found))


async def change_reservation(
    session: Session, reservation_id: UUID, changes: Mapping[str, Any]
) -> Reservation | None:
    """Change the named fields; None when the reservation is not there for this owner.

    Takes the gîte's turn first (an advisory lock, released at commit): of two changes that move
    stays onto each other, the second waits and is refused, instead of both waiting for each other.

    Args:
        changes: New values by column; a column that is missing keeps its value.

    Raises:
        psycopg.errors.ExclusionViolation: Another stay is in the way.
        psycopg.errors.CheckViolation: The stay would have no night.
    """
    return await session.first(
        """/* change_reservation */
        WITH turn AS MATERIALIZED (
            SELECT id, pg_advisory_xact_lock(hashtextextended(gite_id::text, 0))
            FROM reservations WHERE id = %(id)s AND owner_user_id = %(owner)s
        )
        UPDATE reservations r SET
            date_debut    = coalesce(%(date_debut)s, r.date_debut),
            date_fin      = coalesce(%(date_fin)s, r.date_fin),
            client_nom    = coalesce(%(client_nom)s, r.client_nom),
            client_email  = CASE WHEN %(set_client_email)s
                                 THEN %(client_email)s ELSE r.client_email END,
            voyageurs     = coalesce(%(voyageurs)s, r.voyageurs),
            plateforme    = coalesce(%(plateforme)s, r.plateforme),
            status        = coalesce(%(status)s, r.status),
            prix_centimes = coalesce(%(prix_centimes)s, r.prix_centimes),
            updated_at    = now()
        FROM turn WHERE r.id = turn.id AND r.owner_user_id = %(owner)s
        RETURNING r.id, r.gite_id, r.date_debut, r.date_fin, r.client_nom, r.client_email,
                  r.voyageurs, r.plateforme, r.status, r.prix_centimes, r.created_at,
                  r.updated_at""",
        {
            "date_debut": changes.get("date_debut"),
            "date_fin": changes.get("date_fin"),
            "client_nom": changes.get("client_nom"),
            # nullable: "set to null" and "leave alone" must differ
            "set_client_email": "client_email" in changes,
            "client_email": changes.get("client_email"),
            "voyageurs": changes.get("voyageurs"),
            "plateforme": changes.get("plateforme"),
            "status": changes.get("status"),
            "prix_centimes": changes.get("prix_centimes"),
            "id": reservation_id,
            "owner": session.user_id,
        },
        Reservation,
    )


async def delete_reservation(session: Session, reservation_id: UUID) -> UUID | None:
    """Remove a reservation for good; None when it is not there for this owner."""
    return await session.first(
        """/* delete_reservation */
        DELETE FROM reservations WHERE id = %(id)s AND owner_user_id = %(owner)s
        RETURNING id""",
        {"id": reservation_id, "owner": session.user_id},
        lambda deleted: deleted,
    )
