"""Gîtes. Row security or not, every statement names the owner itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from reference_app.session import Session


class Unit(msgspec.Struct, frozen=True):
    """A gîte: a holiday home of one owner."""

    id: UUID
    nom: str
    ville: str
    code_postal: str
    capacite: int
    couleur: str
    actif: bool
    ical_url: str | None
    last_synced_at: datetime | None
    created_at: datetime


async def list_units(session: Session) -> list[Unit]:
    """All gîtes of an owner by name; owners have tens of them, not thousands."""
    return await session.rows(
        """/* list_units */
        SELECT id, nom, ville, code_postal, capacite, couleur, actif, ical_url, last_synced_at,
               created_at
        FROM gites WHERE owner_user_id = %(owner)s
        ORDER BY nom, id""",
        {"owner": session.user_id},
        Unit,
    )


async def find_unit(session: Session, unit_id: UUID) -> Unit | None:
    """One gîte; None when it does not exist or is somebody else's."""
    return await session.first(
        """/* find_unit */
        SELECT id, nom, ville, code_postal, capacite, couleur, actif, ical_url, last_synced_at,
               created_at
        FROM gites WHERE id = %(id)s AND owner_user_id = %(owner)s""",
        {"id": unit_id, "owner": session.user_id},
        Unit,
    )


async def create_unit(session: Session, values: Mapping[str, Any]) -> Unit:
    """A new gîte of this owner."""
    created = await session.first(
        """/* create_unit */
        INSERT INTO gites
               (id, owner_user_id, nom, ville, code_postal, capacite, couleur, actif, ical_url)
        VALUES (%(id)s, %(owner)s, %(nom)s, %(ville)s, %(code_postal)s, %(capacite)s, %(couleur)s,
                %(actif)s, %(ical_url)s)
        RETURNING id, nom, ville, code_postal, capacite, couleur, actif, ical_url, last_synced_at,
                  created_at""",
        {**values, "owner": session.user_id},
        Unit,
    )
    assert created is not None, "INSERT ... RETURNING of one row gives one row"
    return created


async def change_unit(session: Session, unit_id: UUID, changes: Mapping[str, Any]) -> Unit | None:
    """Change the named fields; None when the gîte is not there for this owner.

    Args:
        changes: New values by column; a column that is missing keeps its value.
    """
    return await session.first(
        """/* change_unit */
        UPDATE gites SET
            nom         = coalesce(%(nom)s, nom),
            ville       = coalesce(%(ville)s, ville),
            code_postal = coalesce(%(code_postal)s, code_postal),
            capacite    = coalesce(%(capacite)s, capacite),
            couleur     = coalesce(%(couleur)s, couleur),
            actif       = coalesce(%(actif)s, actif),
            ical_url    = CASE WHEN %(set_ical_url)s THEN %(ical_url)s ELSE ical_url END
        WHERE id = %(id)s AND owner_user_id = %(owner)s
        RETURNING id, nom, ville, code_postal, capacite, couleur, actif, ical_url, last_synced_at,
                  created_at""",
        {
            "nom": changes.get("nom"),
            "ville": changes.get("ville"),
            "code_postal": changes.get("code_postal"),
            "capacite": changes.get("capacite"),
            "couleur": changes.get("couleur"),
            "actif": changes.get("actif"),
            # nullable: "set to null" and "leave alone" must differ
            "set_ical_url": "ical_url" in changes,
            "ical_url": changes.get("ical_url"),
            "id": unit_id,
            "owner": session.user_id,
        },
        Unit,
    )
