"""Figures of an owner's bookings: counted when asked, or taken from what was counted before.

Variant ``views: live`` counts the stays; ``materialised`` adds up ``own_figures``, which is as old
as :func:`counted_at` says (``statistics/refresh.py``). Both give the same rows.

Whatever counts the past reads ``reservations_all``, archived stays too, so that archiving changes
no figure (B-161); the dashboard looks at the present and reads ``reservations``.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import LiteralString
from uuid import UUID

import msgspec

from reference_app.listing import Listing, NewestFirst
from reference_app.reservations.values import Platform
from reference_app.session import Session


class MonthFigures(msgspec.Struct, frozen=True):
    """One month and platform; stays count in the month of arrival, cancelled ones not at all."""

    month: int
    plateforme: Platform
    bookings: int
    nights: int
    revenue_centimes: int


class HistoryFigures(msgspec.Struct, frozen=True):
    """One year and platform; counted like :class:`MonthFigures`."""

    year: int
    plateforme: Platform
    bookings: int
    nights: int
    revenue_centimes: int


class MonthRevenue(msgspec.Struct, frozen=True):
    """One gîte in one month, named by its first day; counted like :class:`MonthFigures`."""

    mois: date
    gite_id: UUID
    gite_nom: str
    bookings: int
    nights: int
    revenue_centimes: int


def _months(source: LiteralString) -> Listing[MonthRevenue]:
    return Listing(
        name="months",
        path="/api/statistics/monthly",
        source=source,
        scope="true",  # the owner is named where the rows are
        columns="r.mois, r.gite_id, r.gite_nom, r.bookings, r.nights, r.revenue_centimes",
        row=MonthRevenue,
        order=NewestFirst("mois", date, id="gite_id"),
        conditions={
            "gite_id": "r.gite_id = %(gite_id)s",
            "year": "extract(year FROM r.mois) = %(year)s",
        },
    )


_MONTHS_LIVE = _months("""(
        SELECT date_trunc('month', s.date_debut)::date AS mois, s.gite_id, g.nom AS gite_nom,
               count(*)::int AS bookings, sum(s.date_fin - s.date_debut)::int AS nights,
               sum(s.prix_centimes)::bigint AS revenue_centimes
        FROM reservations_all s JOIN gites g ON g.id = s.gite_id
        WHERE s.owner_user_id = %(owner)s AND s.status <> 'cancelled'
        GROUP BY 1, 2, 3
    ) r""")

_MONTHS_COUNTED = _months("""(
        SELECT f.mois, f.gite_id, g.nom AS gite_nom, sum(f.bookings)::int AS bookings,
               sum(f.nights)::int AS nights, sum(f.revenue_centimes)::bigint AS revenue_centimes
        FROM own_figures f JOIN gites g ON g.id = f.gite_id
        WHERE f.owner_user_id = %(owner)s
        GROUP BY 1, 2, 3
    ) r""")

_YEAR_LIVE: LiteralString = """/* year_figures */
        SELECT extract(month FROM r.date_debut)::int AS month, r.plateforme, count(*)::int,
               sum(r.date_fin - r.date_debut)::int, sum(r.prix_centimes)::bigint
        FROM reservations_all r
        WHERE r.owner_user_id = %(owner)s AND r.status <> 'cancelled'
          AND r.date_debut >= %(first)s AND r.date_debut <= %(last)s
        GROUP BY 1, 2 ORDER BY 1, 2"""

_YEAR_COUNTED: LiteralString = """/* year_figures_counted */
        SELECT extract(month FROM f.mois)::int AS month, f.plateforme, sum(f.bookings)::int,
               sum(f.nights)::int, sum(f.revenue_centimes)::bigint
        FROM own_figures f
        WHERE f.owner_user_id = %(owner)s AND f.mois >= %(first)s AND f.mois <= %(last)s
        GROUP BY 1, 2 ORDER BY 1, 2"""

_HISTORY_LIVE: LiteralString = """/* history_figures */
        SELECT extract(year FROM r.date_debut)::int AS year, r.plateforme, count(*)::int,
               sum(r.date_fin - r.date_debut)::int, sum(r.prix_centimes)::bigint
        FROM reservations_all r
        WHERE r.owner_user_id = %(owner)s AND r.status <> 'cancelled'
        GROUP BY 1, 2 ORDER BY 1 DESC, 2"""

_HISTORY_COUNTED: LiteralString = """/* history_figures_counted */
        SELECT extract(year FROM f.mois)::int AS year, f.plateforme, sum(f.bookings)::int,
               sum(f.nights)::int, sum(f.revenue_centimes)::bigint
        FROM own_figures f
        WHERE f.owner_user_id = %(owner)s
        GROUP BY 1, 2 ORDER BY 1 DESC, 2"""


class Stay(msgspec.Struct, frozen=True):
    """A stay as the dashboard shows it."""

    id: UUID
    gite_id: UUID
    gite_nom: str
    client_nom: str
    voyageurs: int
    plateforme: Platform
    date_debut: date
    date_fin: date
    prix_centimes: int


def months(session: Session) -> Listing[MonthRevenue]:
    """The monthly revenue table (B-77, B-90)."""
    return _MONTHS_LIVE if session.variant.views == "live" else _MONTHS_COUNTED


async def year_figures(session: Session, year: int) -> list[MonthFigures]:
    """Per month and platform (B-90)."""
    return await session.rows(
        _YEAR_LIVE if session.variant.views == "live" else _YEAR_COUNTED,
        {"owner": session.user_id, "first": date(year, 1, 1), "last": date(year, 12, 31)},
        MonthFigures,
    )


async def history_figures(session: Session) -> list[HistoryFigures]:
    """Per year and platform, over all years, newest year first (B-90)."""
    return await session.rows(
        _HISTORY_LIVE if session.variant.views == "live" else _HISTORY_COUNTED,
        {"owner": session.user_id},
        HistoryFigures,
    )


async def counted_at(session: Session) -> datetime:
    """When the materialised figures were counted; what is read after this is as new or newer."""
    found = await session.first(
        """/* figures_counted */
        SELECT as_of FROM figures_counted""",
        {},
        lambda as_of: as_of,
    )
    assert isinstance(found, datetime), "the migration of this variant writes the row"
    return found


async def stays_between(session: Session, first: date, last: date) -> list[Stay]:
    """Stays that touch the days ``first`` to ``last``, by arrival; cancelled ones not."""
    return await session.rows(
        """/* stays_between */
        SELECT r.id, r.gite_id, g.nom, r.client_nom, r.voyageurs, r.plateforme, r.date_debut,
               r.date_fin, r.prix_centimes
        FROM reservations r JOIN gites g ON g.id = r.gite_id
        WHERE r.owner_user_id = %(owner)s AND r.status <> 'cancelled'
          AND r.date_debut <= %(last)s AND r.date_fin >= %(first)s
        ORDER BY r.date_debut, r.id""",
        {"owner": session.user_id, "first": first, "last": last},
        Stay,
    )
