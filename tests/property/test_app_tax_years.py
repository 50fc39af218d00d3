"""The tax of every year there could be: nothing is lost, and order does not matter."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_app.tax.ledger import Stay, ledger_of
from reference_app.tax.money import half_up, share_out
from reference_app.tax.report import Costs, Gite, Trip, micro_tax, reel_tax, report_of
from reference_app.tax.scale import INCOME_BANDS, MILEAGE_BANDS, in_bands, mileage_allowance

YEAR = 2026
GITES = [Gite(UUID(int=number), f"Gîte {number}") for number in range(3)]

cents = st.integers(0, 10_000_000_00)
stays = st.lists(
    st.builds(
        lambda gite, first, nights, guests, platform, price: Stay(
            gite.id, first, first + timedelta(days=nights), guests, platform, price
        ),
        st.sampled_from(GITES),
        st.dates(date(YEAR - 1, 11, 1), date(YEAR + 1, 1, 31)),
        st.integers(1, 80),
        st.integers(1, 12),
        st.sampled_from(["airbnb", "booking", "abritel", "direct"]),
        st.integers(0, 20_000_00),
    ),
    max_size=12,
)
trips = st.lists(
    st.builds(
        Trip,
        st.none() | st.sampled_from([gite.id for gite in GITES]) | st.just(UUID(int=99)),
        st.dates(date(YEAR - 1, 12, 1), date(YEAR + 1, 1, 31)),
        st.integers(1, 100_000),
    ),
    max_size=12,
)


@given(total=cents, weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_shares_add_up_and_are_at_most_a_cent_from_exact(total: int, weights: list[int]) -> None:
    shares = share_out(total, weights)

    assert sum(shares) == total
    if any(weights):
        for share, weight in zip(shares, weights, strict=True):
            assert abs(share * sum(weights) - total * weight) < sum(weights)
    for (share, weight), (next_share, next_weight) in pairwise(
        sorted(zip(shares, weights, strict=True), key=lambda pair: pair[1])
    ):
        assert share <= next_share or weight == next_weight


@given(numerator=st.integers(0, 10**15), denominator=st.integers(1, 10**9))
def test_rounding_is_never_off_by_more_than_a_half(numerator: int, denominator: int) -> None:
    assert (
        -denominator
        <= 2 * (numerator - half_up(numerator, denominator) * denominator)
        < (denominator + 1)
    )


@given(amount=st.integers(0, 10**9))
def test_the_parts_in_the_bands_are_the_whole(amount: int) -> None:
    for bands in (INCOME_BANDS, MILEAGE_BANDS):
        assert sum(in_bands(amount, bands)) == amount


@given(low=cents, more=cents, costs=cents)
def test_who_earns_more_or_spends_less_never_pays_less_tax(low: int, more: int, costs: int) -> None:
    high = low + more
    assert micro_tax(high).total_centimes >= micro_tax(low).total_centimes
    assert reel_tax(high, costs).total_centimes >= reel_tax(low, costs).total_centimes
    assert reel_tax(high, low).total_centimes >= reel_tax(high, high).total_centimes
    assert mileage_allowance(high) >= mileage_allowance(low)


@given(stays=stays)
def test_every_night_is_in_one_year_and_every_cent_too(stays: list[Stay]) -> None:
    years = [ledger_of(year, stays) for year in range(YEAR - 1, YEAR + 3)]

    cells = [cell for ledger in years for cell in ledger.values()]
    assert sum(cell.revenue for cell in cells) == sum(stay.price for stay in stays)
    assert sum(cell.nights for cell in cells) == sum(
        (stay.last - stay.first).days for stay in stays
    )
    assert sum(cell.arrivals for cell in cells) == len(stays)


@given(stays=stays)
def test_nights_are_those_a_calendar_shows(stays: list[Stay]) -> None:
    ledger = ledger_of(YEAR, stays)

    for month in range(1, 13):
        shown = 0
        day = date(YEAR, month, 1)
        while day.month == month and day.year == YEAR:
            shown += sum(stay.first <= day < stay.last for stay in stays)
            day += timedelta(days=1)
        assert shown == sum(cell.nights for place, cell in ledger.items() if place.month == month)


@pytest.mark.covers("B-88")
@given(stays=stays, trips=trips)
def test_months_platforms_and_gites_add_up_to_the_year(
    stays: list[Stay], trips: list[Trip]
) -> None:
    report = report_of(YEAR, GITES, stays, trips)

    months, gites, platforms = report.months, report.gites, report.platforms
    for rows in (months, gites, platforms):
        assert sum(row.nights for row in rows) == report.nights
        assert sum(row.revenue_centimes for row in rows) == report.revenue_centimes
    for rows in (months, gites):
        assert sum(row.hectometres for row in rows) == report.hectometres
        assert sum(row.micro_centimes for row in rows) == report.micro.total_centimes
        assert sum(row.reel_centimes for row in rows) == report.reel.total_centimes
        for name in Costs.__struct_fields__:
            assert sum(getattr(row.costs, name) for row in rows) == getattr(report.costs, name)
    assert sum(row.commission_centimes for row in platforms) == report.costs.commission_centimes
    owed = report.occupancy.due_centimes + report.occupancy.collected_centimes
    assert sum(row.occupancy_centimes for row in platforms) == owed
    assert sum(row.occupancy.due_centimes for row in months) == report.occupancy.due_centimes


@given(stays=stays, trips=trips)
def test_at_the_end_of_the_year_the_projection_is_the_year(
    stays: list[Stay], trips: list[Trip]
) -> None:
    report = report_of(YEAR, GITES, stays, trips)

    december = report.months[-1]
    assert december.projected_revenue_centimes == report.revenue_centimes
    assert december.projected_micro_centimes == report.micro.total_centimes
    assert december.projected_reel_centimes == report.reel.total_centimes


@given(stays=stays, trips=trips, data=st.data())
def test_the_order_of_bookings_trips_and_gites_does_not_matter(
    stays: list[Stay], trips: list[Trip], data: st.DataObject
) -> None:
    mixed = report_of(
        YEAR,
        data.draw(st.permutations(GITES)),
        data.draw(st.permutations(stays)),
        data.draw(st.permutations(trips)),
    )

    assert mixed == report_of(YEAR, GITES, stays, trips)


@given(stays=stays, trips=trips)
def test_the_advised_regime_is_open_and_no_dearer_than_the_other_open_one(
    stays: list[Stay], trips: list[Trip]
) -> None:
    report = report_of(YEAR, GITES, stays, trips)

    advised = report.regime(report.regime_conseille)
    assert advised.is_open
    for other in (report.micro, report.reel):
        assert not other.is_open or advised.total_centimes <= other.total_centimes
        assert other.total_centimes == other.income_tax_centimes + other.social_centimes >= 0
        assert other.deduction_centimes + other.taxable_centimes == report.revenue_centimes
