"""A request can be followed: into the log, into the database, and out of its connection again."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from app_support import Site, site
from sync_support import wait_for

from reference_app.log import JsonFormatter
from reference_app.variant import Variant

pytestmark = pytest.mark.db


@pytest.fixture(scope="module", params=["app", "pgbouncer"])
def house(request: pytest.FixtureRequest, fresh_database: Any) -> Iterator[Site]:
    """Also as it is behind a pooler, where nothing is prepared."""
    with fresh_database() as url, site(url, Variant(pooling=request.param), pool_size=2) as up:
        yield up


@contextmanager
def listening(name: str) -> Iterator[list[dict[str, Any]]]:
    """What a logger writes meanwhile, line by line."""
    written, lines = io.StringIO(), []
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger(name)
    logger.addHandler(handler)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        lines += map(json.loads, written.getvalue().splitlines())


def names(up: Site) -> set[str]:
    return {
        name
        for (name,) in up.world.rows(
            "SELECT application_name FROM pg_stat_activity WHERE datname = current_database()"
            " AND starts_with(application_name, 'reference_app')"
        )
    }


@pytest.mark.covers("B-54")
def test_a_statement_that_waits_names_its_request_and_then_no_more(house: Site) -> None:
    owner = house.world.owner()
    unit = house.world.unit(owner)
    with psycopg.connect(house.world.admin_url) as blocker:
        blocker.execute("SELECT FROM gites WHERE id = %s FOR UPDATE", [unit])
        asked: Future[Any] = house.app.begin(
            house.app.request(
                "PATCH",
                f"/api/units/{unit}",
                owner,
                json={"nom": "N"},
                headers={"X-Request-ID": "the-one-that-waits"},
            )
        )
        wait_for(lambda: "reference_app:the-one-that-waits" in names(house), "nobody is named")
        blocker.rollback()
    answer = asked.result(timeout=30)

    assert (answer.status_code, answer.headers["x-request-id"]) == (200, "the-one-that-waits")
    assert names(house) <= {"reference_app"}


def test_whatever_is_logged_for_a_request_carries_its_id(house: Site) -> None:
    owner = house.world.owner()
    house.world.run("ALTER TABLE km_trajets RENAME TO gone")
    try:
        with listening("reference_app") as lines:
            failed = house.call("GET", "/api/trips", owner, headers={"X-Request-ID": "broken"})
    finally:
        house.world.run("ALTER TABLE gone RENAME TO km_trajets")

    assert (failed.status_code, failed.json()["request_id"]) == (500, "broken")
    assert [(line["request_id"], line["level"]) for line in lines] == [("broken", "ERROR")]


def test_requests_at_the_same_time_keep_their_ids_apart(house: Site) -> None:
    admin = house.world.group("institutional")
    answers = house.app.together(
        [
            (
                "POST",
                "/api/schools",
                admin,
                {"json": {"name": f"n{n}", "city": "D"}, "headers": {"X-Request-ID": f"n{n}"}},
            )
            for n in range(24)
        ]
    )

    assert {answer.status_code for answer in answers} == {201}
    written = house.world.rows(
        "SELECT request_id, after ->> 'name' FROM audit_trail WHERE table_name = 'schools'"
        " AND school_group_id = %s",
        admin.tenant_id,
    )
    assert sorted(written) == sorted((f"n{n}", f"n{n}") for n in range(24))


def test_an_id_that_is_longer_than_a_name_may_be_does_no_harm(house: Site) -> None:
    long = "x" * 100

    answer = house.call("GET", "/api/units", house.world.owner(), headers={"X-Request-ID": long})

    assert (answer.status_code, answer.headers["x-request-id"]) == (200, long)


def test_a_line_that_no_request_caused_has_no_id() -> None:
    record = logging.LogRecord("reference_app", logging.INFO, "", 0, "ready", None, None)

    assert "request_id" not in json.loads(JsonFormatter().format(record))
