"""The tax of small years that can be checked by hand."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from reference_app.tax.ledger import Stay, ledger_of, occupancy_tax
from reference_app.tax.money import half_up, share_out
from reference_app.tax.report import Gite, Trip, micro_tax, reel_tax, report_of
from reference_app.tax.scale import INCOME_BANDS, mileage_allowance, of_bands

HOUSE = UUID(int=1)
BARN = UUID(int=2)
GITES = [Gite(HOUSE, "Maison"), Gite(BARN, "Grange")]


def test_halves_are_rounded_up() -> None:
    assert [half_up(number, 2) for number in (0, 1, 2, 3)] == [0, 1, 1, 2]
    assert half_up(1, 3) == 0
    assert half_up(2, 3) == 1


def test_what_is_left_over_goes_to_those_who_lost_most_and_then_to_the_first() -> None:
    assert share_out(100, [1, 1, 1]) == [34, 33, 33]
    assert share_out(10, [2, 1, 0]) == [7, 3, 0]
    assert share_out(5, [0, 0]) == [3, 2]
    assert share_out(5, []) == []


def test_a_price_is_spread_over_the_nights_without_losing_a_cent() -> None:
    stay = Stay(HOUSE, date(2025, 12, 30), date(2026, 1, 2), 2, "direct", 100_00)

    before, after = ledger_of(2025, [stay]), ledger_of(2026, [stay])

    ((december, cell),), ((january, rest),) = before.items(), after.items()
    assert (december.month, cell.nights, cell.arrivals) == (12, 2, 1)
    assert (january.month, rest.nights, rest.arrivals) == (1, 1, 0)
    assert (cell.revenue, rest.revenue) == (66_66, 33_34)


def test_of_the_longest_stay_only_the_nights_of_the_year_are_looked_at() -> None:
    stay = Stay(HOUSE, date.min, date.max, 2, "direct", 3_652_058_00)

    ledger = ledger_of(2026, [stay])

    assert sum(cell.nights for cell in ledger.values()) == 365
    assert sum(cell.revenue for cell in ledger.values()) == 365_00


def test_the_occupancy_tax_is_for_each_guest_and_capped() -> None:
    assert occupancy_tax(80_00, 2) == 2 * 2_00  # 5 % of 40 EUR
    assert occupancy_tax(400_00, 2) == 2 * 3_00  # 10 EUR each is above the cap
    assert occupancy_tax(0, 4) == 0
    assert occupancy_tax(9, 1) == 0  # 0.45 cents
    assert occupancy_tax(10, 1) == 1  # 0.5 cents


def test_mileage_is_paid_by_parts_of_the_year() -> None:
    assert mileage_allowance(10) == 64  # one kilometre, 63.6 cents
    assert mileage_allowance(50_000) == 3_180_00
    assert mileage_allowance(50_010) == 3_180_36
    assert mileage_allowance(200_000) == 3_180_00 + 15_000 * 357 // 10
    assert mileage_allowance(200_100) == mileage_allowance(200_000) + 4_27


def test_income_is_taxed_band_by_band() -> None:
    assert of_bands(11_294_00, INCOME_BANDS) == [0, 0, 0, 0, 0]
    assert of_bands(28_797_00, INCOME_BANDS) == [0, 1_925_33, 0, 0, 0]
    assert sum(of_bands(200_000_00, INCOME_BANDS)) == (1_925_33 + 16_063_20 + 38_853_65 + 10_302_30)


@pytest.mark.parametrize(
    ("revenue", "deduction", "is_open"),
    [
        (0, 0, True),
        (100_00, 100_00, True),
        (400_00, 305_00, True),
        (10_000_01, 5_000_01, True),
        (77_700_00, 38_850_00, True),
        (77_700_01, 38_850_01, False),
    ],
)
def test_the_flat_rate_deducts_half_but_at_least_its_minimum(
    revenue: int, deduction: int, *, is_open: bool
) -> None:
    found = micro_tax(revenue)

    assert found.deduction_centimes == deduction
    assert found.taxable_centimes == revenue - deduction
    assert found.is_open == is_open


def test_a_loss_is_taxed_as_nothing() -> None:
    assert reel_tax(100_00, 400_00).total_centimes == 0
    assert reel_tax(100_00, 400_00).deduction_centimes == 100_00
    assert reel_tax(1_000_00, 0).total_centimes == 172_00


@pytest.mark.covers("B-88")
def test_a_small_year_by_hand() -> None:
    stays = [
        Stay(HOUSE, date(2026, 1, 10), date(2026, 1, 12), 2, "airbnb", 200_00),
        Stay(HOUSE, date(2026, 1, 31), date(2026, 2, 2), 4, "direct", 400_00),
        Stay(BARN, date(2026, 3, 1), date(2026, 3, 3), 1, "booking", 100_00),
    ]
    trips = [
        Trip(HOUSE, date(2026, 1, 9), 100),
        Trip(None, date(2026, 3, 9), 70),
        Trip(BARN, date(2025, 12, 31), 9999),
    ]

    report = report_of(2026, GITES, stays, trips)

    assert (report.arrivals, report.nights, report.guest_nights) == (3, 6, 14)
    assert report.revenue_centimes == 700_00
    assert report.hectometres == 170
    # 3 % of 200 and 15 % of 100; three arrivals; house in two months, barn in one; 17 km
    assert report.costs.commission_centimes == 6_00 + 15_00
    assert report.costs.changeover_centimes == 105_00
    assert report.costs.fixed_centimes == 360_00
    assert report.costs.mileage_centimes == 10_81
    # airbnb 2 nights x 2 x 2.50, booking 2 x 2.50; direct 2 x 4 x 2.50
    assert report.occupancy.collected_centimes == 10_00 + 5_00
    assert report.occupancy.due_centimes == 20_00
    assert report.micro.taxable_centimes == 350_00
    assert report.micro.total_centimes == 60_20
    assert report.reel.taxable_centimes == 700_00 - 496_81
    assert report.reel.total_centimes == 34_95
    assert report.regime_conseille == "reel"
    barn, house = sorted(report.gites, key=lambda gite: gite.gite_nom)
    # 7 km for all, by revenue 600 : 100
    assert (house.hectometres, barn.hectometres) == (160, 10)
    assert (house.micro_centimes, barn.micro_centimes) == (51_60, 8_60)
    # the barn earned less than it cost: the house pays all of it
    assert (house.reel_centimes, barn.reel_centimes) == (34_95, 0)


def test_a_year_without_anything_is_all_nought() -> None:
    report = report_of(2026, [], [], [])

    assert report.micro.total_centimes == report.reel.total_centimes == 0
    assert report.regime_conseille == "micro"
    assert [month.month for month in report.months] == list(range(1, 13))
    assert report.gites == []
