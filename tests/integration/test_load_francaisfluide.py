"""The FrançaisFluide scenario against the real application on a real PostgreSQL."""

from __future__ import annotations

import os
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
from palier.stack.programs import on_path
from palier.stack.topology import bring_up
from seed.dataset import seed_database

PROJECT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(PROJECT / "tests" / "support"))

from load_plans import plan_of  # noqa: E402

CATALOGUE = load_catalogue(PROJECT / "tiers.yaml")


def hurried(one: Journey) -> Journey:
    """The same steps with hardly a pause."""
    steps = (replace(step, think_s=min(step.think_s, 0.05)) for step in one.steps)
    return replace(one, weight=1.0, steps=tuple(steps))


JOURNEYS = tuple(map(hurried, CATALOGUE.system("francaisfluide").journeys))


PHASES = [
    pytest.param(Variant(pagination="offset", learning_cache="bounded"), id="phase 2"),
    pytest.param(
        Variant(
            pagination="offset",
            cache="redis",
            learning_cache="levels",
            web_cache=True,
            compression=True,
        ),
        id="phase 3",
        marks=[
            pytest.mark.slow,
            pytest.mark.skipif(
                on_path("nginx", os.environ) is None, reason="needs the package nginx"
            ),
        ],
    ),
]


@pytest.mark.db
@pytest.mark.parametrize("variant", PHASES)
def test_every_operation_succeeds_and_a_lost_correction_or_a_passed_quota_is_seen(
    tmp_path: Path, stacks_home: Path, variant: Variant
) -> None:
    plan = plan_of(*JOURNEYS, requests_per_s=40, duration_s=4, request_timeout_s=10, drain_s=10)
    data = DataSpec(tenants=40, units_per_tenant=0, reservations_per_unit=0)
    tier = replace(plan.tier, system="francaisfluide", data=data)
    plan = replace(plan, tier=tier, scenario="scenarios/francaisfluide.py")
    shared = variant.learning_cache == "levels"

    with bring_up(
        spec=StackSpec(
            app_processes=2 if shared else 1,
            password_hash_log2_n=4,
            pool_size=8,
            pool_min=2,
            statement_retries=3,
        ),
        variant=variant,
        seeder=lambda url, after: seed_database(url, tier, plan.seed, after_data=after),
        state_dir=tmp_path,
        purpose="test",
        home=stacks_home,
    ) as stack:
        baseline = take_baseline(stack.admin_url)
        result = drive(plan, run_dir=tmp_path / "run", url=stack.url)
        load = tmp_path / "run" / "load"
        looked = look(stack.admin_url, plan, baseline=baseline, load=load)
        with psycopg.connect(stack.admin_url) as connection:
            connection.execute(
                "DELETE FROM corrections WHERE id = (SELECT id FROM corrections"
                " ORDER BY created_at DESC, id LIMIT 1)"
            )
            connection.execute("UPDATE quota_use SET used = 1000000 WHERE kind = 'corrections'")
        robbed = look(stack.admin_url, plan, baseline=baseline, load=load)

    ledger = read_ledger(tmp_path / "run" / "ledger.parquet")
    by_operation = ledger.groupby("operation").sum(numeric_only=True)
    wanted = {step.operation for one in JOURNEYS for step in one.steps}
    failures = (tmp_path / "run" / "exemplars.jsonl").read_text()
    assert result.closes
    assert set(by_operation.index) == wanted
    assert (by_operation["succeeded"] == by_operation["planned"]).all(), failures
    answers = {one.id: one for one in looked.invariants}
    assert [one for one in looked.invariants if one.state not in ("held", "not_applicable")] == []
    assert answers["acknowledged-writes"].checked > 0
    hits, asked = result.tallies["second_load_hit"]
    assert hits == asked > 0  # of two processes, too, which Redis makes one
    assert answers["quotas-never-passed"].state == "held"
    assert answers["quotas-count-what-was-made"].checked > 0
    broken = [one.id for one in robbed.invariants if one.state == "violated"]
    assert broken == ["acknowledged-writes", "nothing-else-written", "quotas-never-passed"]
