"""What archiving must not change: figures of the past, however they are counted and kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from app_support import Site, site
from upkeep_support import NOW

from reference_app.identity.principal import Principal
from reference_app.upkeep.archive import archive
from reference_app.upkeep.database import connect
from reference_app.variant import Variant

pytestmark = pytest.mark.db

FIGURES = (
    "/api/statistics?year=2022",
    "/api/statistics/history",
    "/api/statistics/monthly",
    "/api/tax?year=2022",
    "/api/exports/reservations.csv?year=2022",
    "/api/exports/tax.csv?year=2022",
)


@pytest.fixture(
    scope="module",
    params=[("live", "none"), ("live", "memory"), ("materialised", "memory")],
    ids=lambda way: "-".join(way),
)
def history(request: Any, fresh_database: Any) -> Iterator[tuple[Site, Principal]]:
    """An owner with stays in each month of five years."""
    views, cache = request.param
    variant = Variant(row_security="wrapped", views=views, cache=cache)
    with fresh_database() as url, site(url, variant) as up:
        owner = up.world.owner()
        unit = up.world.unit(owner)
        for number in range(60):
            first = date(2022, 1, 5) + timedelta(days=30 * number)
            up.world.reservation(owner, unit, first, first + timedelta(days=3), cents=1000 + number)
        yield up, owner


def count_again(up: Site) -> None:
    if up.world.rows("SELECT FROM pg_matviews WHERE matviewname = 'monthly_figures'"):
        up.world.run("SELECT count_figures()")


def figures(up: Site, owner: Principal) -> dict[str, Any]:
    found = {}
    for path in FIGURES:
        answer = up.call("GET", path, owner)
        assert answer.status_code == 200, answer.text
        if answer.headers["Content-Type"].startswith("application/json"):
            # when they were counted is no figure
            found[path] = without(answer.json(), "as_of", "counted_at")
        else:
            found[path] = sorted(answer.text.splitlines())
    return found


def without(value: Any, *names: str) -> Any:
    if isinstance(value, dict):
        return {key: without(each, *names) for key, each in value.items() if key not in names}
    return [without(each, *names) for each in value] if isinstance(value, list) else value


@pytest.mark.covers("B-161", "B-90")
def test_archiving_changes_the_list_of_stays_at_once_and_no_figure(
    history: tuple[Site, Principal],
) -> None:
    up, owner = history
    count_again(up)
    before = figures(up, owner)
    assert "1000" in str(before)
    listed = len(up.call("GET", "/api/reservations", owner).json()["items"])

    with connect(up.world.admin_url) as connection:
        moved = archive(connection, NOW).moved
    count_again(up)

    assert moved > 20
    assert len(up.call("GET", "/api/reservations", owner).json()["items"]) == listed - moved
    assert figures(up, owner) == before
