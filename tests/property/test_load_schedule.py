"""What holds for the schedule of every plan."""

from __future__ import annotations

import math
import sys
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from palier.load.chance import MICROSECONDS, THINK_LIMIT, Picker, stream, tenant_weights, think_us
from palier.load.schedule import Schedule, make_schedule
from palier.model.plan import RunPlan
from palier.model.tier import LoadSpec

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from load_plans import journey, plan_of

JOURNEYS = st.lists(
    st.builds(
        lambda steps, think_s, weight: (steps, think_s, weight),
        st.lists(st.sampled_from("abcd"), min_size=1, max_size=4),
        st.floats(0.0, 3.0),
        st.floats(0.1, 10.0),
    ),
    min_size=1,
    max_size=3,
)


@st.composite
def plans(draw: st.DrawFn) -> RunPlan:
    journeys = [
        journey(*steps, think_s=think_s, weight=weight, id_=f"J-{number}")
        for number, (steps, think_s, weight) in enumerate(draw(JOURNEYS))
    ]
    return plan_of(
        *journeys,
        requests_per_s=draw(st.floats(0.5, 40.0)),
        duration_s=draw(st.floats(0.5, 10.0)),
        seed=draw(st.integers(0, 2**63)),
        tenants=draw(st.integers(1, 500)),
        arrivals=draw(st.sampled_from(["poisson", "constant"])),
    )


@given(plans())
def test_the_same_plan_gives_the_same_bytes(plan: RunPlan) -> None:
    first, second = make_schedule(plan), make_schedule(plan)
    assert first == second
    assert first.digest == make_schedule(replace(plan, workers=7, url="http://x")).digest


@given(plans(), st.integers(1, 9))
def test_any_number_of_workers_plays_every_session_exactly_once(
    plan: RunPlan, workers: int
) -> None:
    schedule = make_schedule(plan)
    stripes = [schedule.for_worker(worker, workers) for worker in range(workers)]
    played = sorted((session for stripe in stripes for session in stripe), key=lambda s: s.index)
    assert tuple(played) == schedule.sessions


