"""Schedules of loads that move, against theory."""

from __future__ import annotations

import math
import sys
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from palier.load.arrivals import arrivals_us
from palier.load.chance import MICROSECONDS, stream
from palier.load.expected import busiest_moment, expected_requests
from palier.load.schedule import make_schedule
from palier.model.curve import Curve
from palier.model.plan import RunPlan
from palier.model.rate_shape import Ramp, Sine, Spike, Stage, Staged, Trace

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from load_plans import journey, plan_of

DURATION_S = 40.0

LEVELS = st.floats(0.0, 8.0)


@st.composite
def shapes(draw: st.DrawFn) -> dict[str, object]:
    match draw(st.sampled_from(["ramp", "staged", "sine", "spike"])):
        case "ramp":
            return {"ramp": Ramp(start=draw(LEVELS), end=draw(st.floats(0.1, 8.0)))}
        case "sine":
            low = draw(st.floats(0.0, 2.0))
            high = low + draw(st.floats(0.1, 3.0))
            return {"sine": Sine(period_s=draw(st.floats(1.0, 100.0)), low=low, high=high)}
        case "spike":
            parts = draw(st.lists(st.floats(0.1, 10.0), min_size=4, max_size=4))
            at_s, rise_s, hold_s, fall_s = parts
            to, base = draw(st.floats(0.1, 8.0)), draw(LEVELS)
            spike = Spike(base=base, to=to, at_s=at_s, rise_s=rise_s, hold_s=hold_s, fall_s=fall_s)
            return {"spike": spike}
        case _:
            lengths = draw(st.lists(st.floats(0.0, 20.0), min_size=1, max_size=5))
            stages = [Stage(duration_s=length, to=draw(LEVELS)) for length in lengths]
            stages.append(Stage(duration_s=1.0, to=draw(st.floats(0.1, 8.0))))
            return {"staged": Staged(start=draw(LEVELS), stages=tuple(stages))}


@st.composite
def plans(draw: st.DrawFn) -> RunPlan:
    return plan_of(
        journey(*draw(st.sampled_from(["a", "ab", "abc"])), think_s=draw(st.floats(0.0, 3.0))),
        requests_per_s=draw(st.floats(0.5, 10.0)),
        duration_s=DURATION_S,
        seed=draw(st.integers(0, 2**63)),
        arrivals=draw(st.sampled_from(["poisson", "constant"])),
        **draw(shapes()),
    )


def curve_of(shape: dict[str, object]) -> Curve:
    return plan_of(duration_s=DURATION_S, **shape).curve


@given(shapes(), st.floats(-20.0, 60.0))
def test_the_area_is_the_integral_of_the_level(shape: dict[str, object], at_s: float) -> None:
    curve = curve_of(shape)
    # Simpson's rule between bends, where every curve is smooth; a stretch holds many points.
    cuts = sorted({0.0, at_s, *(b for b in curve.bends if min(0.0, at_s) < b < max(0.0, at_s))})
    total = 0.0
    for low, high in pairwise(cuts):
        inside = np.linspace(low, high, 1001)
        levels = np.array([curve.level(x) for x in inside])
        levels[-1] = curve.level(np.nextafter(high, low))  # a jump belongs to the next stretch
        weights = np.tile([2.0, 4.0], 501)[:1001]
        weights[0] = weights[-1] = 1.0
        total += float(weights @ levels) * (high - low) / 3000
    signed = total if at_s >= 0 else -total
    assert curve.area(at_s) == pytest.approx(signed, rel=1e-5, abs=1e-5)


@given(shapes(), st.floats(0.0, 1.0))
def test_the_way_back_from_an_area_leads_to_where_it_was_reached(
    shape: dict[str, object], share: float
) -> None:
    curve = curve_of(shape)
    area_s = share * curve.area(DURATION_S)
    at_s = curve.when(area_s)
    assert 0 <= at_s <= DURATION_S * (1 + 1e-9)
    assert curve.area(at_s) == pytest.approx(area_s, abs=1e-6)


@given(plans())
@settings(max_examples=40, deadline=None)
def test_the_same_plan_gives_the_same_bytes(plan: RunPlan) -> None:
    assert make_schedule(plan) == make_schedule(replace(plan, workers=3))


