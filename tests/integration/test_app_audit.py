"""Who changed what: written by triggers, whoever changes it, and read by whom it concerns."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from app_support import Site, site, worker_login

from reference_app.audit.queries import CHANGES_OF_THE_SERVICE
from reference_app.identity.principal import Principal
from reference_app.listing import _KEYSET, _statement
from reference_app.variant import Variant

pytestmark = pytest.mark.db

AUDITED = {
    "school_groups", "subscriptions", "schools", "students", "staff", "stored_files",
    "school_modules", "webhook_endpoints", "payment_methods", "payments", "users",
    "subscription_plans", "plan_prices", "plan_modules", "plan_categories", "alert_rules",
}  # fmt: skip


@pytest.fixture(scope="module", params=["off", "wrapped"])
def campus(request: pytest.FixtureRequest, fresh_database: Any) -> Iterator[Site]:
    variant = Variant(indexes="full", row_security=request.param, pagination="keyset")
    with fresh_database() as url, site(url, variant) as up:
        yield up


def trail(up: Site, who: Principal, **filters: str) -> list[dict[str, Any]]:
    answer = up.call("GET", "/api/audit", who, params=filters)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def create(up: Site, admin: Principal, request_id: str, name: str = "École Curie") -> str:
    answer = up.call(
        "POST",
        "/api/schools",
        admin,
        json={"name": name, "city": "Dole"},
        headers={"X-Request-ID": request_id},
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.mark.covers("B-54")
def test_the_trail_says_who_changed_what_and_with_which_request(campus: Site) -> None:
    admin = campus.world.group("pro")

    school = create(campus, admin, "the-creation")
    path = f"/api/schools/{school}"
    campus.call("PATCH", path, admin, json={"city": "Arbois"}, headers={"X-Request-ID": "the-move"})
    campus.call("DELETE", path, admin, headers={"X-Request-ID": "the-end"})
    deleted, changed, created = trail(campus, admin, table="schools")

    for entry in (deleted, changed, created):
        assert entry["actor_id"] == str(admin.user_id)
        assert entry["actor_role"] == "group_admin"
        assert entry["school_group_id"] == str(admin.tenant_id)
        assert (entry["table"], entry["row_id"]) == ("schools", school)
    assert (created["action"], created["request_id"]) == ("insert", "the-creation")
    assert created["before"] is None
    assert created["after"]["name"] == "École Curie"
    assert (changed["action"], changed["request_id"]) == ("update", "the-move")
    assert (changed["before"], changed["after"]) == ({"city": "Dole"}, {"city": "Arbois"})
    assert (deleted["action"], deleted["request_id"]) == ("delete", "the-end")
    assert deleted["before"] == {**created["after"], "city": "Arbois"}
    assert deleted["after"] is None


def test_what_is_refused_leaves_nothing_and_reading_neither(campus: Site) -> None:
    admin = campus.world.group("free")
    create(campus, admin, "the-only-one")

    over = campus.call("POST", "/api/schools", admin, json={"name": "Deux", "city": "Dole"})
    campus.call("GET", "/api/schools", admin)

    assert over.status_code == 409
    assert [entry["request_id"] for entry in trail(campus, admin, table="schools")] == [
        "the-only-one"
    ]


def test_a_change_that_changes_nothing_is_not_written(campus: Site) -> None:
    admin = campus.world.group("pro")
    school = create(campus, admin, "first")
    campus.world.run("UPDATE schools SET city = city WHERE id = %s", school)

    assert len(trail(campus, admin, table="schools")) == 1


def test_a_process_that_nobody_asked_is_written_down_by_its_role(
    campus: Site, worker_url: str
) -> None:
    admin = campus.world.group("pro")
    with psycopg.connect(worker_url) as worker:
        worker.execute(
            "UPDATE subscriptions SET status = 'grace', grace_until = ends_on + 7"
            " WHERE school_group_id = %s",
            [admin.tenant_id],
        )

    entry = trail(campus, admin, table="subscriptions")[0]

    assert (entry["actor_id"], entry["actor_role"], entry["request_id"]) == (None, "app_worker", "")
    assert entry["after"]["status"] == "grace"


@pytest.fixture(scope="module")
def worker_url(campus: Site) -> str:
    return worker_login(campus.world.admin_url)


def test_an_import_is_written_in_the_name_of_who_asked_for_it(
    campus: Site, worker_url: str
) -> None:
    """One statement of many rows gives as many lines."""
    admin = campus.world.group("pro")
    operation = campus.call(
        "POST",
        "/api/bulk/schools",
        admin,
        json={"items": [{"name": f"École {n}", "city": "Dole"} for n in range(7)]},
    ).json()["id"]
    with psycopg.connect(worker_url) as worker:
        worker.execute(
            "UPDATE bulk_operations SET status = 'processing', worker = 'w', started_at = now(),"
            " lease_until = now() + interval '1 minute' WHERE id = %s",
            [operation],
        )
        worker.execute(
            "SELECT run_bulk_chunk(id, 'w', started_at, 50, 30) FROM bulk_operations WHERE id = %s",
            [operation],
        )

    found = trail(campus, admin, table="schools")

    assert {entry["after"]["name"] for entry in found} == {f"École {n}" for n in range(7)}
    assert {entry["actor_id"] for entry in found} == {str(admin.user_id)}


@pytest.mark.covers("B-51", "B-54")
def test_a_group_sees_its_own_trail_and_no_others(campus: Site) -> None:
    ours, theirs = campus.world.group("pro"), campus.world.group("pro")
    mine = create(campus, ours, "ours")
    create(campus, theirs, "theirs")

    assert {entry["school_group_id"] for entry in trail(campus, ours)} == {str(ours.tenant_id)}
    assert mine in {entry["row_id"] for entry in trail(campus, ours)}
    assert trail(campus, ours, group_id=str(theirs.tenant_id)) == []


@pytest.mark.parametrize("role", ["super_admin", "support"])
def test_the_office_sees_groups_and_plans_and_nobodys_pupils(campus: Site, role: str) -> None:
    world = campus.world
    admin, office = world.group("pro"), getattr(world, role)()
    create(campus, admin, "a-school")
    boss = world.super_admin()
    path = f"/api/groups/{admin.tenant_id}/plan"
    assert campus.call("PUT", path, boss, json={"plan": "premium"}).status_code == 200

    found = trail(campus, office, group_id=str(admin.tenant_id))

    assert {entry["table"] for entry in found} == {"school_groups", "subscriptions"}
    assert found[0]["actor_id"] == str(boss.user_id)
    assert found[0]["after"]["plan_id"] != found[0]["before"]["plan_id"]
    assert trail(campus, office, table="schools") == []
    assert trail(campus, office, table="users") == []


@pytest.mark.parametrize("who", ["owner", "nobody"])
def test_others_see_none_of_it(campus: Site, who: str) -> None:
    asker = campus.world.owner() if who == "owner" else None

    assert campus.call("GET", "/api/audit", asker).status_code == (403 if asker else 401)


def test_no_hash_of_a_password_gets_into_the_trail(campus: Site) -> None:
    admin = campus.world.group("pro")
    campus.world.run("UPDATE users SET password_hash = 'other' WHERE id = %s", admin.user_id)

    changed, created = trail(campus, admin, table="users")

    assert (changed["before"], changed["after"]) == ({}, {})
    assert created["after"]["email"] == f"{admin.user_id}@example.com"
    assert "password_hash" not in created["after"]


def test_every_table_of_the_service_is_written_down_at_every_kind_of_change(campus: Site) -> None:
    found: dict[str, set[str]] = {}
    for table, trigger in campus.world.rows(
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE starts_with(tgname, 'trail_')"
    ):
        found.setdefault(table, set()).add(trigger)

    every = {"trail_insert", "trail_update", "trail_delete"}
    assert found == dict.fromkeys(AUDITED, every)


def test_nothing_is_in_the_trail_that_was_taken_back(campus: Site) -> None:
    admin, world = campus.world.group("pro"), campus.world
    with world.connection.transaction(force_rollback=True):
        world.run("UPDATE school_groups SET name = 'Autre' WHERE id = %s", admin.tenant_id)

    assert [entry["action"] for entry in trail(campus, admin, table="school_groups")] == ["insert"]


def test_the_trail_is_read_to_its_end_page_by_page(campus: Site) -> None:
    admin, mark = campus.world.group("pro"), uuid.uuid4().hex
    for number in range(120):
        campus.world.run(
            "UPDATE school_groups SET name = %s WHERE id = %s",
            *(f"{mark} {number}", admin.tenant_id),
        )

    names, address = [], "/api/audit?table=school_groups"
    while address is not None:
        page = campus.call("GET", address, admin).json()
        names += [entry["after"]["name"] for entry in page["items"]]
        address = page["next"]

    assert names == [*(f"{mark} {number}" for number in range(119, -1, -1)), "Groupe"]


def test_the_office_reads_its_newest_lines_from_an_index_of_them_alone(campus: Site) -> None:
    """However many rows of groups' own lie between."""
    with campus.world.connection.transaction(force_rollback=True):
        campus.world.run("SET LOCAL enable_seqscan = off")
        campus.world.run("SET LOCAL enable_bitmapscan = off")
        listed = _statement(CHANGES_OF_THE_SERVICE, _KEYSET, ())
        plan = [
            line
            for (line,) in campus.world.connection.execute(
                f"EXPLAIN {listed}".encode(), {"limit": 51}
            ).fetchall()
        ]

    month = f"{datetime.now(UTC):audit_trail_%Y_%m}"
    assert any("Index Scan using" in line and f"{month}_at_id_idx" in line for line in plan), plan
