"""Moving the gîtes' information between its three layouts loses nothing, in any direction."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from app_support import World, app_login, migrate_both
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.conninfo import make_conninfo

from reference_app.information import statements
from reference_app.information.columns import BY_NAME, COLUMNS, SOURCES, Column, Layout
from reference_app.information.moving import InformationLostError, layout_in_use
from reference_app.migrate import index_names, migrate
from reference_app.variant import Variant

pytestmark = pytest.mark.db

LAYOUTS: tuple[Layout, ...] = ("wide", "split_json", "split_flat")

EVERY_MOVE: tuple[Layout, ...] = (
    "split_json",
    "split_flat",
    "split_json",
    "wide",
    "split_flat",
    "wide",
)
"""From ``wide`` through each move once."""

INVENTORY = Path(__file__).parents[2] / "docs" / "requirements" / "indexes.md"

TABLES = {
    "wide": {"infos_gites": 119},
    # B-101 ... B-105: 47 columns
    "split_json": {
        "infos_gites_core": 11,
        "infos_gites_wifi": 9,
        "infos_gites_consignes": 11,
        "infos_gites_equipements": 8,
        "infos_gites_contacts": 8,
        "infos_gites_complements": 2,
    },
    # B-106 ... B-112: 87, less `langue`, and with a second language of the parking instructions
    # and three times created_at (B-114)
    "split_flat": {
        "gites_base": 16,
        "gites_wifi": 9,
        "gites_consignes": 29,
        "gites_contacts": 16,
        "gites_equipements": 20,
    },
}

texts = (
    st.none()
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
    | st.sampled_from(["", "\n", "a\n\nb", "null", "{}", '"', "fr\ten"])
)

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": texts,
    "boolean": st.booleans(),
    "integer": st.none() | st.integers(-(2**31), 2**31 - 1),
    "time": st.times(),
    "timestamptz": st.datetimes(timezones=st.just(UTC)),
    "numeric(10,8)": st.none() | st.decimals(-90, 90, places=8),
    "numeric(11,8)": st.none() | st.decimals(-180, 180, places=8),
    "numeric(10,2)": st.none() | st.decimals(Decimal("-99999999"), Decimal("99999999"), places=2),
}


def values_of(column: Column) -> st.SearchStrategy[Any]:
    if column.type == "text" and (column.default or column.name in ("nom", "adresse")):
        return texts.map(lambda text: text or "")
    return VALUES[column.type]


contents = st.fixed_dictionaries(
    {
        column.name: values_of(column)
        for column in COLUMNS
        if column.name not in ("id", "gite_id", "owner_user_id")
    }
)


@pytest.fixture(scope="module")
def world(fresh_database: Any) -> Iterator[World]:
    with fresh_database() as url:
        migrate_both(url, Variant())
        with psycopg.connect(url, autocommit=True) as connection:
            yield World(url, connection)


def in_layout(world: World, layout: Layout) -> None:
    migrate(world.admin_url, "after-data", Variant(units_table=layout))
    assert layout_in_use(world.connection) == layout


def whole_table(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT i::text FROM infos_gites i ORDER BY id")


def put(world: World, unit: uuid.UUID, content: dict[str, Any]) -> None:
    world.connection.execute(
        sql.SQL("UPDATE infos_gites SET {} WHERE id = {}").format(
            sql.SQL(", ").join(
                sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name))
                for name in content
            ),
            sql.Literal(unit),
        ),
        content,
    )


@pytest.mark.covers("F-14", "B-98", "B-100", "X-34")
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(contents, min_size=2, max_size=6))
def test_any_content_survives_every_move(world: World, rows: list[dict[str, Any]]) -> None:
    in_layout(world, "wide")
    world.run("DELETE FROM gites")
    owner = world.owner()
    for content in rows:
        put(world, world.unit(owner), content)
    before = whole_table(world)

    for layout in EVERY_MOVE:
        in_layout(world, layout)
        # also while a split is in use: not dropped, and read by nobody
        assert whole_table(world) == before
        if layout != "wide":
            assert not world.rows(
                "SELECT FROM pg_class, unnest(ARRAY['app_user', 'app_guest', 'app_worker']) AS role"
                " WHERE relname = 'infos_gites'"
                " AND has_table_privilege(role, oid, 'SELECT, UPDATE, INSERT, DELETE')"
            )


@pytest.mark.covers("B-98", "B-101", "B-102", "B-103", "B-104", "B-105")
@pytest.mark.covers("B-106", "B-107", "B-108", "B-109", "B-110", "B-111", "B-112", "B-114")
def test_the_tables_have_the_sources_columns(world: World) -> None:
    for layout, tables in TABLES.items():
        in_layout(world, layout)  # type: ignore[arg-type]
        found = dict(
            world.rows(
                "SELECT table_name::text, count(*)::int FROM information_schema.columns"
                " WHERE table_schema = 'public' AND table_name = ANY(%s) GROUP BY 1",
                list(tables),
            )
        )
        assert found == tables
    languages = world.rows(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_name = 'gites_consignes' AND column_name = 'langue'"
    )
    assert languages == []


def test_the_map_names_every_column_of_the_wide_table_in_its_order(world: World) -> None:
    stored = world.rows(
        "SELECT attname::text, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute"
        " WHERE attrelid = 'infos_gites'::regclass AND attnum > 0 ORDER BY attnum"
    )
    spelled = {"timestamp with time zone": "timestamptz", "time without time zone": "time"}

    assert len(COLUMNS) == len({column.name for column in COLUMNS}) == 119
    assert [(column.name, column.type) for column in COLUMNS] == [
        (name, spelled.get(type_, type_)) for name, type_, _ in stored
    ]
    keys = {"id", "gite_id", "owner_user_id", "nom", "adresse"}
    never_null = {name for name, _, required in stored if required}
    assert never_null - keys == {c.name for c in COLUMNS if c.default is not None}


def test_no_two_columns_have_one_place(world: World) -> None:
    for split in SOURCES:
        places = [column.place(split) for column in COLUMNS if column.name != "id"]
        assert len(set(places)) == len(places)


@pytest.mark.covers("F-14", "B-215")
@pytest.mark.parametrize("split", ["split_json", "split_flat"])
def test_a_switch_back_takes_what_was_written_meanwhile(world: World, split: Any) -> None:
    in_layout(world, "wide")
    world.run("DELETE FROM gites")
    owner = world.owner()
    old = world.unit(owner, "Ancien")
    in_layout(world, split)
    base, key = {
        "split_json": ("infos_gites_core", "gite_id"),
        "split_flat": ("gites_base", "id"),
    }[split]
    world.run(f"UPDATE {base} SET nom = 'Renommé' WHERE {key} = %s", old)
    new = world.unit(owner, "Nouveau")
    assert world.rows("SELECT nom FROM infos_gites") == [("Ancien",)]

    in_layout(world, "wide")

    assert sorted(world.rows("SELECT id, nom, ville, telephone_samu FROM infos_gites")) == sorted(
        [(old, "Renommé", "Dole", "15"), (new, "Nouveau", "Dole", "15")]
    )
    assert world.rows("SELECT to_regclass(%s)", base) == [(None,)]


def test_a_gite_begins_the_same_in_every_layout(world: World) -> None:
    begun = []
    for layout in LAYOUTS:
        in_layout(world, layout)
        unit = world.unit(world.owner())
        in_layout(world, "wide")
        begun.append(
            world.rows(
                "SELECT to_jsonb(i) - ARRAY['id', 'gite_id', 'owner_user_id', 'created_at',"
                " 'updated_at'] FROM infos_gites i WHERE id = %s",
                unit,
            )
        )
    assert begun[0] == begun[1] == begun[2]
    assert begun[0][0][0]["heure_arrivee"] == "16:00:00"


def test_gites_loaded_without_information_get_what_is_known(database: str) -> None:
    migrate(database, "before-data", Variant())
    with psycopg.connect(database, autocommit=True) as connection:
        world = World(database, connection)
        unit = world.unit(world.owner(), "Chargé")
        for layout in ("split_flat", "wide"):
            in_layout(world, layout)
        assert world.rows("SELECT id, nom, capacite_personnes FROM infos_gites") == [
            (unit, "Chargé", 6)
        ]


@pytest.mark.covers("F-14")
def test_a_move_that_would_lose_something_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake in the map: two columns that share a place in the split."""
    in_layout(world, "wide")
    unit = world.unit(world.owner())
    put(world, unit, {"reserve_1": "one", "reserve_2": "two"})
    before = whole_table(world)
    wrong = tuple(
        replace(c, flat=BY_NAME["reserve_1"].flat) if c.name == "reserve_2" else c for c in COLUMNS
    )
    monkeypatch.setattr(statements, "COLUMNS", wrong)
    statements.read_as_wide.cache_clear()
    try:
        with pytest.raises(InformationLostError, match=str(unit)):
            migrate(world.admin_url, "after-data", Variant(units_table="split_flat"))
    finally:
        statements.read_as_wide.cache_clear()
    assert layout_in_use(world.connection) == "wide"
    assert whole_table(world) == before


