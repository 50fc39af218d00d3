"""Plans and limits over HTTP on a real database."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from app_support import Site, site

from reference_app.identity.principal import Principal
from reference_app.variant import Variant

pytestmark = pytest.mark.db


@pytest.fixture(scope="module")
def campus(fresh_database: Any) -> Iterator[Site]:
    with fresh_database() as url, site(url, Variant(indexes="full", row_security="wrapped")) as up:
        yield up


def create_school(up: Site, admin: Principal, name: str = "École") -> int:
    body = {"name": name, "city": "Dole"}
    return up.call("POST", "/api/schools", admin, json=body).status_code


@pytest.mark.covers("B-07", "B-08", "B-09", "B-10", "B-12", "X-13")
def test_the_four_plans_have_the_stated_limits(campus: Site) -> None:
    plans = campus.call("GET", "/api/plans", campus.world.super_admin()).json()

    assert [
        (p["slug"], p["max_schools"], p["max_students"], p["max_staff"], p["max_storage"])
        for p in plans
        if "-" not in p["slug"]  # other tests add plans of their own
    ] == [
        ("free", 1, 100, 5, 1),
        ("premium", 3, 500, 20, 10),
        ("pro", 10, 2000, 50, 50),
        ("institutional", 999, 50_000, 500, 500),
    ]


@pytest.mark.covers("B-04", "B-08", "B-09", "F-01", "F-02", "X-18")
@pytest.mark.parametrize(
    ("plan", "categories", "modules"),
    [("free", 3, 8), ("premium", 6, 20), ("pro", 9, 47), ("institutional", 12, 100)],
)
def test_a_plan_grants_its_categories_and_modules(
    campus: Site, plan: str, categories: int, modules: int
) -> None:
    admin = campus.world.group(plan)

    granted = campus.call("GET", "/api/modules", admin).json()

    assert len(campus.call("GET", "/api/categories", admin).json()) == categories
    assert len(granted) == modules
    assert len({module["category"] for module in granted}) == categories
    assert len({module["name"] for module in granted}) == modules


@pytest.mark.covers("B-15", "B-16")
def test_access_follows_the_plan_and_ends_with_suspension(campus: Site) -> None:
    premium = campus.world.group("premium")
    suspended = campus.world.group("pro", status="suspended")
    by_slug = {
        row["slug"]: row["id"]
        for row in campus.call("GET", "/api/modules", campus.world.group("pro")).json()
    }
    (category,) = campus.world.rows("SELECT id FROM categories WHERE slug = 'evaluations'")[0]

    def may(admin: Principal, what: str) -> bool:
        return bool(campus.call("GET", f"/api/{what}/access", admin).json()["allowed"])

    assert may(premium, f"modules/{by_slug['evaluations-01']}")
    assert may(premium, f"categories/{category}")
    assert not may(premium, f"modules/{by_slug['transport-01']}")
    assert not may(premium, f"modules/{uuid.uuid4()}")
    assert not may(suspended, f"modules/{by_slug['evaluations-01']}")
    assert not may(suspended, f"categories/{category}")


@pytest.mark.covers("B-14", "B-34", "B-35", "B-11")
def test_the_limits_card_reproduces_the_example_of_the_source(campus: Site) -> None:
    """1/10 schools, 0/1000 students, 3/10 staff, 0/5 GB: a plan of its own, limits are data."""
    slug = f"card-{uuid.uuid4().hex}"
    campus.world.run(
        "INSERT INTO subscription_plans VALUES (gen_random_uuid(), %s, 'Card', 10, 1000, 10, 5)",
        slug,
    )
    admin = campus.world.group(slug)
    school = campus.world.school(admin)
    for name in ("Ada", "Bo", "Cy"):
        body = {"school_id": str(school), "name": name, "position": "Enseignant"}
        assert campus.call("POST", "/api/staff", admin, json=body).status_code == 201

    card = campus.call("GET", "/api/restrictions", admin).json()["restrictions"]

    assert [
        (r["kind"], r["used"], r["limit"], r["percent"], r["remaining"], r["state"]) for r in card
    ] == [
        ("schools", 1, 10, 10, 9, "ok"),
        ("students", 0, 1000, 0, 1000, "ok"),
        ("staff", 3, 10, 30, 7, "ok"),
        ("storage", 0, 5, 0, 5, "ok"),
    ]


@pytest.mark.covers("B-13", "B-31", "B-32", "F-04")
def test_a_guard_warns_from_the_threshold_on_and_leaves_the_action_open(campus: Site) -> None:
    slug = f"thousand-{uuid.uuid4().hex}"
    campus.world.run(
        "INSERT INTO subscription_plans VALUES (gen_random_uuid(), %s, 'T', 10, 1000, 10, 5)", slug
    )
    admin = campus.world.group(slug)
    school = campus.world.school(admin)
    campus.world.run(
        "INSERT INTO students (id, school_group_id, school_id, name)"
        " SELECT gen_random_uuid(), %s, %s, 'E' FROM generate_series(1, 850)",
        admin.tenant_id,
        school,
    )

    warned = campus.call("GET", "/api/restrictions/students", admin).json()
    silent = campus.call("GET", "/api/restrictions/students?threshold=90", admin).json()

    assert warned["state"] == "warning"
    assert warned["allowed"] is True
    assert warned["message"] == {
        "title": "Attention, limit soon",
        "text": "150 students remain",
        "usage": "850/1000",
        "percent": 85,
        "action": "raise_limit",
    }
    assert (silent["state"], silent["message"]) == ("ok", None)


@pytest.mark.covers("B-33", "B-36", "F-03", "F-05", "X-14")
def test_the_eleventh_school_of_ten_is_refused(campus: Site) -> None:
    admin = campus.world.group("pro")
    assert [create_school(campus, admin, f"École {k}") for k in range(10)] == [201] * 10

    refused = campus.call("POST", "/api/schools", admin, json={"name": "11", "city": "Dole"})
    guard = campus.call("GET", "/api/restrictions/schools", admin).json()

    assert refused.status_code == 409
    body = refused.json()
    assert body["type"] == "/problems/limit-reached"
    assert body["detail"] == "limit reached: 10 schools"
    assert (body["kind"], body["used"], body["limit"]) == ("schools", 10, 10)
    assert guard["state"] == "blocked"
    assert guard["allowed"] is False
    assert guard["message"] == {
        "title": "Limit reached",
        "text": "limit: 10 schools",
        "usage": "10/10",
        "percent": 100,
        "action": "upgrade_plan",
    }
    assert len(campus.call("GET", "/api/schools", admin).json()["items"]) == 10


@pytest.mark.covers("B-36", "X-14")
def test_concurrent_creations_at_the_limit_give_exactly_the_limit(campus: Site) -> None:
    groups = [campus.world.group("pro") for _ in range(3)]

    answers = campus.app.together(
        [
            ("POST", "/api/schools", admin, {"json": {"name": f"É{k}", "city": "Dole"}})
            for k in range(25)
            for admin in groups
        ]
    )

    assert Counter(answer.status_code for answer in answers) == {201: 30, 409: 45}
    for admin in groups:
        assert campus.world.rows(
            "SELECT count(*) FROM schools WHERE school_group_id = %s", admin.tenant_id
        ) == [(10,)]


@pytest.mark.covers("B-36")
@pytest.mark.parametrize("first_commits", [True, False])
def test_the_last_place_is_decided_by_whoever_commits_first(
    campus: Site, first_commits: bool
) -> None:
    """Two transactions at the edge, step by step: the second waits for the first to decide."""
    admin = campus.world.group("pro")
    for index in range(9):
        create_school(campus, admin, f"École {index}")
    insert = (
        "INSERT INTO schools (id, school_group_id, name, city)"
        " VALUES (gen_random_uuid(), %s, 'É', 'Dole')"
    )
    with psycopg.connect(campus.world.admin_url) as first, ThreadPoolExecutor(1) as thread:
        first.execute(insert, [admin.tenant_id])
        body = {"name": "late", "city": "Dole"}
        second = thread.submit(campus.call, "POST", "/api/schools", admin, json=body)
        campus.world.wait_for_lock("create_school")
        assert not second.done()
        if first_commits:
            first.commit()
        else:
            first.rollback()

        assert second.result(timeout=30).status_code == (409 if first_commits else 201)

    assert campus.world.rows(
        "SELECT count(*) FROM schools WHERE school_group_id = %s", admin.tenant_id
    ) == [(10,)]


@pytest.mark.covers("B-17", "B-36")
@pytest.mark.parametrize(("new_plan", "status"), [("institutional", 201), ("premium", 409)])
def test_a_creation_that_waits_for_a_plan_change_is_judged_by_the_new_plan(
    campus: Site, new_plan: str, status: int
) -> None:
    """Not refused as if the group had no subscription, and not judged by the plan that was."""
    admin = campus.world.group("pro")
    for index in range(3):
        create_school(campus, admin, f"École {index}")
    with psycopg.connect(campus.world.admin_url) as changing, ThreadPoolExecutor(1) as thread:
        changing.execute(
            "UPDATE subscriptions SET plan_id = (SELECT id FROM subscription_plans"
            " WHERE slug = %s) WHERE school_group_id = %s",
            [new_plan, admin.tenant_id],
        )
        creating = thread.submit(create_school, campus, admin, "École 3")
        campus.world.wait_for_lock("create_school")
        changing.commit()

        assert creating.result(timeout=30) == status


@pytest.mark.covers("B-36")
def test_the_limit_counts_gigabytes_and_holds_for_every_kind(campus: Site) -> None:
    admin = campus.world.group("free")
    school = campus.world.school(admin)

    def store(size_bytes: int) -> int:
        body = {"name": "photo", "size_bytes": size_bytes}
        return campus.call("POST", "/api/files", admin, json=body).status_code

    assert store(400_000_000) == 201
    assert store(600_000_001) == 409
    assert store(600_000_000) == 201
    assert store(0) == 201
    assert store(1) == 409
    staff = {"school_id": str(school), "name": "Ada", "position": "Enseignante"}
    hired = [campus.call("POST", "/api/staff", admin, json=staff).status_code for _ in range(6)]
    assert hired == [201] * 5 + [409]
    storage = campus.call("GET", "/api/restrictions/storage", admin).json()
    assert (storage["used"], storage["limit"], storage["unit"]) == (1, 1, "GB")
    assert storage["state"] == "blocked"


def create_while_the_plan_changes(up: Site) -> None:
    """64 creations and 8 changes of plan at once: what was let in is there, and no more than fits.

    The group ends on the smaller plan, so nothing of what came in after the last change may be
    above its limit, and nothing at any time above the larger one's.
    """
    admin, boss = up.world.group("pro"), up.world.super_admin()
    for index in range(2):
        create_school(up, admin, f"École {index}")
    creations = [
        ("POST", "/api/schools", admin, {"json": {"name": f"É{k}", "city": "Dole"}})
        for k in range(64)
    ]
    changes = [
        ("PUT", f"/api/groups/{admin.tenant_id}/plan", boss, {"json": {"plan": plan}})
        for plan in ("premium", "pro") * 4
    ]
    mixed = [call for k in range(8) for call in (*creations[8 * k : 8 * k + 8], changes[k])]

    answers = up.app.together(mixed)
    late = up.call("PUT", f"/api/groups/{admin.tenant_id}/plan", boss, json={"plan": "premium"})
    refused = create_school(up, admin, "after the last change")

    statuses = Counter(a.status_code for a in answers if a.request.method == "POST")
    ((there,),) = up.world.rows(
        "SELECT count(*) FROM schools WHERE school_group_id = %s", admin.tenant_id
    )
    assert set(statuses) <= {201, 409}
    assert there == 2 + statuses[201] <= 10
    assert {a.status_code for a in answers if a.request.method == "PUT"} == {200}
    assert late.status_code == 200
    assert refused == (201 if there < 3 else 409)


@pytest.mark.covers("B-36", "B-28")
def test_the_limit_holds_while_the_plan_changes_under_64_creations(campus: Site) -> None:
    create_while_the_plan_changes(campus)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.covers("B-36", "B-28")
def test_the_limit_holds_fifty_times_while_the_plan_changes(campus: Site) -> None:
    for _ in range(50):
        create_while_the_plan_changes(campus)


def test_one_statement_of_many_rows_cannot_pass_the_limit_either(campus: Site) -> None:
    admin = campus.world.group("pro")
    with pytest.raises(psycopg.Error) as refused:
        campus.world.run(
            "INSERT INTO schools (id, school_group_id, name, city)"
            " SELECT gen_random_uuid(), %s, 'É', 'Dole' FROM generate_series(1, 11)",
            admin.tenant_id,
        )

    assert refused.value.sqlstate == "PL001"
    assert json.loads(refused.value.diag.message_detail or "") == {
        "kind": "schools",
        "max": 10,
        "used": 0,
    }


@pytest.mark.covers("B-28", "B-21", "X-14")
def test_a_downgrade_below_use_keeps_everything_and_refuses_more(campus: Site) -> None:
    admin, boss = campus.world.group("pro"), campus.world.super_admin()
    for index in range(5):
        create_school(campus, admin, f"École {index}")

    changed = campus.call(
        "PUT", f"/api/groups/{admin.tenant_id}/plan", boss, json={"plan": "premium"}
    )

    assert changed.json()["plan"] == "premium"
    assert len(campus.call("GET", "/api/schools", admin).json()["items"]) == 5
    assert create_school(campus, admin) == 409
    card = campus.call("GET", "/api/restrictions/schools", admin).json()
    assert (card["used"], card["limit"], card["percent"], card["remaining"]) == (5, 3, 166, 0)
    campus.call("PUT", f"/api/groups/{admin.tenant_id}/plan", boss, json={"plan": "pro"})
    assert create_school(campus, admin) == 201


@pytest.mark.covers("B-17", "B-22", "B-210", "F-08")
def test_a_plan_change_notifies_listeners_at_commit_in_less_than_a_kilobyte(campus: Site) -> None:
    admin, boss = campus.world.group("pro"), campus.world.super_admin()
    address = f"/api/groups/{admin.tenant_id}/plan"
    with psycopg.connect(campus.world.admin_url, autocommit=True) as listener:
        listener.execute("LISTEN plan_changed")

        campus.call("PUT", address, boss, json={"plan": "premium"})
        campus.call("PUT", address, boss, json={"plan": "premium"})
        campus.call("PUT", address, boss, json={"plan": "pro"})

        heard = list(listener.notifies(timeout=10, stop_after=2))

    said = [json.loads(notice.payload) for notice in heard]
    assert [(note["old_plan"], note["plan"]) for note in said] == [
        ("pro", "premium"),
        ("premium", "pro"),
    ]
    assert {note["school_group_id"] for note in said} == {str(admin.tenant_id)}
    assert all(len(notice.payload.encode()) < 1000 for notice in heard)


def test_a_plan_or_group_that_does_not_exist_is_told_apart(campus: Site) -> None:
    boss = campus.world.super_admin()
    group = campus.world.group("pro").tenant_id

    no_plan = campus.call("PUT", f"/api/groups/{group}/plan", boss, json={"plan": "gold"})
    no_group = campus.call("PUT", f"/api/groups/{uuid.uuid4()}/plan", boss, json={"plan": "pro"})

    assert no_plan.status_code == 400
    assert no_plan.json()["errors"][0]["field"] == "plan"
    assert no_group.status_code == 404


@pytest.mark.parametrize("admin_of", [None, "suspended"])
def test_without_a_running_subscription_nothing_can_be_created(
    campus: Site, admin_of: str | None
) -> None:
    admin = campus.world.group(None) if admin_of is None else campus.world.group(status="suspended")

    refused = campus.call("POST", "/api/schools", admin, json={"name": "É", "city": "Dole"})

    assert refused.status_code == 403
    assert refused.json()["type"] == "/problems/no-running-subscription"


@pytest.mark.covers("B-05")
def test_the_usage_view_shows_a_group_only_to_itself(campus: Site) -> None:
    mine, other = campus.world.group("pro"), campus.world.group("free")
    campus.world.school(mine)
    with psycopg.connect(campus.app_url) as connection:
        connection.execute(
            "SELECT set_config('app.role', 'group_admin', true),"
            " set_config('app.tenant_id', %s, true)",
            [str(mine.tenant_id)],
        )
        seen = connection.execute(
            "SELECT school_group_id, plan, schools, max_schools FROM school_group_usage"
        ).fetchall()

    assert seen == [(mine.tenant_id, "pro", 1, 10)]
    assert other.tenant_id not in {row[0] for row in seen}


@pytest.mark.covers("B-02")
def test_a_student_cannot_be_enrolled_in_another_groups_school(campus: Site) -> None:
    mine, other = campus.world.group("pro"), campus.world.group("pro")
    body = {"school_id": str(campus.world.school(other)), "name": "Ada"}

    assert campus.call("POST", "/api/students", mine, json=body).status_code == 404
