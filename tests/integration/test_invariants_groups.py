"""Invariants of school groups on a real database: whole data holds them, each break is seen."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from app_support import World, migrate_both
from psycopg.types.json import Jsonb

from palier.analysis.invariants import Invariant
from palier.invariants.baseline import Baseline, take_baseline
from palier.invariants.deliveries import DELIVERY_CHECKS
from palier.invariants.groups import GROUP_CHECKS
from palier.invariants.look import Looked, look
from palier.load.writes import last_line, writes_file
from reference_app.identity.principal import Principal
from reference_app.variant import Variant

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))
from load_plans import journey, plan_of

pytestmark = pytest.mark.db

OURS = {one.id for one in (*GROUP_CHECKS, *DELIVERY_CHECKS)}


@dataclass
class Campus:
    """A database after a run."""

    world: World
    folder: Path
    baseline: Baseline
    group: Principal
    plan: Any

    def looked(self, receivers: str | None = None) -> Looked:
        writes_file(self.folder, 0).write_text(last_line(0))
        return look(
            self.world.admin_url,
            self.plan,
            baseline=self.baseline,
            load=self.folder,
            receivers=receivers,
        )

    def answers(self) -> dict[str, Invariant]:
        return {one.id: one for one in self.looked().invariants if one.id in OURS}

    def violated(self) -> list[str]:
        return [one.id for one in self.answers().values() if one.state == "violated"]

    def fact(self, name: str) -> float:
        return {one.name: one.value for one in self.looked().facts}[name]

    def give_plan(self, slug: str) -> None:
        self.world.run(
            "UPDATE subscriptions s SET plan_id = p.id FROM subscription_plans p"
            " WHERE p.slug = %s AND s.school_group_id = %s",
            slug,
            self.group.tenant_id,
        )

    def notice(self, days_before: int, sent_at: str, ends_on: str = "2027-01-01") -> None:
        self.world.run(
            "INSERT INTO subscription_notices (id, subscription_id, school_group_id, period,"
            " days_before, ends_on, sent_at) SELECT gen_random_uuid(), id, school_group_id, 1,"
            " %s, %s, %s FROM subscriptions WHERE school_group_id = %s",
            days_before,
            ends_on,
            sent_at,
            self.group.tenant_id,
        )

    def enrol_in_bulk(self, *names: str, refused: int = 0) -> None:
        """An operation that is through, and its pupils; the last ``refused`` had no room."""
        school = self.world.school(self.group)
        items = [{"name": name, "school_id": str(school)} for name in names]
        done = len(names) - refused
        failures = [{"index": n, "problem": "limit-reached"} for n in range(done, len(names))]
        self.world.run(
            "INSERT INTO bulk_operations (id, school_group_id, requested_by, kind, items, total,"
            " done, failed, failures, status, created_at, finished_at) VALUES (gen_random_uuid(),"
            " %s, %s, 'students', %s::jsonb, %s, %s, %s, %s::jsonb, 'completed',"
            " now() - interval '2 s', now())",
            self.group.tenant_id,
            self.group.user_id,
            Jsonb(items),
            len(names),
            done,
            refused,
            Jsonb(failures),
        )
        for name in names[:done]:
            self.world.run(
                "INSERT INTO students (id, school_group_id, school_id, name)"
                " VALUES (gen_random_uuid(), %s, %s, %s)",
                self.group.tenant_id,
                school,
                name,
            )

    def endpoint(self) -> str:
        id_ = str(uuid4())
        self.world.run(
            "INSERT INTO webhook_endpoints (id, school_group_id, url, types)"
            " VALUES (%s, %s, 'http://hooks.example/ok', '{}')",
            id_,
            self.group.tenant_id,
        )
        return id_

    def deliver(self, *, attempts: int = 1, delivered: bool = True) -> None:
        """Every delivery that waits, ended as it should be."""
        ended = "delivered" if delivered else "failed"
        for id_, event, endpoint in self.world.rows(
            "UPDATE webhook_deliveries SET status = %s, attempts = %s, finished_at = now()"
            " WHERE status = 'pending' RETURNING id, event_id, endpoint_id",
            ended,
            attempts,
        ):
            for attempt in range(1, attempts + 1):
                right = delivered and attempt == attempts
                self.world.run(
                    "INSERT INTO webhook_attempts (school_group_id, endpoint_id, delivery_id,"
                    " event_id, attempt, status, duration_ms, error)"
                    " VALUES (%s, %s, %s, %s, %s, %s, 1, %s)",
                    *(self.group.tenant_id, endpoint, id_, event, attempt),
                    *((204, None) if right else (500, "status 500")),
                )


@pytest.fixture
def campus(database: str, tmp_path: Path) -> Iterator[Campus]:
    migrate_both(database, Variant(row_security="wrapped"))
    with psycopg.connect(database, autocommit=True) as connection:
        world = World(database, connection)
        group = world.group("free")
        plan = replace(plan_of(journey("list_units")), workers=1)
        yield Campus(world, tmp_path, take_baseline(database), group, plan)


def test_a_run_that_kept_to_the_plans_holds_every_invariant_of_groups(campus: Campus) -> None:
    campus.endpoint()
    campus.give_plan("premium")
    campus.deliver()
    campus.enrol_in_bulk("Ada", "Ada", "Grace", refused=1)
    campus.notice(30, "2026-12-02 12:00+00")
    campus.notice(15, "2026-12-20 12:00+00")  # that of the 17th was missed, and made up for
    campus.deliver(attempts=3, delivered=False)

    answers = campus.answers()

    assert {one.id: one.state for one in answers.values() if one.state != "held"} == {
        "received-as-delivered": "not_applicable"
    }
    assert answers["within-plan-limits"].checked == 2  # a school and pupils
    assert answers["bulk-rows-there"].checked == 2
    assert answers["notices-once"].checked == 2
    assert answers["deliveries-ended-once"].checked == 3
    assert campus.fact("bulk_operation_max") == pytest.approx(2, abs=0.1)
    assert campus.fact("webhook_attempts_max") == 3
    # a plan change and two notices, in a table each, and the events of the three
    assert campus.fact("events_projected") == 6 / campus.plan.duration_s * 30 * 86_400


def test_a_creation_beyond_the_limit_is_seen(campus: Campus) -> None:
    campus.world.school(campus.group)
    assert campus.violated() == []

    campus.world.school(campus.group)

    assert campus.violated() == ["within-plan-limits"]
    assert "has 2 of schools" in campus.answers()["within-plan-limits"].examples[0]


def test_being_above_a_limit_after_a_downgrade_is_no_creation_beyond_it(campus: Campus) -> None:
    campus.give_plan("pro")
    campus.world.school(campus.group)
    campus.world.school(campus.group)
    campus.give_plan("free")
    assert campus.violated() == []

    campus.world.school(campus.group)

    assert campus.violated() == ["within-plan-limits"]


@pytest.mark.parametrize(
    ("days_before", "sent_at"),
    [
        (30, "2026-12-18 12:00+00"),  # the next mark had its day
        (7, "2026-12-02 12:00+00"),  # too early
        (1, "2027-01-01 12:00+00"),  # too late
    ],
)
def test_a_notice_on_a_wrong_day_is_seen(campus: Campus, days_before: int, sent_at: str) -> None:
    campus.notice(days_before, sent_at)

    assert campus.violated() == ["notices-once"]


def test_a_notice_that_was_sent_twice_is_seen(campus: Campus) -> None:
    campus.world.run(
        "ALTER TABLE subscription_notices DROP CONSTRAINT uq_subscription_notices_mark"
    )
    campus.notice(30, "2026-12-02 12:00+00")
    campus.notice(30, "2026-12-03 12:00+00")

    assert campus.violated() == ["notices-once"]


@pytest.mark.parametrize(
    ("breaking", "seen"),
    [
        ("DELETE FROM students WHERE name = 'Ada'", "bulk-rows-there"),
        (
            "INSERT INTO students SELECT gen_random_uuid(), school_group_id, school_id, name"
            " FROM students WHERE name = 'Ada'",
            "bulk-rows-there",
        ),
        ("UPDATE bulk_operations SET done = 1", "bulk-operations-whole"),
        ("UPDATE bulk_operations SET failures = '[]'", "bulk-operations-whole"),
        ("UPDATE bulk_operations SET finished_at = NULL", "bulk-operations-whole"),
    ],
)
def test_a_bulk_operation_that_says_something_else_than_the_rows_is_seen(
    campus: Campus, breaking: str, seen: str
) -> None:
    campus.enrol_in_bulk("Ada", "Grace", "Alan", refused=1)
    assert campus.violated() == []

    campus.world.run(breaking)

    assert seen in campus.violated()


@pytest.mark.parametrize(
    ("breaking", "seen"),
    [
        ("UPDATE webhook_deliveries SET attempts = 4", "deliveries-ended-once"),
        ("UPDATE webhook_deliveries SET status = 'failed'", "deliveries-ended-once"),
        (
            "INSERT INTO webhook_attempts (school_group_id, endpoint_id, delivery_id, attempt,"
            " status, duration_ms) SELECT school_group_id, endpoint_id, id, 2, 204, 1"
            " FROM webhook_deliveries",
            "deliveries-ended-once",
        ),
        ("DELETE FROM webhook_deliveries", "events-delivered-to-all"),
    ],
)
def test_a_delivery_that_is_lost_doubled_or_tried_too_often_is_seen(
    campus: Campus, breaking: str, seen: str
) -> None:
    campus.endpoint()
    campus.give_plan("pro")
    campus.give_plan("premium")
    campus.deliver()
    assert campus.violated() == []
    if breaking.startswith("DELETE"):
        breaking += " WHERE id = (SELECT id FROM webhook_deliveries LIMIT 1)"

    campus.world.run(breaking)

    assert campus.violated() == [seen]


def test_receivers_that_cannot_be_asked_leave_the_question_open(campus: Campus) -> None:
    campus.endpoint()
    campus.give_plan("pro")

    looked = campus.looked(receivers="http://127.0.0.1:1").invariants

    answer = {one.id: one for one in looked}["received-as-delivered"]
    assert answer.state == "not_checked"
    assert "could not be asked" in answer.why