@pytest.mark.covers("F-14")
def test_a_migration_cut_off_in_the_middle_leaves_everything_as_it_was(world: World) -> None:
    in_layout(world, "split_json")
    world.unit(world.owner())
    in_layout(world, "wide")
    before = whole_table(world)
    impatient = make_conninfo(world.admin_url, options="-c lock_timeout=300ms")
    with psycopg.connect(world.admin_url) as blocker:
        # what the split's keys wait for, after the rows have moved
        blocker.execute("LOCK TABLE gites IN ROW EXCLUSIVE MODE")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            migrate(impatient, "after-data", Variant(units_table="split_json"))
    assert layout_in_use(world.connection) == "wide"
    assert whole_table(world) == before


def test_a_move_grows_with_the_gites_and_not_with_their_square(database: str) -> None:
    """Comparing the rows by nested loops, a statement would take half a minute here."""
    migrate(database, "before-data", Variant())
    hurried = make_conninfo(database, options="-c statement_timeout=12s")
    with psycopg.connect(database, autocommit=True) as connection:
        world = World(database, connection)
        world.run(
            "INSERT INTO gites (id, owner_user_id, nom, ville, code_postal, capacite)"
            " SELECT gen_random_uuid(), %s, 'x', 'x', 'x', 2 FROM generate_series(1, 4000)",
            world.owner().user_id,
        )
        for layout in ("split_json", "split_flat", "wide"):
            migrate(hurried, "after-data", Variant(units_table=layout))  # type: ignore[arg-type]
        assert world.rows("SELECT count(*) FROM infos_gites") == [(4000,)]


