"""The synthetic data through the reference application: what a scenario meets when it begins."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import numpy as np
import pytest
from app_support import Site, app_login, site_on

from palier.model.identity import SUPPORT_EMAIL, guest_token, owner_email, owner_id, password
from reference_app.migrate import migrate
from reference_app.variant import Variant
from seed.dataset import finish
from seed.load import load
from seed.sheets import draw_sheets
from seed.spec import DatasetSpec
from seed.tables import NULL

pytestmark = pytest.mark.db

VARIANT = Variant(indexes="full", row_security="wrapped", units_table="split_json")
SPEC = DatasetSpec(
    tier="test-application",
    seed=11,
    anchor=datetime(2026, 2, 14, tzinfo=UTC).date(),
    owners=6,
    gites=14,
    reservations=800,
    groups=3,
    password_hash_log2_n=2,
)
OWNER = 0
"""A client of the channel manager, with tax simulations and the most bookings."""


@pytest.fixture(scope="module")
def seeded(fresh_database) -> Iterator[Site]:
    with fresh_database() as url:
        migrate(url, "before-data", VARIANT)
        loaded = load(url, SPEC)
        migrate(url, "after-data", VARIANT)
        finish(url, loaded)
        with site_on(url, app_login(url), VARIANT) as running:
            yield running


def signed_in(seeded: Site, email: str) -> dict[str, str]:
    answer = seeded.app.call(
        "POST", "/api/auth", json={"email": email, "password": password(SPEC.seed)}
    )
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def guest(seeded: Site, owner: int, path: str, **options: Any) -> httpx.Response:
    token = guest_token(seed=SPEC.seed, owner=owner, index=0)
    method = "POST" if "json" in options else "GET"
    return seeded.app.call(method, f"/api/guest/{token}{path}", **options)


@pytest.mark.covers("B-80", "B-81")
@pytest.mark.parametrize("owner", range(SPEC.owners))
def test_the_guest_of_every_owner_reads_the_whole_sheet(seeded, owner):
    parts = {
        path: guest(seeded, owner, path)
        for path in (
            "", "/wifi", "/instructions?lang=fr", "/instructions?lang=en", "/equipment",
            "/contacts", "/activities",
        )
    }  # fmt: skip

    assert {path: part.status_code for path, part in parts.items()} == dict.fromkeys(parts, 200)
    assert NULL not in "".join(part.text for part in parts.values())
    wifi = parts["/wifi"].json()
    assert wifi["password"].startswith("seeded-")
    assert wifi["zones_reception"]
    assert parts["/instructions?lang=fr"].json() != parts["/instructions?lang=en"].json()


@pytest.mark.covers("B-82", "B-83")
def test_the_guest_asks_for_hours_and_judges_the_stay_once(seeded):
    asked = guest(seeded, 1, "/hour-requests", json={"heure_arrivee": "18:00:00"})
    judged = [guest(seeded, 1, "/feedback", json={"note": 5}) for _ in range(2)]

    assert asked.status_code == 201, asked.text
    assert [answer.status_code for answer in judged] == [201, 409]


@pytest.mark.covers("B-80")
def test_a_sheet_that_has_ended_opens_nothing(seeded):
    index = int(draw_sheets(SPEC, np.array([OWNER])).index.max())
    assert index > 0
    token = guest_token(seed=SPEC.seed, owner=OWNER, index=index)

    assert seeded.app.call("GET", f"/api/guest/{token}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/api/reservations", "/api/activities", "/api/sheets", "/api/hour-requests",
        "/api/feedback", "/api/cleaning", "/api/trips", "/api/notifications", "/api/sync/tasks",
        "/api/sync/logs", "/api/tax/simulations",
    ],
)  # fmt: skip
def test_an_owner_finds_rows_in_every_list(seeded, path):
    answer = seeded.app.call("GET", path, headers=signed_in(seeded, owner_email(OWNER)))

    assert answer.status_code == 200, answer.text
    assert answer.json()["items"]


def test_the_tax_of_last_year_is_computed_from_the_seeded_stays(seeded):
    headers = signed_in(seeded, owner_email(OWNER))

    answer = seeded.app.call("GET", f"/api/tax?year={SPEC.anchor.year - 1}", headers=headers)

    assert answer.json()["revenue_centimes"] > 0
    assert answer.json()["hectometres"] > 0


@pytest.mark.covers("B-92", "B-93", "D-08")
@pytest.mark.parametrize(
    "path",
    ["/api/support/clients", "/api/support/subscriptions", "/api/support/tickets", "/api/errors"],
)
def test_the_support_desk_finds_rows_in_every_list(seeded, path):
    answer = seeded.app.call("GET", path, headers=signed_in(seeded, SUPPORT_EMAIL))

    assert answer.status_code == 200, answer.text
    assert answer.json()["items"]


@pytest.mark.covers("D-08", "F-30")
def test_every_account_signs_in_and_sees_its_own_units_only(seeded):
    for owner in range(SPEC.owners):
        headers = signed_in(seeded, owner_email(owner))
        units = seeded.app.call("GET", "/api/units", headers=headers).json()
        mine = seeded.world.rows(
            "SELECT id::text FROM gites WHERE owner_user_id = %s",
            owner_id(seed=SPEC.seed, owner=owner),
        )

        assert {unit["id"] for unit in units} == {unit for (unit,) in mine}
