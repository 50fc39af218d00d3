"""A shared list: whatever is in the table, each pagination variant shows the same, in one order."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
from app_support import SECRET, Site, site
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar import Request

from reference_app.database import Database
from reference_app.identity.principal import Principal
from reference_app.listing import Listing, NewestFirst
from reference_app.pages import PAGE_SIZE, Page
from reference_app.problems import Problem
from reference_app.session import provide_session
from reference_app.settings import Settings
from reference_app.variant import Variant

pytestmark = pytest.mark.db

VARIANTS = {
    "none": Variant(pagination="none"),
    "offset": Variant(pagination="offset"),
    "keyset": Variant(pagination="keyset"),
}
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Notice(NamedTuple):
    id: UUID
    is_read: bool
    created_at: datetime
    kind: str


class Trip(NamedTuple):
    id: UUID
    date: date


NOTICES = Listing(
    name="test_notices",
    path="/notices",
    source="notifications r",
    scope="r.user_id = %(owner)s",
    columns="r.id, r.is_read, r.created_at, r.kind",
    row=Notice,
    order=NewestFirst("created_at", datetime, flag="is_read"),
    conditions={"kind": "r.kind = %(kind)s", "since": "r.created_at >= %(since)s"},
)

TRIPS = Listing(
    name="test_trips",
    path="/trips",
    source="km_trajets r",
    scope="r.owner_user_id = %(owner)s",
    columns="r.id, r.date",
    row=Trip,
    order=NewestFirst("date", date),
)


class Desk:
    """The lists as one owner sees them, past HTTP."""

    def __init__(self, up: Site) -> None:
        self.up = up
        self.database = Database(Settings(database_url=up.app_url, pool_size=2, jwt_secret=SECRET))

    def page(
        self, listing: Listing[Any], pagination: str, who: Principal, **query: Any
    ) -> Page[Any]:
        request: Request[Any, Any, Any] = Request({"type": "http", "user": who})  # type: ignore[typeddict-item]
        session = provide_session(self.database, None, None, VARIANTS[pagination])(request)
        page, after = query.pop("page", None), query.pop("after", None)
        return self.up.app.wait(
            listing.page(
                session, page=None if page is None else int(page), after=after, filters=query
            )
        )

    def walk(
        self, listing: Listing[Any], pagination: str, who: Principal, **query: Any
    ) -> tuple[list[Any], list[int]]:
        """Every row, following ``next``, and the number of rows of each page."""
        found, sizes = [], []
        while True:
            page = self.page(listing, pagination, who, **query)
            found += page.items
            sizes.append(len(page.items))
            if page.next is None:
                return found, sizes
            address = urlsplit(page.next)
            assert address.path == listing.path
            query = dict(parse_qsl(address.query))


@pytest.fixture(scope="module")
def desk(fresh_database: Any) -> Iterator[Desk]:
    with fresh_database() as url, site(url, Variant(indexes="full"), pool_size=1) as up:
        desk = Desk(up)
        up.app.wait(desk.database.open())
        try:
            yield desk
        finally:
            up.app.wait(desk.database.close())


def notices(desk: Desk, who: Principal, rows: list[tuple[int, bool, str]]) -> None:
    """Rows of (seconds after the start, read, kind)."""
    with desk.up.world.connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO notifications (id, user_id, kind, title, is_read, created_at, read_at)"
            " VALUES (%s, %s, %s, 'T', %s, %s, %s)",
            [
                (uuid.uuid4(), who.user_id, kind, read, at, at if read else None)
                for seconds, read, kind in rows
                for at in [START + timedelta(microseconds=1, seconds=seconds)]
            ],
        )


some_notices = st.lists(
    st.tuples(st.integers(0, 5), st.booleans(), st.sampled_from(["sync", "system"])),
    max_size=130,
)


@pytest.mark.covers("B-72", "B-77", "B-78", "B-94", "X-70")
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=some_notices, kind=st.none() | st.sampled_from(["sync", "system"]))
def test_any_table_gives_the_same_rows_in_the_same_order_in_every_variant(
    desk: Desk, rows: list[tuple[int, bool, str]], kind: str | None
) -> None:
    mine, other = desk.up.world.owner(), desk.up.world.owner()
    notices(desk, mine, rows)
    notices(desk, other, [(2, False, "sync")])

    query = {} if kind is None else {"kind": kind, "since": START.isoformat()}
    found = {name: desk.walk(NOTICES, name, mine, **query) for name in VARIANTS}

    whole, _ = found["none"]
    assert [row for row, _ in found.values()] == [whole] * 3
    assert len(whole) == sum(kind in (None, row[2]) for row in rows)
    assert whole == sorted(
        sorted(whole, key=lambda row: (row.created_at, row.id), reverse=True),
        key=lambda row: row.is_read,
    )
    for _, sizes in (found["offset"], found["keyset"]):
        assert sizes[:-1] == [PAGE_SIZE] * (len(sizes) - 1)
        assert len(sizes) == max(-(-len(whole) // PAGE_SIZE), 1)


@pytest.mark.covers("B-72", "B-73", "B-75")
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=st.lists(st.integers(0, 4), min_size=51, max_size=101), page=st.integers(1, 4))
def test_a_numbered_page_is_a_slice_of_the_list_with_its_exact_total(
    desk: Desk, days: list[int], page: int
) -> None:
    mine = desk.up.world.owner()
    with desk.up.world.connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO km_trajets (id, owner_user_id, date, depart, arrivee, hectometres)"
            " VALUES (gen_random_uuid(), %s, %s, 'Dole', 'Arbois', 350)",
            [(mine.user_id, START.date() + timedelta(days=day)) for day in days],
        )

    whole = desk.page(TRIPS, "none", mine)
    shown = desk.page(TRIPS, "offset", mine, page=page)

    first = (page - 1) * PAGE_SIZE
    assert shown.items == whole.items[first : first + PAGE_SIZE]
    assert shown.total == whole.total == len(days)
    assert shown.pages == -(-len(days) // PAGE_SIZE)
    assert shown.last_row == (min(first + PAGE_SIZE, len(days)) if shown.items else 0)


@pytest.mark.parametrize("pagination", VARIANTS)
def test_a_position_of_another_variant_or_list_is_refused(desk: Desk, pagination: str) -> None:
    mine = desk.up.world.owner()
    notices(desk, mine, [(second, False, "sync") for second in range(60)])
    cursor = desk.page(NOTICES, "keyset", mine).next_cursor

    refused: list[dict[str, Any]] = [{"after": "x"}]
    if pagination == "keyset":
        refused.append({"page": 2})
    else:
        refused.append({"after": cursor})
    if pagination == "none":
        refused.append({"page": 2})
    for query in refused:
        with pytest.raises(Problem) as error:
            desk.page(NOTICES, pagination, mine, **query)
        assert error.value.status == 400
    with pytest.raises(Problem):
        desk.page(TRIPS, pagination, mine, after=cursor)
    assert len(desk.page(NOTICES, pagination, mine, page=1).items) == (
        60 if pagination == "none" else 50
    )