@given(plans())
def test_every_planned_step_lies_in_the_window_and_is_counted_in_its_second(plan: RunPlan) -> None:
    schedule = make_schedule(plan)
    counted: Counter[tuple[int, str]] = Counter()
    for session in schedule.sessions:
        steps = schedule.steps[session.journey]
        nominal = list(session.nominal_us())
        assert nominal
        assert nominal[0] == session.at_us
        assert 0 <= nominal[0] <= nominal[-1] < schedule.window_us
        assert 0 <= session.first_step < len(steps)
        assert session.first_step + len(nominal) <= len(steps)
        assert 0 <= session.tenant < plan.tier.data.tenants
        for place, at_us in enumerate(nominal):
            counted[at_us // MICROSECONDS, steps[session.first_step + place]] += 1
    assert schedule.planned_counts() == dict(counted)
    assert [s.index for s in schedule.sessions] == list(range(len(schedule.sessions)))
    assert sorted(s.at_us for s in schedule.sessions) == [s.at_us for s in schedule.sessions]


@given(plans())
@settings(max_examples=40)
def test_another_seed_gives_another_schedule(plan: RunPlan) -> None:
    # Busy enough that two schedules are not alike by accident.
    factor = 1 + 20 / (plan.sessions_per_s * plan.duration_s)
    busy = replace(
        plan,
        sessions_per_s=plan.sessions_per_s * factor,
        requests_per_s=plan.requests_per_s * factor,
    )
    if busy.profile.arrivals == "constant" and not any(j.think_s for j in busy.journeys):
        return  # then only journeys and tenants are left to chance, and both may be one of one
    assert make_schedule(busy).digest != make_schedule(replace(busy, seed=plan.seed + 1)).digest


@given(st.integers(0, 2**63), st.floats(0.001, 100.0))
def test_a_think_time_is_never_longer_than_its_limit(seed: int, mean_s: float) -> None:
    random = stream(seed, "pauses")
    longest = max(think_us(mean_s, random) for _ in range(100))
    assert 0 <= longest <= math.ceil(mean_s * THINK_LIMIT * MICROSECONDS)


def arrivals_of(schedule: Schedule) -> list[int]:
    return [s.at_us for s in schedule.sessions if s.first_step == 0]


def test_poisson_arrivals_have_exponential_gaps() -> None:
    plan = plan_of(journey("a"), requests_per_s=50, duration_s=60)
    at_us = arrivals_of(make_schedule(plan))
    gaps_us = [after - before for before, after in pairwise(at_us)]
    assert len(gaps_us) > 2500
    fit = stats.kstest(gaps_us, "expon", args=(0, MICROSECONDS / 50))
    assert fit.pvalue > 0.01


def test_constant_arrivals_are_evenly_spaced_and_do_not_drift() -> None:
    plan = plan_of(journey("a"), requests_per_s=3, duration_s=100, arrivals="constant")
    at_us = arrivals_of(make_schedule(plan))
    assert len(at_us) == 300
    assert all(abs(t - (k + 0.5) * MICROSECONDS / 3) <= 1 for k, t in enumerate(at_us))


def test_think_times_are_exponential_with_the_mean_of_the_step() -> None:
    random = stream(1, "pauses")
    drawn = [think_us(2.0, random) for _ in range(5000)]
    assert stats.kstest(drawn, "expon", args=(0, 2.0 * MICROSECONDS)).pvalue > 0.01


def test_the_window_opens_in_the_steady_state() -> None:
    """Rate and mix of the first seconds are those of the last, although a session is longer than
    the whole window: means of 40 schedules, so the tolerance is some four standard errors."""
    steps = journey("sign_in", "list", "read", "leave", think_s=10.0)
    early: Counter[str] = Counter()
    late: Counter[str] = Counter()
    for number in range(40):
        plan = plan_of(steps, requests_per_s=20, duration_s=20, seed=number)
        for (second, operation), count in make_schedule(plan).planned_counts().items():
            if second < 5:
                early[operation] += count
            elif second >= 15:
                late[operation] += count
    for operation in ("sign_in", "list", "read", "leave"):
        assert early[operation] == pytest.approx(40 * 5 * 5, rel=0.13)
        assert late[operation] == pytest.approx(40 * 5 * 5, rel=0.13)


@pytest.mark.parametrize("requests_per_s", [1, 8, 200])
@pytest.mark.parametrize("seed", range(4))
def test_the_offered_rate_of_a_short_run_with_long_sessions_is_the_planned_one(
    requests_per_s: float, seed: int
) -> None:
    plan = replace(
        plan_of(
            journey(*"abcdef", think_s=5.0),
            requests_per_s=requests_per_s,
            duration_s=30,
            seed=seed,
        ),
        warmup_s=5.0,
    )
    offered_per_s = make_schedule(plan).offered_per_s(from_s=5.0)
    # Within 1 %; of 25 requests, one more or less is 4 %.
    assert offered_per_s == pytest.approx(
        requests_per_s, rel=max(0.0101, 1 / (25 * requests_per_s))
    )


def test_sessions_in_progress_at_the_start_began_before_it() -> None:
    plan = plan_of(journey("a", "b", think_s=5.0), requests_per_s=40, duration_s=5)
    schedule = make_schedule(plan)
    under_way = [s for s in schedule.sessions if s.first_step]
    # Little's law: 20 arrive each second and stay 5 s; 1 - 1/e of them go on within the window.
    assert len(under_way) == pytest.approx(100 * (1 - math.exp(-1)), rel=0.35)
    assert {schedule.operations(s) for s in under_way} == {("b",)}


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=50), st.integers(0, 2**32))
@settings(max_examples=30)
def test_a_picker_picks_in_proportion_to_the_weights(weights: list[int], seed: int) -> None:
    pick, random = Picker(weights), stream(seed, "pick")
    counts = Counter(pick(random) for _ in range(2000))
    assert set(counts) <= set(range(len(weights)))
    heaviest = max(range(len(weights)), key=weights.__getitem__)
    share = weights[heaviest] / sum(weights)
    assert counts[heaviest] / 2000 == pytest.approx(share, abs=5 * math.sqrt(share / 2000) + 0.001)


@given(st.integers(1, 300), st.floats(0.0001, 1.0))
def test_no_tenant_has_more_than_its_largest_share_and_the_order_stays(
    tenants: int, at_most: float
) -> None:
    weights = tenant_weights(tenants, at_most=at_most)

    assert len(weights) == tenants
    assert weights == sorted(weights, reverse=True)
    assert weights[0] / sum(weights) <= max(at_most, 1 / tenants) * (1 + 1e-9)
    free = [weight for weight in weights if weight < weights[0]]
    assert free == tenant_weights(tenants)[tenants - len(free) :]


def test_the_busiest_owner_asks_as_fast_as_one_person_and_no_faster() -> None:
    plan = plan_of(requests_per_s=500, duration_s=60, tenants=1000)
    plan = replace(plan, tier=replace(plan.tier, load=LoadSpec(users=1000, pace_per_min=60)))

    steps = Counter[int]()
    for session in make_schedule(plan).sessions:
        steps[session.tenant] += len(session.pauses_us)

    # 500 of 1,000 are active, so 60 requests a minute of one of them are twice the mean.
    (_, most), *_ = steps.most_common(1)
    assert 40 < sum(steps[k] for k in range(50)) / 50 < 80
    assert most < 120


def test_few_tenants_are_busy_and_many_are_quiet() -> None:
    weights = tenant_weights(1000)
    assert weights == sorted(weights, reverse=True)
    assert sum(weights[:100]) / sum(weights) > 0.5
    assert all(weight > 0 for weight in tenant_weights(1_000_000))
