"""Targets as gates of a search, and runs as its evidence."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from analysis_runs import ERROR_GATE, P95_GATE, changed, play

from palier.capacity.evidence import Gate, Stretch
from palier.capacity.targets import LeftOut, SearchTarget, search_targets, stretch_of
from palier.model.target import Target

LATE, WRONG = search_targets([P95_GATE, ERROR_GATE])[0]


def changed_target(target: Target, **fields: object) -> Target:
    return dataclasses.replace(target, **fields)  # type: ignore[arg-type]


def why_left_out(target: Target) -> str:
    chosen, left_out = search_targets([target])
    assert chosen == ()
    return left_out[0].why


def test_a_percentile_and_an_error_ratio_are_shares_that_may_be_missed() -> None:
    assert SearchTarget(gate=Gate(id="T-52", allowed=0.05), operation=None, limit_s=0.3) == LATE
    assert SearchTarget(gate=Gate(id="T-67", allowed=0.01), operation=None, limit_s=None) == WRONG


def test_an_alarm_is_met_while_it_is_not_raised() -> None:
    alarm = changed_target(ERROR_GATE, kind="critical", comparator=">", limit=5)
    assert search_targets([alarm])[0][0].gate.allowed == 0.05


def test_goals_decide_nothing() -> None:
    assert search_targets([changed_target(P95_GATE, role="goal")]) == ((), ())


def test_gates_that_no_rate_decides_are_left_out_with_the_reason() -> None:
    size = changed_target(P95_GATE, metric="database_size", percentile=None, unit="MB")
    assert "single requests" in why_left_out(size)
    assert "upper limit" in why_left_out(changed_target(P95_GATE, comparator=">"))
    assert "upper limit" in why_left_out(changed_target(P95_GATE, limit=None))
    assert "no run shows" in why_left_out(changed_target(ERROR_GATE, limit=0))
    assert search_targets([changed_target(ERROR_GATE, limit=0)])[1] == (
        LeftOut(id="T-67", why="it allows a share of 0, which no run shows"),
    )


def total(stretch: Stretch, target: SearchTarget) -> tuple[int, int]:
    tally = stretch.tallies[target.gate.id]
    return sum(tally.planned), sum(tally.missed)


@pytest.mark.parametrize("limit_s", [0.03, 0.3])
def test_the_evidence_counts_what_the_requests_of_the_judged_seconds_saw(limit_s: float) -> None:
    played = play(np.random.default_rng(1), freezes=[(20.0, 3.0)])
    played = changed(played, played.intended_s % 1 < 0.02, "failed")
    target = dataclasses.replace(LATE, limit_s=limit_s)
    stretch = stretch_of([target, WRONG], played.ledger(), played.histograms(), from_s=5, to_s=60)
    judged = played.intended_s >= 5
    failed = judged & (played.outcome == "failed")
    late = judged & ~failed & (played.ended_s - played.intended_s > limit_s)
    assert stretch.seconds == 55
    assert total(stretch, WRONG) == (judged.sum(), failed.sum())
    planned, missed = total(stretch, target)
    assert planned == judged.sum()
    assert missed == pytest.approx(failed.sum() + late.sum(), rel=0.01)  # width of a bucket


def test_a_gate_of_one_operation_counts_its_requests_only() -> None:
    played = play(np.random.default_rng(2))
    target = dataclasses.replace(LATE, operation="save")
    stretch = stretch_of([target], played.ledger(), played.histograms(), from_s=5, to_s=60)
    assert total(stretch, target) == (0, 0)


def test_steps_that_a_slow_system_pushed_beyond_the_window_still_miss() -> None:
    played = play(np.random.default_rng(3), duration_s=20, median_s=0.5)
    histograms = played.histograms()
    histograms["second"] += 6  # all are intended six seconds after they were planned
    stretch = stretch_of([LATE], played.ledger(), histograms, from_s=5, to_s=20)
    planned, missed = total(stretch, LATE)
    assert missed > 0.8 * planned
    tally = stretch.tallies["T-52"]
    assert all(few <= most for few, most in zip(tally.missed, tally.planned, strict=True))
