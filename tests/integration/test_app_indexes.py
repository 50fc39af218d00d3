"""The indexes of the inventory, as the server has them, and the slow query they are for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from app_support import World, migrate_both

from reference_app.migrate import migrate
from reference_app.variant import Variant

pytestmark = pytest.mark.db

INVENTORY = Path(__file__).parents[2] / "docs" / "requirements" / "indexes.md"

OTHERWISE = {"I-09": "idx_reservations_owner_date_debut", "I-31": "idx_activites_gite"}
"""Two names have two definitions (docs/decisions/0026-names-of-indexes-and-variants.md): the set
has both under the names that the sources give them elsewhere."""


def stated() -> dict[str, tuple[str, str, str]]:
    """(name, table, columns as PostgreSQL writes them) of the indexes that stand in no split."""
    rows = re.findall(
        r"^\| (I-\d+) \| (idx_\w+)[^|]*\| (\w+) \| ([^|]+) \| B-tree",
        INVENTORY.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    found = {}
    for number, name, table, columns in rows:
        if table.startswith(("infos_gites_", "gites_")):
            continue
        written = columns.strip().replace(" descending", " DESC").replace(" ascending", "")
        table = "activites_gites" if table == "activites" else table
        found[number] = (OTHERWISE.get(number, name), table, written)
    return found


@pytest.fixture(scope="module")
def definitions(
    fresh_database: Callable[[], AbstractContextManager[str]],
) -> Iterator[dict[str, str]]:
    """Index by name, of a database with the full set."""
    with fresh_database() as url:
        migrate_both(url, Variant(indexes="full"))
        with psycopg.connect(url) as connection:
            rows = connection.execute(
                "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
            ).fetchall()
        yield dict(rows)


@pytest.mark.covers("I-07", "I-09", "I-11", "I-14", "I-15", "I-16", "I-17", "I-18", "I-20", "I-21")
@pytest.mark.covers("I-22", "I-23", "I-24", "I-25", "I-26", "I-28", "I-29", "I-32")
@pytest.mark.parametrize("number", sorted(stated()))
def test_the_full_set_has_the_index_on_the_columns_that_the_source_states(
    definitions: dict[str, str], number: str
) -> None:
    name, table, columns = stated()[number]
    definition = definitions[name].replace('"timestamp"', "timestamp").replace('"', "")

    assert f" ON public.{table} USING btree ({columns})" in definition


def test_one_token_and_one_address_are_one_row(definitions: dict[str, str]) -> None:
    """The remarks of the inventory on I-13 and I-22."""
    for name in ("idx_fiches_token", "idx_cm_clients_email"):
        assert definitions[name].startswith("CREATE UNIQUE INDEX")


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def explained(world: World, owner: Any) -> tuple[list[dict[str, Any]], float]:
    """Plan nodes and milliseconds of the example of B-69."""
    world.run("ANALYZE reservations")
    ((answer,),) = world.rows(
        "EXPLAIN (ANALYZE, FORMAT JSON) SELECT id, date_debut, date_fin, client_nom"
        " FROM reservations WHERE owner_user_id = %s AND date_debut >= '2026-01-01'"
        " ORDER BY date_debut DESC",
        owner,
    )
    return list(nodes(answer[0]["Plan"])), answer[0]["Execution Time"]


@pytest.mark.covers("F-10", "B-69", "B-178")
def test_the_slow_query_scans_everything_before_the_index_and_the_owners_rows_after_it(
    database: str,
) -> None:
    migrate_both(database, Variant(indexes="none"))
    with psycopg.connect(database, autocommit=True) as connection:
        world = World(database, connection)
        owners = [world.owner() for _ in range(100)]
        for owner in owners:
            world.run(
                "INSERT INTO reservations (id, gite_id, owner_user_id, date_debut, date_fin,"
                " client_nom, voyageurs, plateforme, status, prix_centimes)"
                " SELECT gen_random_uuid(), %s, %s, date '2025-01-01' + 3 * n,"
                " date '2025-01-03' + 3 * n, 'Anne Martin', 2, 'direct', 'confirmed', 100"
                " FROM generate_series(1, 200) AS n",
                *(world.unit(owner), owner.user_id),
            )
        before, _ = explained(world, owners[7].user_id)
        migrate(database, "after-data", Variant(indexes="full"))
        after, took_ms = explained(world, owners[7].user_id)

    assert [node["Node Type"] for node in before if "Relation Name" in node] == ["Seq Scan"]
    used = {node["Index Name"] for node in after if "Index Name" in node}
    assert used
    assert used <= {"idx_reservations_owner_dates", "idx_reservations_owner_date_debut"}
    assert took_ms < 500
