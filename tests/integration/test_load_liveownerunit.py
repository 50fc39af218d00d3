"""The LiveOwnerUnit scenario against the real application on a real PostgreSQL."""

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
from seed.dataset import seed_database

PROJECT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(PROJECT / "tests" / "support"))

from load_plans import journey, plan_of  # noqa: E402

STATED = load_catalogue(PROJECT / "tiers.yaml").system("liveownerunit").journeys

EVERYTHING_ELSE = journey(
    *("sign_in", "list_units", "search_guest", "filter_reservations", "create_reservation"),
    *("read_reservation", "change_reservation", "cancel_reservation"),
    id_="all the others",
)


def hurried(one: Journey) -> Journey:
    """The same steps with hardly a pause."""
    steps = (replace(step, think_s=min(step.think_s, 0.05)) for step in one.steps)
    return replace(one, weight=1.0, steps=tuple(steps))


JOURNEYS = tuple(map(hurried, (*STATED, EVERYTHING_ELSE)))


@pytest.mark.db
@pytest.mark.covers("J-01", "J-02", "J-03", "J-04", "J-05", "J-06", "J-07", "J-08", "J-12", "J-13")
@pytest.mark.parametrize("pagination", ["offset", "keyset"])
def test_every_operation_of_the_scenario_succeeds_against_the_application(
    tmp_path: Path, stacks_home: Path, pagination: str
) -> None:
    plan = plan_of(*JOURNEYS, requests_per_s=40, duration_s=4, request_timeout_s=10, drain_s=10)
    data = DataSpec(tenants=20, units_per_tenant=2, reservations_per_unit=40)
    tier = replace(plan.tier, system="liveownerunit", data=data)
    plan = replace(plan, tier=tier, scenario="scenarios/liveownerunit.py")
    variant = replace(Variant(), pagination=pagination)

    with bring_up(
        spec=StackSpec(password_hash_log2_n=4, pool_size=4),
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
                "DELETE FROM km_trajets WHERE id = (SELECT id FROM km_trajets"
                " WHERE motif LIKE 'visite %' ORDER BY id LIMIT 1)"
            )
        robbed = look(stack.admin_url, plan, baseline=baseline, load=load)

    ledger = read_ledger(tmp_path / "run" / "ledger.parquet")
    by_operation = ledger.groupby("operation").sum(numeric_only=True)
    wanted = {step.operation for one in JOURNEYS for step in one.steps}
    failures = (tmp_path / "run" / "exemplars.jsonl").read_text()
    assert result.closes
    assert set(by_operation.index) == wanted
    assert (by_operation["succeeded"] == by_operation["planned"]).all(), failures
    assert 0 < result.observations["page_rows_max"] <= 50
    answers = {one.id: one for one in looked.invariants}
    assert answers["written-once"].checked > 0
    assert [one for one in looked.invariants if one.state not in ("held", "not_applicable")] == []
    broken = [one.id for one in robbed.invariants if one.state == "violated"]
    assert broken == ["acknowledged-writes", "nothing-else-written"]
