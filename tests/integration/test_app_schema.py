"""Migrations on a real database: idempotent, and every variant can follow every other."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from app_support import PASSWORD_HASH, app_login, migrate_both

from reference_app.migrate import index_names, main, migrate
from reference_app.variant import Variant, parse_variant

pytestmark = pytest.mark.db

EVERY_CHANGE = (0, 1, 0, 2, 0, 3, 1, 2, 1, 3, 2, 3, 0)
"""A walk over four variants that goes once from each to each other."""

INVENTORY = Path(__file__).parents[2] / "docs" / "requirements" / "indexes.md"


def catalogue(url: str) -> dict[str, list[Any]]:
    """Everything a migration makes, as the server describes it."""
    with psycopg.connect(url) as connection:
        return {
            name: connection.execute(query.encode()).fetchall()
            for name, query in {
                "columns": "SELECT table_name, column_name, data_type, is_nullable"
                " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2",
                "indexes": "SELECT indexname, indexdef FROM pg_indexes"
                " WHERE schemaname = 'public' ORDER BY 1",
                "constraints": "SELECT conrelid::regclass::text, conname, convalidated,"
                " pg_get_constraintdef(oid) FROM pg_constraint"
                " WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
                "policies": "SELECT tablename, policyname, cmd, roles::text, qual, with_check"
                " FROM pg_policies ORDER BY 1, 2",
                "security": "SELECT relname, relrowsecurity FROM pg_class"
                " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1",
                "triggers": "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)"
                " FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2",
                "plans": "SELECT * FROM subscription_plans ORDER BY slug",
                "modules": "SELECT * FROM modules ORDER BY slug",
                "grants": "SELECT * FROM plan_modules ORDER BY 1, 2",
            }.items()
        }


def names(found: dict[str, list[Any]], prefix: str) -> set[str]:
    return {row[0] for row in found["indexes"] if row[0].startswith(prefix)}


def test_migrating_twice_changes_nothing(database: str) -> None:
    variant = Variant(indexes="full", row_security="wrapped")
    migrate_both(database, variant)
    once = catalogue(database)

    migrate_both(database, variant)

    assert catalogue(database) == once


def test_any_variant_can_follow_any_other(database: str, fresh_database: Any) -> None:
    variants = [
        Variant(indexes=indexes, row_security=security, units_table=layout)
        for indexes, security, layout in [
            ("none", "off", "wide"),
            ("tier1", "naive", "split_json"),
            ("full", "indexed", "split_flat"),
            ("none", "wrapped", "split_json"),
        ]
    ]
    fresh = {}
    for variant in variants:
        with fresh_database() as url:
            migrate_both(url, variant)
            fresh[variant] = catalogue(url)

    migrate(database, "before-data", variants[0])
    for step in EVERY_CHANGE:
        migrate(database, "after-data", variants[step])
        assert catalogue(database) == fresh[variants[step]], step


@pytest.mark.covers("F-11", "X-35", "I-08", "I-10", "I-12", "I-13", "I-19", "I-27", "I-30", "I-31")
def test_tier_1_has_exactly_the_inventorys_indexes(database: str) -> None:
    section = INVENTORY.read_text(encoding="utf-8").split("## 3.")[1].split("## 4.")[0]
    stated = set(re.findall(r"idx_\w+", section)) - {"idx_"}
    migrate_both(database, Variant(indexes="tier1"))

    present = names(catalogue(database), "idx_")

    assert len(stated) == 8
    assert present == stated == index_names("tier1")


@pytest.mark.parametrize("index_set", ["none", "tier1", "full"])
def test_an_index_set_is_exactly_what_its_files_say(database: str, index_set: Any) -> None:
    migrate_both(database, Variant(indexes=index_set))
    assert names(catalogue(database), "idx_") == index_names(index_set)


@pytest.mark.covers("B-119", "X-60")
def test_row_security_variants_differ_in_what_they_say_they_do(fresh_database: Any) -> None:
    found = {}
    for security in ("off", "naive", "indexed", "wrapped"):
        with fresh_database() as url:
            migrate_both(url, Variant(row_security=security))
            found[security] = catalogue(url)

    protected = {name for name, on in found["naive"]["security"] if on}
    assert protected == {table for table, *_ in found["naive"]["policies"]} > {"reservations"}
    assert not any(on for _, on in found["off"]["security"])
    assert found["off"]["policies"] == []
    assert found["naive"]["policies"] == found["indexed"]["policies"]
    assert names(found["naive"], "rls_") == set()
    assert names(found["indexed"], "rls_") == names(found["wrapped"], "rls_") != set()
    # a sub-select of its own for each setting, or for none
    once = re.compile(r"\( SELECT \(*(?:NULLIF\()?current_setting\(")
    reads = {name: str(found[name]["policies"]).count("current_setting(") for name in found}
    assert reads["wrapped"] == reads["naive"] > 0
    assert len(once.findall(str(found["wrapped"]["policies"]))) == reads["wrapped"]
    assert once.findall(str(found["naive"]["policies"])) == []


@pytest.mark.covers("B-51", "B-115", "B-116", "F-30")
@pytest.mark.parametrize("security", ["naive", "indexed", "wrapped"])
def test_the_database_alone_keeps_owners_apart(database: str, security: Any) -> None:
    """No WHERE clause of ours: only the policies."""
    migrate_both(database, Variant(row_security=security))
    with psycopg.connect(database) as admin:
        for name in ("mine", "theirs"):
            admin.execute(
                "INSERT INTO users (id, email, password_hash, role)"
                " VALUES (md5(%(n)s)::uuid, %(n)s, %(h)s, 'owner')",
                {"n": name, "h": PASSWORD_HASH},
            )
            admin.execute(
                "INSERT INTO gites (id, owner_user_id, nom, ville, code_postal, capacite)"
                " VALUES (md5('g' || %(n)s)::uuid, md5(%(n)s)::uuid, %(n)s, 'D', '39', 2)",
                {"n": name},
            )
            admin.execute(
                "INSERT INTO reservations (id, gite_id, owner_user_id, date_debut, date_fin,"
                " client_nom, voyageurs, plateforme, status, prix_centimes)"
                " VALUES (md5('r' || %(n)s)::uuid, md5('g' || %(n)s)::uuid, md5(%(n)s)::uuid,"
                " '2026-01-01', '2026-01-03', %(n)s, 2, 'direct', 'confirmed', 1)",
                {"n": name},
            )
    with psycopg.connect(app_login(database), autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM reservations").fetchone() == (0,)
        connection.execute("SELECT set_config('app.user_id', md5('mine')::uuid::text, false)")

        assert connection.execute("SELECT client_nom FROM reservations").fetchall() == [("mine",)]
        assert connection.execute("SELECT nom FROM gites").fetchall() == [("mine",)]
        assert connection.execute("SELECT email FROM users").fetchall() == [("mine",)]
        assert connection.execute("UPDATE gites SET nom = 'x'").rowcount == 1
        assert connection.execute("UPDATE reservations SET prix_centimes = 2").rowcount == 1
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "INSERT INTO gites (id, owner_user_id, nom, ville, code_postal, capacite)"
                " VALUES (gen_random_uuid(), md5('theirs')::uuid, 'x', 'x', 'x', 1)"
            )
        assert connection.execute("DELETE FROM reservations").rowcount == 1
    with psycopg.connect(database) as admin:
        assert admin.execute("SELECT client_nom, prix_centimes FROM reservations").fetchall() == [
            ("theirs", 1)
        ]


@pytest.mark.covers("B-51", "F-30")
@pytest.mark.parametrize("security", ["naive", "indexed", "wrapped"])
def test_the_database_alone_keeps_groups_apart(database: str, security: Any) -> None:
    """No WHERE clause of ours and no route: only the policies."""
    migrate_both(database, Variant(row_security=security))
    group_tables = ("subscriptions", "schools", "students", "staff", "stored_files")
    with psycopg.connect(database) as admin:
        for name in ("mine", "theirs"):
            for statement in (
                "INSERT INTO school_groups (id, name) VALUES (md5(%(n)s)::uuid, %(n)s)",
                "INSERT INTO subscriptions SELECT md5(%(n)s)::uuid, md5(%(n)s)::uuid, id, 'active',"
                " 'yearly', '2026-01-01', '2027-01-01' FROM subscription_plans WHERE slug = 'pro'",
                "INSERT INTO schools VALUES (md5(%(n)s)::uuid, md5(%(n)s)::uuid, %(n)s, 'Dole')",
                "INSERT INTO students VALUES (md5(%(n)s)::uuid, md5(%(n)s)::uuid, md5(%(n)s)::uuid,"
                " %(n)s)",
                "INSERT INTO staff VALUES (md5(%(n)s)::uuid, md5(%(n)s)::uuid, md5(%(n)s)::uuid,"
                " %(n)s, 'P')",
                "INSERT INTO stored_files VALUES (md5(%(n)s)::uuid, md5(%(n)s)::uuid, %(n)s, 5)",
            ):
                admin.execute(statement.encode(), {"n": name})
    with psycopg.connect(app_login(database), autocommit=True) as connection:

        def become(role: str, group: str) -> None:
            connection.execute(
                "SELECT set_config('app.role', %s, false), set_config('app.tenant_id', %s, false)",
                [role, group],
            )

        def seen(table: str, group_column: str = "school_group_id") -> int:
            query = f"SELECT count(*), count(DISTINCT {group_column}) FROM {table}"
            rows, groups = connection.execute(query.encode()).fetchone() or (0, 0)
            assert rows == groups
            return int(rows)

        mine, theirs = (
            connection.execute("SELECT md5(%s)::uuid::text", [name]).fetchone() or ("",)
            for name in ("mine", "theirs")
        )
        change = (
            "UPDATE subscriptions SET plan_id ="
            " (SELECT id FROM subscription_plans WHERE slug = 'free')"
        )
        assert [seen(table) for table in group_tables] == [0] * 5
        become("owner", "")
        assert [seen(table) for table in group_tables] == [0] * 5
        become("group_admin", mine[0])
        assert [seen(table) for table in group_tables] == [1] * 5
        assert seen("school_groups", "id") == 1
        assert connection.execute(change).rowcount == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "INSERT INTO schools VALUES (gen_random_uuid(), %s, 'x', 'x')", [theirs[0]]
            )
        become("super_admin", "")
        assert [seen(table) for table in group_tables] == [2, 0, 0, 0, 0]
        assert seen("school_groups", "id") == 2
        assert connection.execute(change).rowcount == 2


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT password_hash FROM users",
        "UPDATE users SET role = 'super_admin'",
        "UPDATE reservations SET owner_user_id = gen_random_uuid()",
        "UPDATE schools SET school_group_id = gen_random_uuid()",
        "UPDATE stored_files SET size_bytes = 0",
        "UPDATE subscriptions SET status = 'active'",
        "UPDATE subscription_plans SET max_schools = 1000",
        "INSERT INTO modules VALUES (gen_random_uuid(), gen_random_uuid(), 'm', 'M')",
        "UPDATE subscriptions SET ends_on = '2030-01-01'",
        "INSERT INTO audit_trail (table_name, row_id, action) VALUES ('t', '1', 'insert')",
        "UPDATE payments SET status = 'succeeded'",
        "INSERT INTO payments (id, school_group_id, subscription_id, period, provider,"
        " idempotency_key, cents, status) VALUES (gen_random_uuid(), gen_random_uuid(),"
        " gen_random_uuid(), 2, 'local', 'k', 1, 'succeeded')",
        "SELECT settle_payment('local', 'k', 'succeeded', NULL, NULL)",
        "INSERT INTO webhook_events (id, school_group_id, type, source_key, payload)"
        " VALUES (gen_random_uuid(), gen_random_uuid(), 'plan.changed', 'k', '{}')",
        "SELECT ensure_log_partition('audit_trail', '2030-01-01')",
        "ALTER TABLE gites DISABLE ROW LEVEL SECURITY",
        "CREATE TABLE mine (id int)",
    ],
)
def test_the_applications_role_may_not(fresh_app_role: str, statement: str) -> None:
    with (
        psycopg.connect(fresh_app_role) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


@pytest.fixture(scope="module")
def fresh_app_role(fresh_database: Any) -> Any:
    with fresh_database() as url:
        migrate_both(url, Variant(row_security="off"))
        yield app_login(url)


@pytest.mark.covers("B-71")
def test_a_booking_must_belong_to_the_owner_of_its_gite(database: str) -> None:
    migrate_both(database, Variant())
    with psycopg.connect(database) as admin:
        admin.execute(
            "INSERT INTO users (id, email, password_hash, role) SELECT md5(n)::uuid, n, 'h',"
            " 'owner' FROM unnest(ARRAY['a', 'b']) AS n"
        )
        admin.execute(
            "INSERT INTO gites (id, owner_user_id, nom, ville, code_postal, capacite)"
            " VALUES (md5('g')::uuid, md5('a')::uuid, 'x', 'x', 'x', 1)"
        )
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            admin.execute(
                "INSERT INTO reservations (id, gite_id, owner_user_id, date_debut, date_fin,"
                " client_nom, voyageurs, plateforme, status, prix_centimes)"
                " VALUES (gen_random_uuid(), md5('g')::uuid, md5('b')::uuid, '2026-01-01',"
                " '2026-01-02', 'x', 1, 'direct', 'confirmed', 0)"
            )


def test_an_operators_change_of_a_plan_survives_a_migration(database: str) -> None:
    migrate_both(database, Variant())
    with psycopg.connect(database) as admin:
        admin.execute("UPDATE subscription_plans SET max_schools = 12 WHERE slug = 'pro'")
        admin.execute(
            "DELETE FROM plan_modules WHERE plan_id = (SELECT id FROM subscription_plans"
            " WHERE slug = 'free')"
        )

    migrate_both(database, Variant())

    with psycopg.connect(database) as admin:
        assert admin.execute(
            "SELECT max_schools FROM subscription_plans WHERE slug = 'pro'"
        ).fetchone() == (12,)
        assert admin.execute(
            "SELECT count(*) FROM plan_modules JOIN subscription_plans p ON p.id = plan_id"
            " WHERE slug = 'free'"
        ).fetchone() == (0,)


def test_the_command_line_migrates_and_says_what_is_wrong(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--url", database, "--variant", '{"indexes": "tier1", "cache": "redis"}']
    for stage in ("before-data", "after-data"):
        subprocess.run(
            [sys.executable, "-m", "reference_app.migrate", *options, "--stage", stage], check=True
        )
    assert names(catalogue(database), "idx_") == index_names("tier1")

    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    assert main(["--url", nowhere, "--stage", "after-data"]) == 5
    assert "after-data failed" in capsys.readouterr().err
    with pytest.raises(SystemExit) as left:
        main(["--url", database, "--stage", "after-data", "--variant", '{"indexs": "full"}'])
    assert left.value.code == 2
    assert "indexs" in capsys.readouterr().err


def test_a_variant_of_the_harness_is_a_variant_of_the_application() -> None:
    """Same switches, same values, same defaults on both sides of the wall."""
    import dataclasses
    import json
    import typing

    import palier.model.variant as harness

    theirs = typing.get_type_hints(harness.Variant)
    ours = typing.get_type_hints(Variant)
    assert ours == theirs
    assert parse_variant(json.dumps(dataclasses.asdict(harness.Variant()))) == Variant()
