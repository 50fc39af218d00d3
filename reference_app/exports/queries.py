"""What exports read: long results, batch by batch."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import date
from typing import Any

from reference_app.exports.lines import Cell
from reference_app.session import Session

RESERVATION_COLUMNS = (
    "id", "gite_id", "gite_nom", "date_debut", "date_fin", "nuits", "client_nom", "client_email",
    "voyageurs", "plateforme", "status", "prix_centimes", "created_at",
)  # fmt: skip
"""The header of the export of reservations."""


def stream_reservations(
    session: Session, year: int | None
) -> AsyncGenerator[list[tuple[Cell, ...]]]:
    """Stays that arrive in ``year``, archived and cancelled ones too, newest first; None is all."""
    return session.stream(
        """/* export_reservations */
        SELECT r.id, r.gite_id, g.nom, r.date_debut, r.date_fin, r.date_fin - r.date_debut,
               r.client_nom, r.client_email, r.voyageurs, r.plateforme, r.status,
               r.prix_centimes, r.created_at
        FROM reservations_all r JOIN gites g ON g.id = r.gite_id
        WHERE r.owner_user_id = %(owner)s
          AND r.date_debut BETWEEN %(first)s AND %(last)s
        ORDER BY r.date_debut DESC, r.id DESC""",
        {
            "owner": session.user_id,
            "first": date.min if year is None else date(year, 1, 1),
            "last": date.max if year is None else date(year, 12, 31),
        },
        _cells,
    )


def _cells(*columns: Any) -> tuple[Cell, ...]:
    return columns
