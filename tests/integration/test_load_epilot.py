"""The E-Pilot scenario against the real application, its workers and a real PostgreSQL."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from palier.invariants.baseline import take_baseline
from palier.invariants.look import look
from palier.load.archive import read_ledger
from palier.load.driver import drive
from palier.model.journey import Journey
from palier.model.parse import load_catalogue
from palier.model.tier import DataSpec, StackSpec
from palier.model.variant import Variant
from palier.stack.topology import bring_up
from palier.stack.workers import OUTSIDE_WORLD
from seed.dataset import seed_database

PROJECT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(PROJECT / "tests" / "support"))

from load_plans import journey, plan_of  # noqa: E402

STATED = load_catalogue(PROJECT / "tiers.yaml").system("epilot").journeys

EVERYTHING_ELSE = journey("sign_in", "subscription", id_="all the others")

GROUPS = 25
"""Some of every kind of subscription (seed/subscriptions.py)."""


def hurried(one: Journey) -> Journey:
    """The same steps with hardly a pause."""
    steps = (replace(step, think_s=min(step.think_s, 0.05)) for step in one.steps)
    return replace(one, weight=1.0, steps=tuple(steps))


@pytest.mark.db
@pytest.mark.covers("J-09", "J-10", "J-11", "T-12", "T-14", "T-15")
def test_every_operation_is_answered_and_every_invariant_holds_beside_the_automation(
    tmp_path: Path, stacks_home: Path
) -> None:
    journeys = map(hurried, (*STATED, EVERYTHING_ELSE))
    plan = plan_of(*journeys, requests_per_s=40, duration_s=4, request_timeout_s=10, drain_s=10)
    data = DataSpec(
        tenants=GROUPS, units_per_tenant=4, reservations_per_unit=0, accounts_per_tenant=2
    )
    tier = replace(plan.tier, system="epilot", data=data)
    plan = replace(plan, tier=tier, scenario="scenarios/epilot.py")

    with bring_up(
        spec=StackSpec(
            password_hash_log2_n=4,
            pool_size=4,
            bulk_workers=1,
            automation_workers=1,
            webhook_workers=1,
        ),
        variant=Variant(indexes="full", row_security="wrapped"),
        seeder=lambda url, after: seed_database(url, tier, plan.seed, after_data=after),
        state_dir=tmp_path,
        purpose="test",
        home=stacks_home,
    ) as stack:
        baseline = take_baseline(stack.admin_url)
        drive(plan, run_dir=tmp_path / "run", url=stack.url)
        looked = look(
            stack.admin_url,
            plan,
            baseline=baseline,
            load=tmp_path / "run" / "load",
            receivers=stack.addresses[OUTSIDE_WORLD],
        )
        with psycopg.connect(stack.admin_url) as connection:
            passes = connection.execute(
                "SELECT day::text, noticed, renewed, graced, suspended FROM automation_runs"
                " WHERE finished_at IS NOT NULL ORDER BY day LIMIT 1"
            ).fetchall()
        assert stack.ended() == {}

    by_operation = read_ledger(tmp_path / "run" / "ledger.parquet")
    by_operation = by_operation.groupby("operation").sum(numeric_only=True)
    failures = (tmp_path / "run" / "exemplars.jsonl").read_text()
    assert set(by_operation.index) == {
        step.operation for one in (*STATED, EVERYTHING_ELSE) for step in one.steps
    }
    assert (by_operation["succeeded"] == by_operation["planned"]).all(), failures
    assert [one for one in looked.invariants if one.state not in ("held", "not_applicable")] == []
    answers = {one.id: one for one in looked.invariants}
    for id_ in (
        *("acknowledged-writes", "written-once", "within-plan-limits", "notices-once"),
        *("bulk-operations-whole", "bulk-rows-there", "deliveries-ended-once"),
        *("events-delivered-to-all", "received-as-delivered"),
    ):
        assert answers[id_].checked > 0, answers[id_]
    assert {fact.name for fact in looked.facts} >= {"bulk_operation_max", "events_projected"}
    ((day, noticed, renewed, graced, suspended),) = passes
    assert day == "2026-02-14"
    assert noticed >= 5
    assert (renewed, graced, suspended) == (1, 1, 1)
