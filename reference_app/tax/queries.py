"""What the tax is computed from, and the simulations that were kept (B-88)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from reference_app.listing import Listing, NewestFirst
from reference_app.session import Session
from reference_app.tax.ledger import Stay
from reference_app.tax.report import Gite, Regime, RegimeTax, Trip


class Simulation(msgspec.Struct, frozen=True):
    """A computation that was kept; ``resultat`` is the RegimeTax of that moment."""

    id: UUID
    annee: int
    regime: Regime
    resultat: dict[str, Any]
    created_at: datetime


SIMULATIONS = Listing(
    name="simulations",
    path="/api/tax/simulations",
    source="simulations_fiscales r",
    scope="r.owner_user_id = %(owner)s",
    columns="r.id, r.annee, r.regime, r.resultat, r.created_at",
    row=Simulation,
    order=NewestFirst("created_at", datetime),
    conditions={"year": "r.annee = %(year)s"},
)


async def gites_of(session: Session) -> list[Gite]:
    """All gîtes of the owner."""
    return await session.rows(
        """/* tax_gites */
        SELECT id, nom FROM gites WHERE owner_user_id = %(owner)s""",
        {"owner": session.user_id},
        Gite,
    )


async def stays_of(session: Session, year: int) -> list[Stay]:
    """Stays with a night in ``year``, archived ones too, cancelled ones not."""
    return await session.rows(
        """/* tax_stays */
        SELECT r.gite_id, r.date_debut, r.date_fin, r.voyageurs, r.plateforme, r.prix_centimes
        FROM reservations_all r
        WHERE r.owner_user_id = %(owner)s AND r.status <> 'cancelled'
          AND r.date_debut < %(next_year)s AND r.date_fin > %(first)s""",
        {
            "owner": session.user_id,
            "first": date(year, 1, 1),
            "next_year": date(year + 1, 1, 1),
        },
        Stay,
    )


async def trips_of(session: Session, year: int) -> list[Trip]:
    """Trips of ``year``."""
    return await session.rows(
        """/* tax_trips */
        SELECT r.gite_id, r.date, r.hectometres FROM km_trajets r
        WHERE r.owner_user_id = %(owner)s AND r.date BETWEEN %(first)s AND %(last)s""",
        {"owner": session.user_id, "first": date(year, 1, 1), "last": date(year, 12, 31)},
        Trip,
    )


async def keep_simulation(
    session: Session, simulation_id: UUID, *, year: int, result: RegimeTax
) -> Simulation:
    """Keep what was computed."""
    kept = await session.first(
        """/* keep_simulation */
        INSERT INTO simulations_fiscales (id, owner_user_id, annee, regime, resultat)
        VALUES (%(id)s, %(owner)s, %(annee)s, %(regime)s, %(resultat)s)
        RETURNING id, annee, regime, resultat, created_at""",
        {
            "id": simulation_id,
            "owner": session.user_id,
            "annee": year,
            "regime": result.regime,
            "resultat": Jsonb(msgspec.to_builtins(result)),
        },
        Simulation,
    )
    assert kept is not None, "INSERT ... RETURNING of one row gives one row"
    return kept
