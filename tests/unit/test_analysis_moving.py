"""Judging loads that move by plan, and loads whose users wait."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from analysis_runs import (
    ERROR_GATE,
    P95_GATE,
    Played,
    changed,
    health_lines,
    make_plan,
    no_telemetry,
    play,
)

from palier.analysis.analyse import analyse
from palier.analysis.findings import Findings
from palier.analysis.judge import judge
from palier.analysis.judge_target import judge_target
from palier.analysis.metrics import Evidence
from palier.model.plan import RunPlan
from palier.model.profile import Loop, Profile
from palier.model.rate_shape import Ramp
from reports import words


def planned(**shape: Any) -> RunPlan:
    plan = make_plan(P95_GATE, ERROR_GATE)
    profile = Profile(id="moving", title="moving", duration_s=60, **shape)
    return dataclasses.replace(plan, profile=profile)


def found(played: Played, plan: RunPlan) -> Findings:
    return analyse(
        plan=plan,
        ledger=played.ledger(),
        histograms=played.histograms(),
        health_lines=health_lines(seconds=60),
        telemetry=no_telemetry(),
        events=(),
        run="20261121T090000Z-lou-2-ramp",
    )


def slower_and_slower() -> Played:
    """Service times that grow fivefold over the run, as those of a load that grows may."""
    played = play(np.random.default_rng(1), median_s=0.02)
    served_s = played.ended_s - played.started_s
    grown_s = served_s * (1 + 4 * played.intended_s / 60)
    return dataclasses.replace(played, ended_s=played.started_s + grown_s)


RAMP = {"ramp": Ramp(start=0.5, end=1.5)}
CLOSED = {"loop": Loop(users=40, journey="J-05", pause_s=0.4)}


def test_a_load_that_moves_by_plan_is_not_asked_to_be_steady() -> None:
    played = slower_and_slower()
    still, moving = planned(), planned(**RAMP)

    assert judge(still, found(played, still), ()).verdict == "INCONCLUSIVE"
    findings = found(played, moving)
    assert judge(moving, findings, ()).verdict == "PASS"
    assert findings.judged_from_s == 5
    assert words.steadiness(findings) == (
        "Steadiness is not asked of this run: the load moves by plan, and response times may move "
        "with it."
    )


def test_a_closed_load_of_as_many_users_all_the_time_is_asked_to_be_steady() -> None:
    plan = planned(**CLOSED)
    assert judge(plan, found(slower_and_slower(), plan), ()).verdict == "INCONCLUSIVE"
    assert judge(plan, found(play(np.random.default_rng(1)), plan), ()).verdict == "PASS"


def test_what_waiting_users_did_not_ask_for_is_no_error_and_is_told() -> None:
    played = play(np.random.default_rng(1))
    left_out = np.arange(len(played.intended_s)) % 4 == 0
    plan = planned(**CLOSED)

    findings = found(changed(played, left_out, "skipped_user_busy"), plan)

    assert findings.overall.error_ratio.value == 0
    assert findings.overall.error_ratio.samples == pytest.approx(0.75 * 5500, rel=0.05)
    assert judge(plan, findings, ()).verdict == "PASS"
    [note] = [one for one in findings.notes if "closed" in one]
    assert "25 % of them were never asked for" in note
    assert "user_busy" in words.SKIP_REASONS


def test_a_report_says_which_model_its_load_was() -> None:
    assert words.arrival_model(planned()).startswith("Sessions arrive by a Poisson process; ")
    assert "process whose rate moves (ramp); inside" in words.arrival_model(planned(**RAMP))
    assert words.arrival_model(planned(**CLOSED)).startswith("Closed: up to 40 users, each of whom")


def users_at_once(plan: RunPlan) -> float | None:
    capacity = dataclasses.replace(
        P95_GATE,
        metric="offered_users_at_once",
        percentile=None,
        comparator=">=",
        limit=40,
        unit="users",
    )
    played = found(play(np.random.default_rng(1)), plan)
    return judge_target(capacity, Evidence(plan=plan, findings=played, facts={})).measured


def test_users_at_once_are_those_of_the_loop_or_of_the_peak() -> None:
    # 100 requests/s at 10 a minute each.
    assert users_at_once(planned()) == 600
    assert users_at_once(planned(**RAMP)) == 900
    assert users_at_once(planned(**CLOSED)) == 40


def test_a_report_says_how_much_users_of_a_closed_load_could_ask_for() -> None:
    plan = planned(**CLOSED)
    text = words.offered(plan, found(play(np.random.default_rng(1)), plan))
    assert "are the most that users could ask for" in text
    assert "sessions" not in text
