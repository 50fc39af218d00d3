"""Groups, their schools and people, and what plans grant, over HTTP on a real database."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from app_support import Site, site

from reference_app.identity.principal import Principal
from reference_app.migrate import index_names
from reference_app.variant import Variant

pytestmark = pytest.mark.db


@pytest.fixture(scope="module")
def campus(fresh_database: Any) -> Iterator[Site]:
    variant = Variant(indexes="full", row_security="wrapped", pagination="keyset")
    with fresh_database() as url, site(url, variant) as up:
        yield up


def walk(up: Site, path: str, who: Principal) -> list[dict[str, Any]]:
    """Every row of an infinite list, as somebody who scrolls to its end meets them."""
    rows: list[dict[str, Any]] = []
    following: str | None = path
    while following is not None:
        page = up.call("GET", following, who).json()
        rows += page["items"]
        following = page["next"]
    return rows


def new_school(up: Site, admin: Principal, name: str = "École Jules Ferry") -> str:
    body = {"name": name, "city": "Dole"}
    created = up.call("POST", "/api/schools", admin, json=body)
    assert created.status_code == 201, created.text
    return str(created.json()["id"])


# groups -----------------------------------------------------------------------------------


@pytest.mark.covers("B-01", "B-02", "T-18")
def test_a_group_is_taken_on_with_a_subscription_that_begins_today(campus: Site) -> None:
    boss = campus.world.super_admin()

    created = campus.call(
        "POST", "/api/groups", boss, json={"name": "Groupe Curie", "plan": "pro", "cycle": "yearly"}
    )
    group = created.json()
    renamed = campus.call(
        "PATCH", f"/api/groups/{group['id']}", boss, json={"name": "Groupe Marie Curie"}
    )

    assert created.status_code == 201
    assert (group["plan"], group["plan_name"], group["status"]) == ("pro", "Pro", "active")
    assert campus.world.rows(
        "SELECT starts_on = current_date, ends_on = (starts_on + interval '1 year')::date, period"
        " FROM subscriptions WHERE school_group_id = %s",
        group["id"],
    ) == [(True, True, 1)]
    assert renamed.json() == {**group, "name": "Groupe Marie Curie"}
    assert campus.call("GET", f"/api/groups/{group['id']}", boss).json() == renamed.json()


def test_a_group_of_an_unknown_plan_is_refused_and_nothing_is_left_of_it(campus: Site) -> None:
    boss = campus.world.super_admin()

    refused = campus.call("POST", "/api/groups", boss, json={"name": "Sans plan", "plan": "gold"})

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "plan"
    assert campus.world.rows("SELECT FROM school_groups WHERE name = 'Sans plan'") == []


@pytest.mark.covers("B-39")
def test_the_list_of_groups_goes_on_as_long_as_one_scrolls(campus: Site) -> None:
    """Newest first, each once, whoever comes in meanwhile."""
    boss, mark = campus.world.super_admin(), uuid.uuid4().hex
    campus.world.run(
        "INSERT INTO school_groups (id, name, created_at)"
        " SELECT gen_random_uuid(), %s || ' ' || n, now() + n * interval '1 second'"
        " FROM generate_series(1, 120) AS n",
        mark,
    )

    first = campus.call("GET", f"/api/groups?q={mark}", boss).json()
    campus.world.run(
        "INSERT INTO school_groups (id, name, created_at)"
        " VALUES (gen_random_uuid(), %s || ' late', now() + interval '1 hour')",
        mark,
    )
    rest = walk(campus, first["next"], boss)

    assert [row["name"] for row in (*first["items"], *rest)] == [
        f"{mark} {n}" for n in range(120, 0, -1)
    ]
    assert len(first["items"]) == 50
    assert {row["plan"] for row in rest} == {None}


@pytest.mark.covers("B-57", "I-39")
def test_groups_and_schools_are_found_by_name_in_french(campus: Site) -> None:
    boss, admin = campus.world.super_admin(), campus.world.group("pro")
    campus.world.run(
        "UPDATE school_groups SET name = 'Groupe scolaire des Écoles réunies' WHERE id = %s",
        admin.tenant_id,
    )
    new_school(campus, admin, "Collège des Lumières")
    new_school(campus, admin, "Lycée Pasteur")

    def named(path: str, who: Principal) -> list[str]:
        return [row["name"] for row in campus.call("GET", path, who).json()["items"]]

    assert named("/api/groups?q=école+réunie", boss) == ["Groupe scolaire des Écoles réunies"]
    assert named("/api/schools?q=lumière", admin) == ["Collège des Lumières"]
    assert named("/api/schools?q=zola", admin) == []


def test_groups_are_narrowed_by_plan_and_state(campus: Site) -> None:
    boss = campus.world.super_admin()
    suspended = campus.world.group("premium", status="suspended")

    found = walk(campus, "/api/groups?plan=premium&status=suspended", boss)

    assert str(suspended.tenant_id) in {row["id"] for row in found}
    assert {(row["plan"], row["status"]) for row in found} == {("premium", "suspended")}


@pytest.mark.covers("B-05", "B-51")
def test_use_is_counted_for_the_office_which_sees_no_pupil(campus: Site) -> None:
    boss, admin = campus.world.super_admin(), campus.world.group("pro")
    school = new_school(campus, admin)
    campus.call("POST", "/api/students", admin, json={"school_id": school, "name": "Ada"})
    campus.call("POST", "/api/files", admin, json={"name": "f", "size_bytes": 7})

    own = campus.call("GET", "/api/usage", admin).json()
    seen = campus.call("GET", f"/api/groups/{admin.tenant_id}/usage", boss).json()

    assert seen == own
    assert (own["plan"], own["schools"], own["max_schools"]) == ("pro", 1, 10)
    assert (own["students"], own["max_students"]) == (1, 2000)
    assert (own["staff"], own["storage_bytes"], own["max_storage_gb"]) == (0, 7, 50)
    assert campus.call("GET", "/api/students", boss).status_code == 403
    assert campus.call("GET", f"/api/groups/{uuid.uuid4()}/usage", boss).status_code == 404
    assert campus.call("GET", "/api/usage", campus.world.group(None)).status_code == 404


# schools and people -----------------------------------------------------------------------


@pytest.mark.covers("B-36", "B-28")
def test_a_place_that_becomes_free_can_be_taken_again(campus: Site) -> None:
    admin = campus.world.group("free")
    school = new_school(campus, admin)
    body = {"name": "École Deux", "city": "Dole"}
    assert campus.call("POST", "/api/schools", admin, json=body).status_code == 409

    assert campus.call("DELETE", f"/api/schools/{school}", admin).status_code == 204

    assert campus.call("GET", f"/api/schools/{school}", admin).status_code == 404
    assert campus.call("POST", "/api/schools", admin, json=body).status_code == 201


def test_a_school_with_people_cannot_be_closed(campus: Site) -> None:
    admin = campus.world.group("pro")
    school = new_school(campus, admin)
    student = campus.call(
        "POST", "/api/students", admin, json={"school_id": school, "name": "Ada"}
    ).json()["id"]

    refused = campus.call("DELETE", f"/api/schools/{school}", admin)
    assert campus.call("DELETE", f"/api/students/{student}", admin).status_code == 204

    assert refused.status_code == 409
    assert refused.json()["type"] == "/problems/school-in-use"
    assert campus.call("DELETE", f"/api/schools/{school}", admin).status_code == 204


def test_people_are_changed_and_move_between_the_schools_of_their_group_only(campus: Site) -> None:
    admin, other = campus.world.group("pro"), campus.world.group("pro")
    first, second = new_school(campus, admin), new_school(campus, admin)
    foreign = new_school(campus, other)
    member = campus.call(
        "POST",
        "/api/staff",
        admin,
        json={"school_id": first, "name": "Ada", "position": "Enseignante"},
    ).json()
    address = f"/api/staff/{member['id']}"

    moved = campus.call("PATCH", address, admin, json={"school_id": second, "position": "CPE"})
    refused = campus.call("PATCH", address, admin, json={"school_id": foreign})
    unchanged = campus.call("PATCH", address, admin, json={})

    assert moved.json() == {**member, "school_id": second, "position": "CPE"}
    assert refused.status_code == 404
    assert unchanged.json() == moved.json()
    assert campus.call("GET", address, other).status_code == 404
    assert campus.call("PATCH", address, other, json={"name": "x"}).status_code == 404
    assert campus.call("DELETE", address, other).status_code == 404
    assert campus.call("GET", address, admin).json() == moved.json()


def test_the_size_of_a_file_cannot_be_changed(campus: Site) -> None:
    admin = campus.world.group("pro")
    file = campus.call("POST", "/api/files", admin, json={"name": "a", "size_bytes": 5}).json()
    address = f"/api/files/{file['id']}"

    assert campus.call("PATCH", address, admin, json={"size_bytes": 0}).status_code == 400
    assert campus.call("PATCH", address, admin, json={"name": "b"}).json() == {**file, "name": "b"}


@pytest.mark.covers("B-39")
def test_students_of_one_school_are_walked_through_to_the_end(campus: Site) -> None:
    admin = campus.world.group("pro")
    school, other = new_school(campus, admin), new_school(campus, admin)
    campus.world.run(
        "INSERT INTO students (id, school_group_id, school_id, name, created_at)"
        " SELECT gen_random_uuid(), %s, (ARRAY[%s, %s]::uuid[])[1 + n %% 2], 'E' || n,"
        " now() + n / 10 * interval '1 second' FROM generate_series(1, 240) AS n",
        *(admin.tenant_id, school, other),
    )

    rows = walk(campus, f"/api/students?school_id={other}", admin)

    assert sorted(int(row["name"][1:]) for row in rows) == list(range(1, 241, 2))
    times = [(row["created_at"], row["id"]) for row in rows]
    assert times == sorted(times, reverse=True)


# what plans grant -------------------------------------------------------------------------


@pytest.mark.covers("B-04", "D-01", "X-18")
def test_schools_work_with_the_modules_that_their_plan_grants(campus: Site) -> None:
    admin, boss = campus.world.group("pro"), campus.world.super_admin()
    school = new_school(campus, admin)
    granted = campus.call("GET", "/api/modules", admin).json()
    of_pro = next(module for module in granted if module["category"] == "transport")
    ((beyond,),) = campus.world.rows("SELECT id FROM modules WHERE slug = 'pilotage-01'")
    address = f"/api/schools/{school}/modules"

    assert campus.call("PUT", f"{address}/{of_pro['id']}", admin).status_code == 204
    assert campus.call("PUT", f"{address}/{of_pro['id']}", admin).status_code == 204
    refused = campus.call("PUT", f"{address}/{beyond}", admin)
    unknown = campus.call("PUT", f"{address}/{uuid.uuid4()}", admin)
    before = campus.call("GET", address, admin).json()
    campus.call("PUT", f"/api/groups/{admin.tenant_id}/plan", boss, json={"plan": "premium"})
    after = campus.call("GET", address, admin).json()

    assert refused.json()["type"] == "/problems/module-not-granted"
    assert unknown.status_code == 403
    assert [(row["slug"], row["usable"]) for row in before] == [(of_pro["slug"], True)]
    assert [(row["slug"], row["usable"]) for row in after] == [(of_pro["slug"], False)]
    assert campus.call("DELETE", f"{address}/{of_pro['id']}", admin).status_code == 204
    assert campus.call("DELETE", f"{address}/{of_pro['id']}", admin).status_code == 404


def test_modules_of_somebody_elses_school_are_out_of_reach(campus: Site) -> None:
    mine, other = campus.world.group("pro"), campus.world.group("pro")
    school = new_school(campus, other)
    module = campus.call("GET", "/api/modules", mine).json()[0]["id"]
    address = f"/api/schools/{school}/modules"
    assert campus.call("PUT", f"{address}/{module}", other).status_code == 204

    assert campus.call("GET", address, mine).status_code == 404
    assert campus.call("PUT", f"{address}/{module}", mine).status_code == 404
    assert campus.call("DELETE", f"{address}/{module}", mine).status_code == 404


@pytest.mark.covers("B-04", "B-15", "B-16")
def test_what_a_plan_grants_changes_for_every_group_on_it_at_once(campus: Site) -> None:
    boss = campus.world.super_admin()
    slug = f"content-{uuid.uuid4().hex}"
    ((plan,),) = campus.world.rows(
        "INSERT INTO subscription_plans VALUES (gen_random_uuid(), %s, 'C', 10, 100, 10, 5)"
        " RETURNING id",
        slug,
    )
    admin = campus.world.group(slug)
    ((module, category),) = campus.world.rows(
        "SELECT id, category_id FROM modules WHERE slug = 'cantine-01'"
    )
    address = f"/api/plans/{plan}"

    def granted() -> tuple[list[str], list[str], bool, bool]:
        return (
            [row["slug"] for row in campus.call("GET", "/api/categories", admin).json()],
            [row["slug"] for row in campus.call("GET", "/api/modules", admin).json()],
            campus.call("GET", f"/api/categories/{category}/access", admin).json()["allowed"],
            campus.call("GET", f"/api/modules/{module}/access", admin).json()["allowed"],
        )

    assert granted() == ([], [], False, False)
    assert campus.call("PUT", f"{address}/modules/{module}", boss).status_code == 204
    assert granted() == (["cantine"], ["cantine-01"], True, True)
    assert campus.call("GET", f"{address}/modules", boss).json()[0]["slug"] == "cantine-01"
    assert campus.call("DELETE", f"{address}/modules/{module}", boss).status_code == 204
    assert granted() == (["cantine"], [], True, False)
    assert campus.call("PUT", f"{address}/modules/{module}", boss).status_code == 204
    assert campus.call("DELETE", f"{address}/categories/{category}", boss).status_code == 204
    assert granted() == ([], [], False, False)
    assert campus.call("PUT", f"{address}/categories/{category}", boss).status_code == 204
    assert granted() == (["cantine"], [], True, False)
    for missing in (
        f"{address}/modules/{uuid.uuid4()}",
        f"{address}/categories/{uuid.uuid4()}",
        f"/api/plans/{uuid.uuid4()}/modules/{module}",
    ):
        assert campus.call("PUT", missing, boss).status_code == 404
        assert campus.call("DELETE", missing, boss).status_code == 404
        assert campus.call("PUT", missing, admin).status_code == 403


def test_a_plan_never_grants_a_module_without_its_category(campus: Site) -> None:
    """64 administrators at once, half of them granting what the others take away."""
    boss = campus.world.super_admin()
    ((plan,),) = campus.world.rows(
        "INSERT INTO subscription_plans VALUES (gen_random_uuid(), %s, 'C', 10, 100, 10, 5)"
        " RETURNING id",
        f"content-{uuid.uuid4().hex}",
    )
    modules = campus.world.rows(
        "SELECT m.id, m.category_id FROM modules m JOIN categories c ON c.id = m.category_id"
        " WHERE c.slug = 'cantine' ORDER BY m.slug LIMIT 4"
    )
    calls: list[tuple[str, str, Principal | None, dict[str, Any]]] = []
    for turn in range(64):
        module, category = modules[turn % len(modules)]
        calls.append(
            ("PUT", f"/api/plans/{plan}/modules/{module}", boss, {})
            if turn % 2
            else ("DELETE", f"/api/plans/{plan}/categories/{category}", boss, {})
        )

    answers = campus.app.together(calls)

    assert {answer.status_code for answer in answers} <= {204, 404}
    assert (
        campus.world.rows(
            "SELECT m.slug FROM plan_modules g JOIN modules m ON m.id = g.module_id"
            " WHERE g.plan_id = %s AND NOT EXISTS (SELECT FROM plan_categories c"
            " WHERE c.plan_id = g.plan_id AND c.category_id = m.category_id)",
            plan,
        )
        == []
    )


@pytest.mark.covers("D-02", "B-08", "B-09", "T-37", "T-38", "T-39", "T-40", "T-41", "F-01", "F-02")
def test_a_plan_change_is_seen_in_limits_categories_and_modules_at_once(campus: Site) -> None:
    boss, admin = campus.world.super_admin(), campus.world.group("pro")

    def seen() -> tuple[int, int, float]:
        card = campus.call("GET", "/api/restrictions/schools", admin).json()
        return (
            len(campus.call("GET", "/api/categories", admin).json()),
            len(campus.call("GET", "/api/modules", admin).json()),
            card["limit"],
        )

    def choose(plan: str) -> None:
        address = f"/api/groups/{admin.tenant_id}/plan"
        assert campus.call("PUT", address, boss, json={"plan": plan}).status_code == 200

    assert seen() == (9, 47, 10)
    choose("premium")
    assert seen() == (6, 20, 3)
    choose("pro")
    assert seen() == (9, 47, 10)


@pytest.mark.covers("B-03", "I-38", "I-40")
def test_the_plan_checks_look_up_a_group_and_scan_nobody_elses_rows(campus: Site) -> None:
    admin = campus.world.group("pro")
    with psycopg.connect(campus.world.admin_url) as connection:
        connection.execute("SET enable_seqscan = off")  # a test's tables are small
        for table in ("subscriptions", "schools", "students", "staff", "stored_files"):
            statement = f"EXPLAIN SELECT count(*) FROM {table} WHERE school_group_id = %s"
            plan = str(connection.execute(statement.encode(), [admin.tenant_id]).fetchall())
            assert "Index Cond: (school_group_id = " in plan
            assert "Seq Scan" not in plan
    assert {
        "idx_subscriptions_group_status_end",
        "idx_schools_group",
        "idx_students_group",
        "idx_staff_group",
    } <= index_names("full")
