"""CSV exports: streamed, complete, of one snapshot, and nobody else's."""

from __future__ import annotations

import asyncio
import csv
import io
import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from app_support import PASSWORD, SECRET, TOKENS, Site, site, site_on

from palier.model.tier import StackSpec
from palier.model.variant import Variant as StackVariant
from palier.stack.app import start_app
from palier.stack.workspace import Workspace
from reference_app.database import STREAM_BATCH, Database
from reference_app.identity.principal import Principal
from reference_app.settings import Settings
from reference_app.variant import Variant

pytestmark = pytest.mark.db

MANY = 20_000
FILE = "/api/exports/reservations.csv"
DAY = date(2026, 3, 1)
VARIANTS = ("off", "naive", "indexed", "wrapped")


@pytest.fixture(scope="module", params=VARIANTS)
def office(request: pytest.FixtureRequest, fresh_database: Any) -> Iterator[Site]:
    variant = Variant(indexes="full", row_security=request.param)
    with fresh_database() as url, site(url, variant, pool_size=4) as up:
        yield up


def busy_owner(up: Site, count: int = MANY) -> Principal:
    """An owner with many cancelled stays, which may overlap."""
    owner = up.world.owner()
    unit = up.world.unit(owner, "L'Étang")
    up.world.run(
        "INSERT INTO reservations (id, gite_id, owner_user_id, date_debut, date_fin, client_nom,"
        " voyageurs, plateforme, status, prix_centimes)"
        " SELECT gen_random_uuid(), %s, %s, %s::date + i %% 300, %s::date + i %% 300 + 2,"
        " 'Guest ' || i, 2, 'direct', 'cancelled', i FROM generate_series(1, %s) AS i",
        *(unit, owner.user_id, DAY, DAY, count),
    )
    return owner


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def wait_until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def in_transaction(up: Site) -> int:
    """Connections of the application that are inside a transaction."""
    found = up.world.rows(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND starts_with(application_name, 'reference_app') AND state LIKE 'idle in transaction%%'"
    )
    return int(found[0][0])


@pytest.mark.covers("B-91", "F-30")
def test_the_file_has_every_stay_of_the_year_and_only_the_owners(office: Site) -> None:
    mine, other = office.world.owner(), office.world.owner()
    unit = office.world.unit(mine, 'La "Vieille", Ferme')
    foreign = office.world.unit(other)
    kept = [
        office.world.reservation(mine, unit, day, day + timedelta(days=2), guest=guest)
        for day, guest in [
            (date(2026, 12, 31), "=HYPERLINK(1)"),
            (date(2026, 1, 1), "Zoé\nLefèvre"),
        ]
    ]
    office.world.reservation(mine, unit, date(2025, 12, 31), date(2026, 1, 1))
    office.world.reservation(other, foreign, DAY, DAY + timedelta(days=3))

    answer = office.call("GET", "/api/exports/reservations.csv?year=2026", mine)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="reservations-2026.csv"'
    assert "content-length" not in answer.headers
    rows = rows_of(answer.text)
    assert [row["id"] for row in rows] == [str(reservation_id) for reservation_id in kept]
    assert [row["client_nom"] for row in rows] == ["'=HYPERLINK(1)", "Zoé\nLefèvre"]
    assert rows[0]["gite_nom"] == 'La "Vieille", Ferme'
    assert (rows[0]["nuits"], rows[0]["prix_centimes"]) == ("2", "10000")
    assert len(rows_of(office.call("GET", "/api/exports/reservations.csv", mine).text)) == 3


def test_archived_stays_are_in_the_file(office: Site) -> None:
    owner = office.world.owner()
    unit = office.world.unit(owner)
    old = office.world.reservation(owner, unit, date(2019, 5, 1), date(2019, 5, 4))
    office.world.run(
        "WITH moved AS (DELETE FROM reservations WHERE id = %s RETURNING *)"
        " INSERT INTO reservations_archive SELECT * FROM moved",
        old,
    )

    rows = rows_of(office.call("GET", "/api/exports/reservations.csv?year=2019", owner).text)

    assert [row["id"] for row in rows] == [str(old)]


def test_an_owner_without_stays_gets_the_header_alone(office: Site) -> None:
    answer = office.call("GET", "/api/exports/reservations.csv", office.world.owner())

    assert rows_of(answer.text) == []
    assert answer.text.startswith("id,gite_id,gite_nom,date_debut,")


@pytest.fixture(scope="module")
def small(fresh_database: Any) -> Iterator[Site]:
    with (
        fresh_database() as url,
        site(url, Variant(indexes="full"), pool_size=2, pool_timeout_s=0.3) as up,
    ):
        yield up


@pytest.fixture(scope="module")
def crowd(small: Site) -> Principal:
    return busy_owner(small)


class Reader:
    """A client that takes what it wants of a file and then leaves, at the level of ASGI."""

    def __init__(self, up: Site, who: Principal, parts: list[bytes] | None = None) -> None:
        self.up = up
        self.parts = parts if parts is not None else []
        self._scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
            "scheme": "http", "path": FILE, "raw_path": FILE.encode(), "root_path": "",
            "query_string": b"", "server": ("app", 80), "client": ("test", 1),
            "headers": [(b"authorization", f"Bearer {TOKENS.issue(who)}".encode())],
        }  # fmt: skip

    def read(self, parts: int | None) -> None:
        """Take this many parts, then leave; None takes all."""
        self.up.app.wait(self._read(parts))

    async def _read(self, parts: int | None) -> None:
        left = asyncio.Event()
        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.body" and message["body"]:
                self.parts.append(message["body"])
                if parts is not None and len(self.parts) == parts:
                    left.set()
            await asyncio.sleep(0)

        await self.up.app.app(self._scope, receive, send)


