"""The list of reservations: newest arrival first (B-66), narrowed as B-68 wants it."""

from __future__ import annotations

from datetime import date

from reference_app.listing import Listing, NewestFirst
from reference_app.reservations.values import Reservation

PATH = "/api/reservations"

RESERVATIONS = Listing(
    name="reservations",
    path=PATH,
    source="reservations r",
    scope="r.owner_user_id = %(owner)s",
    columns="""r.id, r.gite_id, r.date_debut, r.date_fin, r.client_nom,
       r.client_email, r.voyageurs, r.plateforme, r.status, r.prix_centimes, r.created_at,
       r.updated_at""",
    row=Reservation,
    order=NewestFirst("date_debut", date),
    conditions={
        "from": "r.date_debut >= %(from)s",
        "to": "r.date_debut <= %(to)s",
        "platform": "r.plateforme = %(platform)s",
        "status": "r.status = %(status)s",
        "gite_id": "r.gite_id = %(gite_id)s",
        # the expression of I-12, word for word, or the index is not used
        "q": "to_tsvector('french', r.client_nom) @@ websearch_to_tsquery('french', %(q)s)",
    },
)
