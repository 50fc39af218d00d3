"""Activities of gîtes (B-84). Every statement names the owner itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from reference_app.activities.values import Activity
from reference_app.listing import Listing, NewestFirst
from reference_app.session import Session

ACTIVITIES = Listing(
    name="activities",
    path="/api/activities",
    source="activites_gites r",
    scope="r.owner_user_id = %(owner)s",
    columns="""r.id, r.gite_id, r.nom, r.categorie, r.description, r.adresse, r.distance_m,
       r.created_at""",
    row=Activity,
    order=NewestFirst("created_at", datetime),
    conditions={"gite_id": "r.gite_id = %(gite_id)s", "category": "r.categorie = %(category)s"},
)


async def create_activity(session: Session, values: Mapping[str, Any]) -> Activity | None:
    """Add an activity; None when the gîte is not this owner's."""
    return await session.first(
        """/* create_activity */
        INSERT INTO activites_gites
               (id, gite_id, owner_user_id, nom, categorie, description, adresse, distance_m)
        SELECT %(id)s, g.id, g.owner_user_id, %(nom)s, %(categorie)s, %(description)s,
               %(adresse)s, %(distance_m)s
        FROM gites g WHERE g.id = %(gite_id)s AND g.owner_user_id = %(owner)s
        RETURNING id, gite_id, nom, categorie, description, adresse, distance_m, created_at""",
        {**values, "owner": session.user_id},
        Activity,
    )


async def change_activity(
    session: Session, activity_id: UUID, changes: Mapping[str, Any]
) -> Activity | None:
    """Change the named fields; None when the activity is not there for this owner.

    Args:
        changes: New values by column; a column that is missing keeps its value.
    """
    return await session.first(
        """/* change_activity */
        UPDATE activites_gites SET
            nom         = coalesce(%(nom)s, nom),
            categorie   = coalesce(%(categorie)s, categorie),
            description = coalesce(%(description)s, description),
            adresse     = coalesce(%(adresse)s, adresse),
            distance_m  = coalesce(%(distance_m)s, distance_m)
        WHERE id = %(id)s AND owner_user_id = %(owner)s
        RETURNING id, gite_id, nom, categorie, description, adresse, distance_m, created_at""",
        {
            "nom": changes.get("nom"),
            "categorie": changes.get("categorie"),
            "description": changes.get("description"),
            "adresse": changes.get("adresse"),
            "distance_m": changes.get("distance_m"),
            "id": activity_id,
            "owner": session.user_id,
        },
        Activity,
    )


async def delete_activity(session: Session, activity_id: UUID) -> UUID | None:
    """Remove an activity; None when it is not there for this owner."""
    return await session.first(
        """/* delete_activity */
        DELETE FROM activites_gites WHERE id = %(id)s AND owner_user_id = %(owner)s
        RETURNING id""",
        {"id": activity_id, "owner": session.user_id},
        lambda deleted: deleted,
    )