class Sizes(list[bytes]):
    """Remembers how long the parts were, and not the parts."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def append(self, part: bytes) -> None:
        self.sizes.append(len(part))


@pytest.mark.covers("B-91")
def test_a_file_of_many_rows_is_sent_in_parts_and_complete(small: Site, crowd: Principal) -> None:
    reader = Reader(small, crowd)
    reader.read(None)

    rows = rows_of(b"".join(reader.parts).decode())
    assert len(reader.parts) == MANY // STREAM_BATCH
    assert len({row["id"] for row in rows}) == MANY
    assert rows == sorted(rows, key=lambda row: (row["date_debut"], row["id"]), reverse=True)


def test_memory_does_not_grow_with_the_number_of_rows(small: Site, crowd: Principal) -> None:
    few = busy_owner(small, 2 * STREAM_BATCH)
    peaks = []
    for who in (few, crowd):
        parts = Sizes()
        tracemalloc.start()
        try:
            Reader(small, who, parts).read(None)
            peaks.append((tracemalloc.get_traced_memory()[1], sum(parts.sizes)))
        finally:
            tracemalloc.stop()

    (small_peak, small_size), (large_peak, large_size) = peaks
    assert large_size > 15 * small_size
    assert large_peak < 1.5 * small_peak
    assert large_peak < large_size / 2


def test_a_client_that_leaves_in_the_middle_gives_the_connection_back(
    small: Site, crowd: Principal
) -> None:
    for _ in range(5):  # more often than there are connections
        reader = Reader(small, crowd)
        reader.read(3)
        assert 3 <= len(reader.parts) < MANY // STREAM_BATCH
        assert in_transaction(small) == 0
    assert small.call("GET", "/api/units", crowd).status_code == 200


def test_long_answers_leave_connections_to_the_others_and_refuse_when_they_are_too_many(
    small: Site, crowd: Principal
) -> None:
    """Two connections: one file at a time, and everything else still works beside it."""
    database = small.app.app.dependencies["database"].dependency()
    stream = database.stream(
        crowd,
        "/* test_stream */ SELECT id FROM reservations WHERE owner_user_id = %(owner)s",
        {"owner": crowd.user_id},
        lambda row_id: row_id,
    )

    small.app.wait(anext(stream))
    try:
        assert small.call("GET", "/api/units", crowd).status_code == 200
        refused = small.call("GET", "/api/exports/reservations.csv", crowd)
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
    finally:
        small.app.wait(stream.aclose())
    assert small.call("GET", "/api/exports/reservations.csv", crowd).status_code == 200


def test_a_receiver_that_stalls_loses_the_connection_and_nobody_else_does(
    small: Site, crowd: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reference_app.database.STALLED_S", 0.1)
    database = Database(Settings(database_url=small.app_url, pool_size=1, jwt_secret=SECRET))
    small.app.wait(database.open())
    try:
        stream = database.stream(
            crowd,
            "/* test_stalled */ SELECT id FROM reservations WHERE owner_user_id = %(owner)s",
            {"owner": crowd.user_id},
            lambda row_id: row_id,
        )
        assert len(small.app.wait(anext(stream))) == STREAM_BATCH
        wait_until(lambda: in_transaction(small) == 0, "the server keeps the transaction")
        with pytest.raises(psycopg.OperationalError):
            small.app.wait(anext(stream))
        one = small.app.wait(database.first(crowd, "/* test_one */ SELECT 1", {}, int))
        assert one == 1
    finally:
        small.app.wait(database.close())


def test_a_file_is_of_one_snapshot(small: Site) -> None:
    owner = busy_owner(small, 3 * STREAM_BATCH)
    database = small.app.app.dependencies["database"].dependency()
    stream = database.stream(
        owner,
        "/* test_snapshot */ SELECT id FROM reservations WHERE owner_user_id = %(owner)s",
        {"owner": owner.user_id},
        lambda row_id: row_id,
    )
    found = list(small.app.wait(anext(stream)))
    small.world.run("DELETE FROM reservations WHERE owner_user_id = %s", owner.user_id)

    async def rest() -> None:
        async for batch in stream:
            found.extend(batch)

    small.app.wait(rest())
    assert len(set(found)) == 3 * STREAM_BATCH


def test_pgbouncers_rules_hold_for_streams_too(small: Site) -> None:
    """No prepared statements: the cursor lives inside one transaction."""
    variant = Variant(pooling="pgbouncer")
    owner = busy_owner(small, 2 * STREAM_BATCH)
    with site_on(small.world.admin_url, small.app_url, variant, pool_size=2) as up:
        answer = up.call("GET", "/api/exports/reservations.csv", owner)
        assert len(rows_of(answer.text)) == 2 * STREAM_BATCH


def test_a_client_that_leaves_the_real_server_gives_the_connection_back(
    small: Site, stacks_home: Path
) -> None:
    owner = busy_owner(small, 5 * MANY)
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        app = start_app(
            workspace,
            spec=StackSpec(pool_size=2),
            variant=StackVariant(),
            environment={"APP_DATABASE_URL": small.app_url},
        )
        address = urlsplit(app.url)
        signed_in = httpx.post(
            f"{app.url}/api/auth",
            json={"email": f"{owner.user_id}@example.com", "password": PASSWORD},
        ).json()
        request = (
            f"GET {FILE} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Authorization: Bearer {signed_in['access_token']}\r\n\r\n"
        )
        for _ in range(3):
            with socket.create_connection((address.hostname, address.port), timeout=30) as client:
                client.sendall(request.encode())
                assert client.recv(1000).startswith(b"HTTP/1.1 200")
                wait_until(lambda: in_transaction(small) == 1, "the file is not being read")
            wait_until(lambda: in_transaction(small) == 0, "the connection is still in use")