# what goes with the tables of a layout ------------------------------------------------------


@pytest.mark.covers("I-01", "I-02", "I-03", "I-04", "I-05", "I-06")
@pytest.mark.covers("I-33", "I-34", "I-35", "I-36", "I-37")
def test_each_split_brings_the_inventorys_indexes(database: str) -> None:
    inventory = INVENTORY.read_text(encoding="utf-8")
    stated = dict(re.findall(r"^\| (I-\d+) \| (idx_\w+)", inventory, re.M))
    expected = {
        "wide": set(),
        "split_json": {stated[f"I-{number:02}"] for number in range(1, 7)},
        "split_flat": {stated[f"I-{number}"] for number in range(33, 38)},
    }
    migrate(database, "before-data", Variant())
    with psycopg.connect(database, autocommit=True) as connection:
        for layout in ("split_json", "split_flat", "wide", "split_flat"):
            for index_set in ("full", "tier1", "none"):
                variant = Variant(indexes=index_set, units_table=layout)  # type: ignore[arg-type]
                migrate(database, "after-data", variant)
                present = {
                    name
                    for (name,) in connection.execute(
                        "SELECT indexname FROM pg_indexes WHERE starts_with(indexname, 'idx_')"
                    )
                }
                own = expected[layout] if index_set == "full" else set()
                assert present == index_names(index_set, layout)  # type: ignore[arg-type]
                assert present - index_names(index_set) == own


@pytest.mark.covers("B-116", "B-117", "B-118", "B-119")
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("security", ["naive", "indexed", "wrapped"])
def test_the_database_alone_keeps_the_information_of_owners_apart(
    database: str, layout: Any, security: Any
) -> None:
    """No WHERE clause of ours: only the policies, and on child tables a sub-select."""
    migrate_both(database, Variant(row_security=security, units_table=layout))
    with psycopg.connect(database, autocommit=True) as admin:
        world = World(database, admin)
        mine, theirs = world.owner(), world.owner()
        units = {owner: world.unit(owner) for owner in (mine, theirs)}
        tables = {
            "wide": {"infos_gites": "id"},
            "split_json": dict.fromkeys(TABLES["split_json"], "gite_id"),
            "split_flat": {
                **dict.fromkeys(TABLES["split_flat"], "gite_id"),
                "gites_base": "id",
                "gites_complements": "gite_id",
            },
        }[layout]
        with psycopg.connect(app_login(database), autocommit=True) as connection:
            for owner, others in ((mine, theirs), (theirs, mine)):
                connection.execute(
                    "SELECT set_config('app.user_id', %s, false)", [str(owner.user_id)]
                )
                for table, key in tables.items():
                    seen = {row[0] for row in connection.execute(f"SELECT {key} FROM {table}")}
                    assert seen == {units[owner]}, table
                    changed = connection.execute(
                        f"UPDATE {table} SET {key} = {key} WHERE {key} = %s", [units[others]]
                    )
                    assert changed.rowcount == 0, table
        on = dict(
            admin.execute(
                "SELECT relname::text, relrowsecurity FROM pg_class WHERE relname = ANY(%s)",
                [list(tables)],
            ).fetchall()
        )
        assert on == dict.fromkeys(tables, True)