@given(plans(), st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_any_number_of_workers_plays_every_session_exactly_once(
    plan: RunPlan, workers: int
) -> None:
    schedule = make_schedule(plan)
    stripes = [schedule.for_worker(worker, workers) for worker in range(workers)]
    played = sorted((s for stripe in stripes for s in stripe), key=lambda s: s.index)
    assert tuple(played) == schedule.sessions


SHAPES = {
    "ramp": {"ramp": Ramp(start=0.0, end=2.0)},
    "staged": {
        "staged": Staged(
            stages=(
                Stage(duration_s=15, to=1),
                Stage(duration_s=10, to=1),
                Stage(duration_s=0, to=3),
                Stage(duration_s=15, to=0.5),
            )
        )
    },
    "sine": {"sine": Sine(period_s=25.0, low=0.0, high=2.0)},
    "spike": {"spike": Spike(to=6.0, at_s=10, rise_s=2, hold_s=8, fall_s=2)},
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_poisson_arrivals_of_a_curve_have_exponential_gaps_in_its_area(
    shape: str, seed: int
) -> None:
    """The time-change theorem: measured in area, not in seconds, gaps are those of one rate."""
    plan = plan_of(journey("a"), requests_per_s=60, duration_s=DURATION_S, **SHAPES[shape])
    at_us = list(arrivals_us(plan, stream(seed, "arrivals")))
    areas = [plan.curve.area(at / MICROSECONDS) for at in at_us]
    gaps = [after - before for before, after in pairwise(areas)]
    fit = stats.kstest(gaps, "expon", args=(0, 1 / 60))
    assert len(gaps) > 1_000
    assert fit.pvalue > 0.001, f"{shape}, seed {seed}: {len(gaps)} gaps, p = {fit.pvalue:.2g}"


@pytest.mark.parametrize("shape", SHAPES)
def test_the_number_of_arrivals_is_poisson_with_the_area_as_its_mean(shape: str) -> None:
    """In four quarters of the window, over 400 seeds: mean and variance are the area's."""
    plan = plan_of(journey("a"), requests_per_s=5, duration_s=DURATION_S, **SHAPES[shape])
    quarters: list[list[int]] = [[], [], [], []]
    for seed in range(400):
        at_s = [at / MICROSECONDS for at in arrivals_us(plan, stream(seed, "arrivals"))]
        counts = Counter(int(at // (DURATION_S / 4)) for at in at_s)
        for number, counted in enumerate(quarters):
            counted.append(counts[number])
    bounds = [plan.curve.area(k * DURATION_S / 4) for k in range(5)]
    for counted, (low, high) in zip(quarters, pairwise(bounds), strict=True):
        mean = 5 * (high - low)
        error = math.sqrt(mean / 400)
        assert fmean(counted) == pytest.approx(mean, abs=4.5 * error)
        assert np.var(counted) == pytest.approx(mean, rel=0.35)


@pytest.mark.parametrize("shape", SHAPES)
def test_even_arrivals_of_a_curve_are_evenly_spaced_in_its_area(shape: str) -> None:
    plan = plan_of(
        journey("a"), requests_per_s=20, duration_s=DURATION_S, arrivals="constant", **SHAPES[shape]
    )
    at_us = list(arrivals_us(plan, stream(1, "arrivals")))
    assert len(at_us) == pytest.approx(20 * plan.curve.area(DURATION_S), abs=1)
    for place, at in enumerate(at_us):
        # One microsecond of rounding each way, at the highest level.
        assert plan.curve.area(at / MICROSECONDS) == pytest.approx((place + 0.5) / 20, abs=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_requests_of_thinking_visitors_follow_the_curve_as_expected(shape: str) -> None:
    """By quarter of the window and operation, over 25 schedules with pauses of seconds."""
    plan = plan_of(
        journey("a", "b", "c", think_s=4.0),
        requests_per_s=30,
        duration_s=DURATION_S,
        **SHAPES[shape],
    )
    counts: Counter[tuple[int, str]] = Counter()
    for seed in range(25):
        made = make_schedule(replace(plan, seed=seed))
        for (second, operation), count in made.planned_counts().items():
            counts[int(second // 10), operation] += count
    for part in range(4):
        expected = expected_requests(plan, from_s=part * 10.0, to_s=part * 10.0 + 10)
        for operation, mean in expected.items():
            error = math.sqrt(mean / 25)
            assert counts[part, operation] / 25 == pytest.approx(mean, abs=4.5 * error + 0.1)


def test_the_busiest_moment_of_the_requests_is_later_and_lower_than_that_of_the_arrivals() -> None:
    plan = plan_of(
        journey("a", "b", "c", think_s=4.0),
        requests_per_s=60,
        duration_s=DURATION_S,
        spike=Spike(to=6.0, at_s=10, hold_s=8),
    )
    highest_per_s, at_s = busiest_moment(plan)
    counts: Counter[int] = Counter()
    for seed in range(25):
        for (second, _), count in make_schedule(replace(plan, seed=seed)).planned_counts().items():
            counts[second] += count
    made_per_s = (counts[int(at_s) - 1] + counts[int(at_s)]) / 2 / 25
    assert made_per_s == pytest.approx(highest_per_s, rel=0.08)
    assert 17 < at_s < 20
    assert 60 * 3 < highest_per_s < 60 * 6


@pytest.mark.parametrize("shape", SHAPES)
def test_the_judged_window_holds_the_requests_that_were_planned_for_it(shape: str) -> None:
    plan = replace(
        plan_of(
            journey(*"abcd", think_s=3.0), requests_per_s=20, duration_s=DURATION_S, **SHAPES[shape]
        ),
        warmup_s=5.0,
    )
    wanted = sum(expected_requests(plan, from_s=5.0, to_s=DURATION_S).values())
    for seed in range(3):
        offered = make_schedule(replace(plan, seed=seed)).offered_per_s(from_s=5.0)
        assert offered * (DURATION_S - 5) == pytest.approx(wanted, rel=0.0101)


def test_who_is_there_when_a_load_begins_to_move_came_at_the_level_of_its_start() -> None:
    """Five times the level at the start, five times the sessions in progress; none from level 0."""
    steps = journey("a", "b", think_s=5.0)
    there = {}
    for level in (0.0, 1.0, 5.0):
        shape = Ramp(start=level, end=1.0 if level else 2.0)
        plan = plan_of(steps, requests_per_s=40, duration_s=5, ramp=shape)
        there[level] = sum(s.first_step > 0 for s in make_schedule(plan).sessions)
    # Little's law: 20 arrive each second and stay 5 s; 1 - 1/e of them go on within the window.
    assert there[0.0] == 0
    assert there[1.0] == pytest.approx(100 * (1 - math.exp(-1)), rel=0.35)
    assert there[5.0] == pytest.approx(500 * (1 - math.exp(-1)), rel=0.15)


TRACES = st.lists(st.integers(0, int(DURATION_S * 1e6) - 1), min_size=1, max_size=60)


@given(TRACES, st.integers(0, 2**32), st.integers(1, 4))
@settings(max_examples=60)
def test_a_trace_is_replayed_to_the_microsecond_whatever_the_seed_and_workers(
    instants_us: list[int], seed: int, workers: int
) -> None:
    plan = plan_of(
        journey("a"),
        duration_s=DURATION_S,
        seed=seed,
        workers=workers,
        arrivals_us=tuple(sorted(instants_us)),
        trace=Trace(path="access.log"),
    )
    schedule = make_schedule(plan)
    assert [s.at_us for s in schedule.sessions] == sorted(instants_us)
    stripes = [schedule.for_worker(worker, workers) for worker in range(workers)]
    assert sorted(s.at_us for stripe in stripes for s in stripe) == sorted(instants_us)


@given(TRACES, st.floats(0.001, 5.0))
@settings(max_examples=30)
def test_a_spread_moves_arrivals_of_a_trace_on_by_less_than_it_says(
    instants_us: list[int], spread_s: float
) -> None:
    plan = plan_of(
        journey("a"),
        duration_s=DURATION_S + 10,
        arrivals_us=tuple(sorted(instants_us)),
        trace=Trace(path="access.log", spread_s=spread_s),
    )
    at_us = [s.at_us for s in make_schedule(plan).sessions]
    assert at_us == [s.at_us for s in make_schedule(plan).sessions]
    for moved, instant in zip(at_us, sorted(instants_us), strict=True):
        # In order both: the k-th of the moved ones lies between the k-th and the k-th plus spread.
        assert instant <= moved < instant + spread_s * MICROSECONDS


def test_loads_that_do_not_move_have_the_schedules_they_always_had() -> None:
    """Digests of the version before loads could move."""
    kinds = (journey("a", "b", "c", think_s=2.0), journey("x", id_="K", weight=0.3))
    digests = {
        "poisson": "9aa9996149497cc524f9b7c1e9645bbb93a350049288bd0a7b1dc7535ebfca6f",
        "constant": "4136b55c9b3adf1f3e638d8298ad701550a018a5453f02a2ab5160f0e438ca6b",
    }
    for arrivals, digest in digests.items():
        plan = plan_of(*kinds, requests_per_s=30, duration_s=20, seed=7, arrivals=arrivals)
        assert make_schedule(plan).digest == digest
