"""The tax of an owner's year: from all bookings and trips, kept when asked, nobody else's."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from app_support import Site, site

from reference_app.identity.principal import Principal
from reference_app.tax.ledger import Stay
from reference_app.tax.report import Gite, TaxReport, Trip, report_of
from reference_app.variant import Variant

pytestmark = pytest.mark.db

VARIANTS = ("off", "naive", "indexed", "wrapped")
YEAR = 2019
"""Old enough that a part of it is archived."""


@pytest.fixture(scope="module", params=VARIANTS)
def office(request: pytest.FixtureRequest, fresh_database: Any) -> Iterator[Site]:
    variant = Variant(
        indexes="full", pagination="offset", cache="memory", row_security=request.param
    )
    with fresh_database() as url, site(url, variant, pool_size=4) as up:
        yield up


@pytest.fixture(scope="module")
def owner(office: Site) -> Principal:
    """Three gîtes that are let all year round, over both ends of it, and trips."""
    chance = random.Random(5)
    owner = office.world.owner()
    units = [office.world.unit(owner, name) for name in ("Maison", "Grange", "Étable")]
    for unit in units:
        day = date(YEAR - 1, 12, chance.randrange(20, 31))
        while day.year <= YEAR:
            last = day + timedelta(days=chance.randrange(1, 9))
            office.world.reservation(
                owner,
                unit,
                day,
                last,
                platform=chance.choice(["airbnb", "booking", "abritel", "direct"]),
                status=chance.choice(["confirmed", "confirmed", "pending", "cancelled"]),
                cents=chance.randrange(10_000, 200_000),
            )
            day = last + timedelta(days=chance.randrange(4))
    for _ in range(150):
        office.world.run(
            "INSERT INTO km_trajets (id, owner_user_id, gite_id, date, depart, arrivee,"
            " hectometres) VALUES (gen_random_uuid(), %s, %s, %s, 'Dole', 'Arbois', %s)",
            owner.user_id,
            chance.choice([None, *units]),
            date(YEAR, 1, 1) + timedelta(days=chance.randrange(-40, 400)),
            chance.randrange(1, 3_000),
        )
    office.world.run(
        "WITH moved AS (DELETE FROM reservations WHERE owner_user_id = %s AND date_fin < %s"
        " RETURNING *) INSERT INTO reservations_archive SELECT * FROM moved",
        *(owner.user_id, date(YEAR, 7, 1)),
    )
    return owner


def truth(up: Site, who: Principal) -> TaxReport:
    """The year from everything the owner has, whatever its dates."""
    rows = up.world.rows
    return report_of(
        YEAR,
        [
            Gite(*row)
            for row in rows("SELECT id, nom FROM gites WHERE owner_user_id = %s", who.user_id)
        ],
        [
            Stay(*row)
            for row in rows(
                "SELECT gite_id, date_debut, date_fin, voyageurs, plateforme, prix_centimes"
                " FROM reservations_all WHERE owner_user_id = %s AND status <> 'cancelled'",
                who.user_id,
            )
        ],
        [
            Trip(*row)
            for row in rows(
                "SELECT gite_id, date, hectometres FROM km_trajets WHERE owner_user_id = %s",
                who.user_id,
            )
        ],
    )


def report(up: Site, who: Principal) -> TaxReport:
    answer = up.call("GET", f"/api/tax?year={YEAR}", who)
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=TaxReport)


@pytest.mark.covers("B-88", "F-30")
def test_the_tax_is_computed_from_every_night_and_trip_of_the_year_archived_ones_too(
    office: Site, owner: Principal
) -> None:
    found = report(office, owner)

    assert found == truth(office, owner)
    assert found.nights > 500
    assert found.revenue_centimes > 0
    assert found.costs.mileage_centimes > 0
    assert {month.month for month in found.months if month.nights} == set(range(1, 13))


@pytest.mark.covers("B-88", "B-147", "B-150", "J-07")
def test_the_second_answer_is_kept_until_a_trip_or_a_booking_changes(office: Site) -> None:
    owner = office.world.owner()
    unit = office.world.unit(owner)
    path = f"/api/tax?year={YEAR}"

    def kept() -> str:
        return office.call("GET", path, owner).headers["x-cache"]

    assert [kept(), kept()] == ["miss", "hit"]
    trip = {"date": f"{YEAR}-05-01", "depart": "A", "arrivee": "B", "hectometres": 1_000}
    made = office.call("POST", "/api/trips", owner, json=trip).json()
    assert [kept(), kept()] == ["miss", "hit"]
    assert report(office, owner).hectometres == 1_000
    office.call("PATCH", f"/api/trips/{made['id']}", owner, json={"hectometres": 400})
    assert report(office, owner).hectometres == 400
    stay = {
        "gite_id": str(unit),
        "date_debut": f"{YEAR}-05-01",
        "date_fin": f"{YEAR}-05-03",
        "client_nom": "Zoé",
        "prix_centimes": 9_999,
    }
    office.call("POST", "/api/reservations", owner, json=stay)
    assert report(office, owner).revenue_centimes == 9_999
    assert kept() == "hit"


@pytest.mark.covers("B-88")
def test_a_simulation_keeps_what_was_computed(office: Site, owner: Principal) -> None:
    made = []
    for regime in ("micro", "reel"):
        body = {"annee": YEAR, "regime": regime}
        answer = office.call("POST", "/api/tax/simulations", owner, json=body)
        assert answer.status_code == 201, answer.text
        kept = answer.json()
        assert kept["resultat"] == msgspec.to_builtins(report(office, owner).regime(regime))
        made.append(kept)

    listed = office.call("GET", f"/api/tax/simulations?year={YEAR}", owner).json()
    assert listed["items"][:2] == made[::-1]
    other_year = office.call("GET", "/api/tax/simulations?year=2020", owner).json()
    assert other_year["items"] == []


@pytest.mark.parametrize(
    "body",
    [{}, {"annee": 1899, "regime": "micro"}, {"annee": 2026, "regime": "forfait"}],
    ids=str,
)
def test_a_simulation_names_a_year_and_a_regime(
    office: Site, owner: Principal, body: dict[str, Any]
) -> None:
    assert office.call("POST", "/api/tax/simulations", owner, json=body).status_code == 400


@pytest.mark.covers("F-30")
def test_another_owner_sees_nothing_of_it(office: Site, owner: Principal) -> None:
    body = {"annee": YEAR, "regime": "micro"}
    office.call("POST", "/api/tax/simulations", owner, json=body)
    other = office.world.owner()

    found = report(office, other)
    assert (found.revenue_centimes, found.hectometres, found.gites) == (0, 0, [])
    assert office.call("GET", "/api/tax/simulations", other).json()["items"] == []
    lines = office.call("GET", f"/api/exports/tax.csv?year={YEAR}", other).text.splitlines()
    assert len(lines) == 1


@pytest.mark.covers("B-91")
def test_the_file_of_a_year_adds_up_to_its_tax(office: Site, owner: Principal) -> None:
    answer = office.call("GET", f"/api/exports/tax.csv?year={YEAR}", owner)

    assert answer.headers["content-disposition"] == f'attachment; filename="tax-{YEAR}.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    found = report(office, owner)
    for column, total in [
        ("arrivals", found.arrivals),
        ("nights", found.nights),
        ("guest_nights", found.guest_nights),
        ("revenue_centimes", found.revenue_centimes),
        ("occupancy_due_centimes", found.occupancy.due_centimes),
        ("occupancy_collected_centimes", found.occupancy.collected_centimes),
    ]:
        assert sum(int(row[column]) for row in rows) == total
    assert [(int(row["month"]), row["gite_nom"]) for row in rows] == sorted(
        (int(row["month"]), row["gite_nom"]) for row in rows
    )


@pytest.mark.covers("B-88")
def test_ten_at_once_get_the_same_and_others_are_answered_meanwhile(
    office: Site, owner: Principal
) -> None:
    """B-88's ceiling of 10; simulations are never taken from the cache."""
    body = {"json": {"annee": YEAR, "regime": "reel"}}
    answers = office.app.together(
        [("POST", "/api/tax/simulations", owner, body)] * 10 + [("GET", "/api/units", owner, {})]
    )

    assert [answer.status_code for answer in answers] == [201] * 10 + [200]
    assert len({str(answer.json()["resultat"]) for answer in answers[:10]}) == 1
