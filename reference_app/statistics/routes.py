"""Dashboard and statistics of an owner (B-90)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, TypeVar
from uuid import UUID

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from reference_app.cache.families import DASHBOARD, STATISTICS
from reference_app.conditional import CONDITIONAL
from reference_app.identity.admission import only
from reference_app.pages import After, Page, PageNumber
from reference_app.problems import FieldError, invalid
from reference_app.session import Session
from reference_app.statistics.dashboard import Dashboard, dashboard_range, summarise
from reference_app.statistics.history import YearFigures, years_of
from reference_app.statistics.queries import (
    MonthFigures,
    MonthRevenue,
    counted_at,
    history_figures,
    months,
    stays_between,
    year_figures,
)

AS_OF = "X-As-Of"
"""When materialised figures were counted, in answers that have no field for it, too."""

Body = TypeVar("Body")


class YearStatistics(msgspec.Struct, frozen=True):
    """A year, month by month and platform by platform, with its sums.

    Attributes:
        as_of: When it was counted; null where it is counted when asked.
    """

    year: int
    bookings: int
    nights: int
    revenue_centimes: int
    months: Sequence[MonthFigures]
    as_of: datetime | None


class StatisticsController(Controller):
    """Figures of the signed-in owner."""

    path = "/api"
    tags = ("statistics",)
    opt = only("owner")

    @get(
        "/dashboard", summary="Next arrivals and departures, this month's figures", opt=CONDITIONAL
    )
    async def dashboard(
        self,
        session: NamedDependency[Session],
        day: Annotated[date | None, QueryParameter(name="date")] = None,
    ) -> Response[Dashboard]:
        """As of ``date``; today, in UTC, when none is named."""
        today = _today() if day is None else _with_room(day)
        first, last = dashboard_range(today)

        async def load() -> Dashboard:
            return summarise(await stays_between(session, first, last), today)

        return await session.answer(DASHBOARD, load, today)

    @get("/statistics", summary="Figures of a year", opt=CONDITIONAL)
    async def statistics(
        self,
        session: NamedDependency[Session],
        year: Annotated[int | None, QueryParameter(ge=1900, le=2200)] = None,
    ) -> Response[YearStatistics]:
        """The present year when none is named."""
        wanted = _today().year if year is None else year

        async def load(reports: Session, as_of: datetime | None) -> YearStatistics:
            figures = await year_figures(reports, wanted)
            return YearStatistics(
                wanted,
                sum(row.bookings for row in figures),
                sum(row.nights for row in figures),
                sum(row.revenue_centimes for row in figures),
                figures,
                as_of,
            )

        return await _answer(session, load, wanted)

    @get("/statistics/history", summary="Figures of all years", opt=CONDITIONAL)
    async def history(self, session: NamedDependency[Session]) -> Response[list[YearFigures]]:
        """Newest year first, each by platform; archived stays count too."""

        async def load(reports: Session, _: datetime | None) -> list[YearFigures]:
            return years_of(await history_figures(reports))

        return await _answer(session, load, "history")

    @get("/statistics/monthly", summary="Revenue by month and gîte", opt=CONDITIONAL)
    async def monthly(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        gite_id: FromQuery[UUID | None] = None,
        year: Annotated[int | None, QueryParameter(ge=1900, le=2200)] = None,
    ) -> Response[Page[MonthRevenue]]:
        """Newest month first; a stay counts in the month of its arrival."""
        filters = {"gite_id": gite_id, "year": year}
        position = ("page", page or 1) if after is None else ("after", after)

        async def load(reports: Session, _: datetime | None) -> Page[MonthRevenue]:
            return await months(reports).page(reports, page=page, after=after, filters=filters)

        return await _answer(session, load, "monthly", *position, filters=filters)


async def _answer(
    session: Session,
    load: Callable[[Session, datetime | None], Awaitable[Body]],
    *what: object,
    filters: Mapping[str, object] | None = None,
) -> Response[Body]:
    """Figures counted now and kept until the next write; or counted before, and saying when.

    Materialised figures are not kept a second time: the database keeps them, a write does not
    change them, and a look-up in them costs what checking a kept answer costs.
    """
    if session.variant.views == "live":

        async def count() -> Body:
            return await load(await session.for_reports(), None)

        return await session.answer(STATISTICS, count, *what, filters=filters)
    reports = await session.for_reports()
    as_of = await counted_at(reports)
    return session.respond(await load(reports, as_of), {AS_OF: as_of.isoformat()})


def _today() -> date:
    return datetime.now(UTC).date()


def _with_room(day: date) -> date:
    """The day, if the dashboard of it lies inside the calendar."""
    if not 1900 <= day.year <= 2200:
        raise invalid(FieldError("date", "must be a day of the years 1900 to 2200"))
    return day
