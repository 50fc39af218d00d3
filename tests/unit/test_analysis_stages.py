"""Loads that move are judged for steadiness stage by stage, where the same load is offered."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from analysis_runs import (
    ERROR_GATE,
    P95_GATE,
    Played,
    health_lines,
    make_plan,
    no_telemetry,
    play,
)

from palier.analysis.analyse import analyse
from palier.analysis.findings import Findings
from palier.analysis.judge import judge
from palier.model.journey import Journey, Step
from palier.model.plan import RunPlan
from palier.model.profile import Profile
from palier.model.rate_shape import Ramp, Sine, Spike, Stage, Staged
from palier.model.stages import stages_of
from reports import words

DURATION_S = 120.0
SPIKE = {"spike": Spike(to=3, at_s=40, rise_s=5, hold_s=30, fall_s=5)}


def plan_of(**shape: Any) -> RunPlan:
    plan = make_plan(P95_GATE, ERROR_GATE, duration_s=DURATION_S)
    profile = Profile(id="moving", title="moving", duration_s=DURATION_S, **shape)
    return dataclasses.replace(plan, profile=profile)


def found(played: Played, plan: RunPlan) -> Findings:
    return analyse(
        plan=plan,
        ledger=played.ledger(),
        histograms=played.histograms(),
        health_lines=health_lines(seconds=round(DURATION_S)),
        telemetry=no_telemetry(),
        events=(),
        run="20261121T090000Z-lou-2-spike",
    )


def with_factor(factor: np.ndarray, played: Played) -> Played:
    served_s = (played.ended_s - played.started_s) * factor
    return dataclasses.replace(played, ended_s=played.started_s + served_s)


def requests(seed: int = 1) -> Played:
    return play(np.random.default_rng(seed), duration_s=DURATION_S, rate=60, median_s=0.02)


def test_the_stages_of_a_spike_are_its_straight_pieces() -> None:
    stages = stages_of(plan_of(**SPIKE))
    assert [(one.from_s, one.to_s, one.low, one.high) for one in stages] == [
        (0, 40, 1, 1),
        (40, 45, 1, 3),
        (45, 75, 3, 3),
        (75, 80, 3, 1),
        (80, 120, 1, 1),
    ]
    assert [one.is_level for one in stages] == [True, False, True, False, True]
    assert str(stages[1]) == "level 1 to 3 until 45 s"


def test_a_jump_has_no_stage_of_its_own_and_a_sine_and_a_steady_load_have_none() -> None:
    jump = Staged(
        start=1,
        stages=(Stage(duration_s=60, to=1), Stage(duration_s=0, to=2), Stage(duration_s=60, to=2)),
    )
    assert [(one.from_s, one.low) for one in stages_of(plan_of(staged=jump))] == [(0, 1), (60, 2)]
    assert stages_of(plan_of(sine=Sine(period_s=60, low=0, high=2))) == ()
    assert stages_of(make_plan(P95_GATE)) == ()


def test_a_stage_at_no_load_is_not_level_and_one_behind_the_window_is_none() -> None:
    rest = Staged(start=0, stages=(Stage(duration_s=60, to=0), Stage(duration_s=60, to=1)))
    assert [one.is_level for one in stages_of(plan_of(staged=rest))] == [False, False]
    short = dataclasses.replace(plan_of(ramp=Ramp(start=1, end=2)), duration_s=60)
    assert [one.to_s for one in stages_of(short)] == [60]


def test_every_level_stage_of_a_calm_spike_is_steady_and_keeps_no_run_from_passing() -> None:
    played = requests()
    in_peak = (played.intended_s > 45) & (played.intended_s < 75)
    plan = plan_of(**SPIKE)
    findings = found(with_factor(np.where(in_peak, 3.0, 1.0), played), plan)
    assert [(one.from_s, one.steadiness.steady) for one in findings.stages] == [
        (0, True),
        (45, True),
        (80, True),
    ]
    assert not any("steady" in reason for reason in judge(plan, findings, ()).reasons)
    assert "Stage from 45 s to 75 s (level 3): steady, no drift" in words.steadiness(findings)


def test_a_peak_that_the_system_only_outlives_is_not_steady_and_the_run_cannot_pass() -> None:
    """The backlog grows from the first to the last second of the peak; the gates are still met."""
    played = requests()
    into_peak_s = np.clip(played.intended_s - 45, 0, 30)
    factor = np.where(played.intended_s < 75, 1 + into_peak_s / 10, 1.0)
    plan = plan_of(**SPIKE)
    findings = found(with_factor(factor, played), plan)
    assert [one.steadiness.steady for one in findings.stages] == [True, False, True]
    verdict = judge(plan, findings, ())
    assert verdict.verdict == "INCONCLUSIVE"
    assert verdict.reasons[0].startswith("the stage from 45 s to 75 s (level 3) is not steady: ")


def test_the_start_of_a_stage_may_settle() -> None:
    """Five seconds of backlog after the peak are a recovery, not a drift."""
    played = requests()
    after_s = played.intended_s - 80
    factor = np.where((after_s > 0) & (after_s < 5), 6.0, 1.0)
    findings = found(with_factor(factor, played), plan_of(**SPIKE))
    last = findings.stages[-1].steadiness
    assert last.steady is True
    assert last.warmup_found_s == pytest.approx(85, abs=1)


def test_a_stage_too_short_to_tell_is_left_out_and_none_is_made_up_for_a_ramp() -> None:
    brief = {"spike": Spike(to=3, at_s=40, hold_s=8)}
    assert [one.from_s for one in found(requests(), plan_of(**brief)).stages] == [0, 48]
    assert found(requests(), plan_of(ramp=Ramp(start=0.5, end=1.5))).stages == ()


def test_a_stage_is_level_when_the_journeys_begun_before_it_are_over() -> None:
    think = Journey(
        id="J", title="J", steps=(Step(operation="list"), Step(operation="list", think_s=20.0))
    )
    plan = dataclasses.replace(plan_of(**SPIKE), journeys=(think,))
    # 45 s to 75 s is level for the arrivals; for the requests only from 65 s on.
    assert [one.from_s for one in found(requests(), plan).stages] == [0, 80]


@pytest.mark.slow
def test_level_stages_of_calm_runs_are_called_drifting_in_less_than_one_run_of_twenty() -> None:
    plan = plan_of(**SPIKE)
    alarms = sum(
        any(one.steadiness.steady is False for one in found(requests(seed), plan).stages)
        for seed in range(100)
    )
    assert alarms <= 5
