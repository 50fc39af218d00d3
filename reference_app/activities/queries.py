"""Activities of gîtes (B-84). Every statement names the owner itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reference_app.activities.values import Activity
from reference_app.listing import Listing, NewestFirst
from reference_app.own_rows import OwnRows
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

ACTIVITY = OwnRows(
    name="activity",
    table="activites_gites",
    scope="owner_user_id = %(owner)s",
    columns="id, gite_id, nom, categorie, description, adresse, distance_m, created_at",
    row=Activity,
    changeable=("nom", "categorie", "description", "adresse", "distance_m"),
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
