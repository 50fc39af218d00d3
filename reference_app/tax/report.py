"""The tax of a year: what an owner would pay by the flat rate and by real costs. Pure.

From the nights of the year (``ledger.py``) and the trips, in whole cents:

- **Flat rate** (``micro``): taxable = revenue - deduction, where the deduction is half of the
  revenue, at least 305 EUR and at most the revenue. Open up to 77 700 EUR of revenue.
- **Real costs** (``reel``): taxable = revenue - costs, or nothing when the costs are higher; a loss
  is not carried to another year. Costs = commissions (of the revenue of each month, gîte and
  platform) + 35 EUR an arrival + 120 EUR for each gîte and month with a night + the mileage
  allowance.
- **Tax** of either = income tax in progressive bands + 17.2 % of social levies, each band and the
  levies rounded for themselves.
- **Month by month**: what is owed at the end of a month is the tax of the year so far; a month's
  part is what that adds to the month before, and can be negative. So the months add up to the year.
  The projection of a month is the year at the same pace: revenue and taxable income so far,
  times 12, divided by the months so far.
- **By gîte**: a gîte's kilometres are its own trips and its share, by revenue, of those for all
  gîtes; the allowance goes by kilometres. The flat-rate tax goes by revenue, the other one by what
  each gîte earned above its costs.

Every figure that is shared out adds up to what was shared (``money.share_out``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from reference_app.reservations.values import Platform
from reference_app.tax.ledger import Cell, Ledger, Place, Stay, is_collected, ledger_of
from reference_app.tax.money import half_up, share_out
from reference_app.tax.scale import (
    CHANGEOVER_COST,
    COMMISSION_PERMILLE,
    FIXED_COST,
    INCOME_BANDS,
    MICRO_CEILING,
    MICRO_DEDUCTION_MIN,
    MICRO_PERMILLE,
    SOCIAL_PERMILLE,
    in_bands,
    mileage_allowance,
    of_bands,
)

Regime = Literal["micro", "reel"]
MONTHS = range(1, 13)


class Gite(NamedTuple):
    """A gîte of the owner."""

    id: UUID
    name: str


class Trip(NamedTuple):
    """What of a trip matters here; None is for all gîtes."""

    gite_id: UUID | None
    day: date
    hectometres: int


class BandTax(msgspec.Struct, frozen=True):
    """One band of the income tax; rates in thousandths."""

    above_centimes: int
    permille: int
    taxed_centimes: int
    tax_centimes: int


class RegimeTax(msgspec.Struct, frozen=True):
    """What a year costs by one way of counting.

    Attributes:
        regime: Which one.
        is_open: Whether the owner may choose it.
        deduction_centimes: Flat deduction, or real costs as far as there is revenue.
        taxable_centimes: Revenue without the deduction.
        bands: Income tax, band by band.
        income_tax_centimes: Their sum.
        social_centimes: Social levies.
        total_centimes: All of it.
    """

    regime: Regime
    is_open: bool
    deduction_centimes: int
    taxable_centimes: int
    bands: Sequence[BandTax]
    income_tax_centimes: int
    social_centimes: int
    total_centimes: int


class Costs(msgspec.Struct, frozen=True):
    """Real costs."""

    commission_centimes: int
    changeover_centimes: int
    fixed_centimes: int
    mileage_centimes: int

    @property
    def total(self) -> int:
        return (
            self.commission_centimes
            + self.changeover_centimes
            + self.fixed_centimes
            + self.mileage_centimes
        )


class Occupancy(msgspec.Struct, frozen=True):
    """Occupancy tax: what the owner owes, and what platforms pay for the owner."""

    due_centimes: int
    collected_centimes: int


class MonthTax(msgspec.Struct, frozen=True):
    """One month; the taxes are what it adds to the year so far, and the year at this pace."""

    month: int
    arrivals: int
    nights: int
    revenue_centimes: int
    hectometres: int
    costs: Costs
    occupancy: Occupancy
    micro_centimes: int
    reel_centimes: int
    projected_revenue_centimes: int
    projected_micro_centimes: int
    projected_reel_centimes: int


class PlatformTax(msgspec.Struct, frozen=True):
    """One platform in one month."""

    month: int
    plateforme: Platform
    arrivals: int
    nights: int
    guest_nights: int
    revenue_centimes: int
    commission_centimes: int
    occupancy_centimes: int


class GiteTax(msgspec.Struct, frozen=True):
    """One gîte and its part of the year."""

    gite_id: UUID
    gite_nom: str
    nights: int
    revenue_centimes: int
    hectometres: int
    costs: Costs
    micro_centimes: int
    reel_centimes: int


class TaxReport(msgspec.Struct, frozen=True):
    """A year. Synthetic figures of a load test, not tax advice."""

    annee: int
    arrivals: int
    nights: int
    guest_nights: int
    revenue_centimes: int
    hectometres: int
    costs: Costs
    occupancy: Occupancy
    micro: RegimeTax
    reel: RegimeTax
    regime_conseille: Regime
    months: Sequence[MonthTax]
    platforms: Sequence[PlatformTax]
    gites: Sequence[GiteTax]

    def regime(self, regime: Regime) -> RegimeTax:
        """The year by one way of counting."""
        return self.micro if regime == "micro" else self.reel


def report_of(
    year: int, gites: Sequence[Gite], stays: Iterable[Stay], trips: Iterable[Trip]
) -> TaxReport:
    """Compute the tax of ``year``; the order of gîtes, stays and trips does not matter.

    Args:
        year: Nights and trips of other years are left out.
        gites: All gîtes of the owner.
        stays: Those that count, in these gîtes.
        trips: A trip for a gîte that is not among ``gites`` counts as one for all.
    """
    ledger = ledger_of(year, stays)
    driven = [trip for trip in trips if trip.day.year == year]
    by_month = {month: _cells(ledger, month=month) for month in MONTHS}
    hectometres = {
        month: sum(trip.hectometres for trip in driven if trip.day.month == month)
        for month in MONTHS
    }
    whole = _sum(ledger.values())
    costs = _costs(ledger, mileage_allowance(sum(hectometres.values())))
    micro, reel = micro_tax(whole.revenue), reel_tax(whole.revenue, costs.total)
    return TaxReport(
        annee=year,
        arrivals=whole.arrivals,
        nights=whole.nights,
        guest_nights=whole.guest_nights,
        revenue_centimes=whole.revenue,
        hectometres=sum(hectometres.values()),
        costs=costs,
        occupancy=_occupancy(ledger),
        micro=micro,
        reel=reel,
        regime_conseille=(
            "micro" if micro.is_open and micro.total_centimes <= reel.total_centimes else "reel"
        ),
        months=_months(by_month, hectometres),
        platforms=_platforms(by_month),
        gites=_gites(gites, ledger, driven, micro.total_centimes, reel.total_centimes),
    )


def micro_tax(revenue: int) -> RegimeTax:
    """The flat rate on a revenue."""
    deduction = max(half_up(revenue * MICRO_PERMILLE, 1000), min(MICRO_DEDUCTION_MIN, revenue))
    return _tax("micro", revenue - deduction, deduction, is_open=revenue <= MICRO_CEILING)


def reel_tax(revenue: int, costs: int) -> RegimeTax:
    """Real costs against a revenue."""
    deduction = min(costs, revenue)
    return _tax("reel", revenue - deduction, deduction, is_open=True)


def _tax(regime: Regime, taxable: int, deduction: int, *, is_open: bool) -> RegimeTax:
    bands = [
        BandTax(band.above, band.permille, taxed, tax)
        for band, taxed, tax in zip(
            INCOME_BANDS,
            in_bands(taxable, INCOME_BANDS),
            of_bands(taxable, INCOME_BANDS),
            strict=True,
        )
    ]
    income = sum(band.tax_centimes for band in bands)
    social = half_up(taxable * SOCIAL_PERMILLE, 1000)
    return RegimeTax(regime, is_open, deduction, taxable, bands, income, social, income + social)


def _of_taxable(taxable: int) -> int:
    return sum(of_bands(taxable, INCOME_BANDS)) + half_up(taxable * SOCIAL_PERMILLE, 1000)


def _months(by_month: Mapping[int, Ledger], hectometres: Mapping[int, int]) -> list[MonthTax]:
    months: list[MonthTax] = []
    revenue = costs = driven = micro_before = reel_before = 0
    for month in MONTHS:
        cells = by_month[month]
        found = _sum(cells.values())
        allowance = mileage_allowance(driven + hectometres[month]) - mileage_allowance(driven)
        of_month = _costs(cells, allowance)
        revenue += found.revenue
        costs += of_month.total
        driven += hectometres[month]
        micro, reel = micro_tax(revenue), reel_tax(revenue, costs)
        months.append(
            MonthTax(
                month=month,
                arrivals=found.arrivals,
                nights=found.nights,
                revenue_centimes=found.revenue,
                hectometres=hectometres[month],
                costs=of_month,
                occupancy=_occupancy(cells),
                micro_centimes=micro.total_centimes - micro_before,
                reel_centimes=reel.total_centimes - reel_before,
                projected_revenue_centimes=half_up(revenue * 12, month),
                projected_micro_centimes=micro_tax(half_up(revenue * 12, month)).total_centimes,
                projected_reel_centimes=_of_taxable(half_up(reel.taxable_centimes * 12, month)),
            )
        )
        micro_before, reel_before = micro.total_centimes, reel.total_centimes
    return months


def _platforms(by_month: Mapping[int, Ledger]) -> list[PlatformTax]:
    lines = []
    for month, cells in by_month.items():
        for platform in sorted({place.platform for place in cells}):
            mine = {place: cell for place, cell in cells.items() if place.platform == platform}
            found = _sum(mine.values())
            lines.append(
                PlatformTax(
                    month=month,
                    plateforme=platform,
                    arrivals=found.arrivals,
                    nights=found.nights,
                    guest_nights=found.guest_nights,
                    revenue_centimes=found.revenue,
                    commission_centimes=_commission(mine),
                    occupancy_centimes=found.occupancy,
                )
            )
    return lines


def _gites(
    gites: Sequence[Gite], ledger: Ledger, driven: Sequence[Trip], micro: int, reel: int
) -> list[GiteTax]:
    ordered = sorted(gites)
    cells = [
        {place: cell for place, cell in ledger.items() if place.gite_id == gite.id}
        for gite in ordered
    ]
    revenues = [_sum(own.values()).revenue for own in cells]
    hectometres = _hectometres(ordered, revenues, driven)
    allowances = share_out(mileage_allowance(sum(hectometres)), hectometres)
    costs = [_costs(own, allowance) for own, allowance in zip(cells, allowances, strict=True)]
    earned = [max(revenue - cost.total, 0) for revenue, cost in zip(revenues, costs, strict=True)]
    lines = zip(
        ordered, cells, revenues, hectometres, costs,
        share_out(micro, revenues), share_out(reel, earned), strict=True,
    )  # fmt: skip
    return [
        GiteTax(
            gite_id=gite.id,
            gite_nom=gite.name,
            nights=_sum(own.values()).nights,
            revenue_centimes=revenue,
            hectometres=distance,
            costs=cost,
            micro_centimes=micro_part,
            reel_centimes=reel_part,
        )
        for gite, own, revenue, distance, cost, micro_part, reel_part in lines
    ]


def _hectometres(
    gites: Sequence[Gite], revenues: Sequence[int], driven: Sequence[Trip]
) -> list[int]:
    """Each gîte's own, and its share of those for all."""
    own = {gite.id: 0 for gite in gites}
    for_all = 0
    for trip in driven:
        if trip.gite_id in own:
            own[trip.gite_id] += trip.hectometres
        else:
            for_all += trip.hectometres
    shares = share_out(for_all, revenues)
    return [own[gite.id] + share for gite, share in zip(gites, shares, strict=True)]


def _costs(cells: Ledger, allowance: int) -> Costs:
    open_months = {(place.month, place.gite_id) for place in cells}
    return Costs(
        commission_centimes=_commission(cells),
        changeover_centimes=CHANGEOVER_COST * sum(cell.arrivals for cell in cells.values()),
        fixed_centimes=FIXED_COST * len(open_months),
        mileage_centimes=allowance,
    )


def _commission(cells: Ledger) -> int:
    return sum(
        half_up(cell.revenue * COMMISSION_PERMILLE[place.platform], 1000)
        for place, cell in cells.items()
    )


def _occupancy(cells: Ledger) -> Occupancy:
    total = sum(cell.occupancy for cell in cells.values())
    collected = sum(cell.occupancy for place, cell in cells.items() if is_collected(place.platform))
    return Occupancy(due_centimes=total - collected, collected_centimes=collected)


def _cells(ledger: Ledger, *, month: int) -> dict[Place, Cell]:
    return {place: cell for place, cell in ledger.items() if place.month == month}


def _sum(cells: Iterable[Cell]) -> Cell:
    total = Cell()
    for cell in cells:
        total.add(cell)
    return total
