"""Fitness of the measurement: each check finds its fault, and nothing else does."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from analysis_runs import (
    ERROR_GATE,
    P95_GATE,
    Played,
    changed,
    health_lines,
    make_plan,
    play,
)

from palier.analysis.analyse import ledger_totals
from palier.analysis.findings import HealthCheck
from palier.analysis.health import Measured, check_health, lag_budget_s, no_health_lines
from palier.load.ledger import LedgerBook
from palier.load.schedule import make_schedule
from palier.model.metric import METRICS
from palier.model.plan import LostWorkers, RunPlan


def measured(played: Played | None = None, **changes: Any) -> Measured:
    """A calm run of 60 s at 20 requests/s, with the given differences."""
    played = played or play(np.random.default_rng(1), rate=20)
    ledger = changes.pop("ledger", played.ledger())
    values: dict[str, Any] = {
        "plan": make_plan(P95_GATE, ERROR_GATE, rate=20),
        "ledger": ledger,
        "totals": ledger_totals(ledger),
        "histograms": played.histograms(),
        "health": health_lines(),
        "from_s": 5.0,
        "to_s": 60.0,
    }
    return Measured(**{**values, **changes})


def unfit(run: Measured) -> list[str]:
    return [check.name for check in check_health(run) if not check.ok]


def named(run: Measured, name: str) -> HealthCheck:
    (check,) = [check for check in check_health(run) if check.name == name]
    return check


def late(share: float, by_s: float, *, rate: float = 20, waited_s: float = 0.0) -> Played:
    """A run in which a share of the requests was sent late."""
    played = play(np.random.default_rng(1), rate=rate)
    hit = np.random.default_rng(2).random(len(played.intended_s)) < share
    delay = np.where(hit, by_s, 0.0)
    return dataclasses.replace(
        played,
        started_s=played.started_s + delay,
        ended_s=played.ended_s + delay,
        session_wait_s=np.where(hit, waited_s, 0.0),
    )


def test_a_calm_run_is_fit() -> None:
    assert unfit(measured()) == []


def test_every_check_says_what_to_do() -> None:
    for check in check_health(measured()):
        assert "If not ok:" in check.why
        assert check.measured
        assert check.limit


def ended(component: str, at_s: float) -> dict[str, Any]:
    name = f"{component} ended with signal 9"
    return {"at_s": at_s, "kind": "component", "name": name, "component": component}


@pytest.mark.parametrize("component", ["redis", "replica", "sync_worker", "calendar_platform"])
def test_a_component_that_requests_can_do_without_must_not_end(component: str) -> None:
    run = measured(events=[{"at_s": 0.0, "kind": "phase", "name": "window"}, ended(component, 12)])

    assert unfit(run) == ["components"]
    assert f"{component} ended with signal 9 at 12 s" in named(run, "components").measured


@pytest.mark.parametrize("component", ["app", "postgres", "pgbouncer", "web_cache"])
def test_the_end_of_what_every_request_passes_is_judged_by_the_requests(component: str) -> None:
    assert unfit(measured(events=[ended(component, 12)])) == []


def test_what_ends_after_the_load_is_no_matter() -> None:
    assert unfit(measured(events=[ended("redis", 61)])) == []


def test_a_request_without_an_outcome_opens_the_ledger() -> None:
    ledger = play(np.random.default_rng(1), rate=20).ledger()
    ledger.loc[3, "succeeded"] -= 1
    assert "ledger" in unfit(measured(ledger=ledger))


def test_errors_that_cancel_in_the_total_still_open_the_rows() -> None:
    ledger = play(np.random.default_rng(1), rate=20).ledger()
    ledger.loc[3, "succeeded"] -= 1
    ledger.loc[4, "succeeded"] += 1
    run = measured(ledger=ledger)
    assert run.totals.closes
    assert not named(run, "ledger").ok


def test_a_run_without_a_planned_request_measured_nothing() -> None:
    ledger = play(np.random.default_rng(1), rate=20).ledger().iloc[:0]
    assert "ledger" in unfit(measured(ledger=ledger))


def test_a_request_of_the_ledger_that_is_in_no_histogram_is_found() -> None:
    played = play(np.random.default_rng(1), rate=20)
    histograms = played.histograms()
    histograms = histograms.drop(histograms.index[histograms["clock"] == "response"][:1])
    run = measured(played, histograms=histograms)
    assert unfit(run) == ["histograms"]
    assert "succeeded" in named(run, "histograms").measured


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        pytest.param(no_health_lines(), "never reported", id="nothing"),
        pytest.param(health_lines(seconds=20, final=False), "stopped reporting", id="killed"),
        pytest.param(health_lines().drop(index=[10, 11]), "2 missing", id="holes"),
    ],
)
def test_a_lost_loader_is_found(lines: pd.DataFrame, said: str) -> None:
    check = named(measured(health=lines), "loaders")
    assert not check.ok
    assert said in check.measured


def test_all_loaders_of_the_plan_have_to_report() -> None:
    plan = dataclasses.replace(make_plan(P95_GATE, rate=20), workers=2)
    assert unfit(measured(plan=plan)) == ["loaders"]
    assert unfit(measured(plan=plan, health=health_lines(workers=2))) == []


def test_what_the_generator_itself_failed_to_send_is_its_fault() -> None:
    ledger = play(np.random.default_rng(1), rate=20).ledger()
    ledger["planned"] += 1
    ledger["skipped"] += 1
    run = measured(ledger=ledger)
    assert not named(run, "shortfall").ok


def test_skips_charged_to_the_system_are_not_the_generators_fault() -> None:
    played = play(np.random.default_rng(1), rate=20)
    some = np.random.default_rng(2).random(len(played.intended_s)) < 0.2
    run = measured(changed(played, some, "skipped_no_free_session"))
    assert int(run.ledger["skipped_no_free_session"].sum()) > 200
    assert unfit(run) == []


def test_waits_of_requests_that_were_never_sent_must_be_in_the_histograms() -> None:
    played = play(np.random.default_rng(1), rate=20)
    some = np.random.default_rng(2).random(len(played.intended_s)) < 0.2
    skipped = changed(played, some, "skipped_end_of_run")
    histograms = skipped.histograms()
    lost = histograms.loc[histograms["outcome"] != "skipped"]
    assert unfit(measured(skipped, histograms=lost)) == ["histograms"]


def test_requests_of_another_operation_are_not_those_of_the_ledger() -> None:
    played = play(np.random.default_rng(1), rate=20)
    check = named(measured(played, histograms=played.histograms("search")), "histograms")
    assert not check.ok
    assert "of search, succeeded" in check.measured


@pytest.mark.parametrize("column", ["skipped", "skipped_end_of_run", "failed"])
def test_counts_that_cannot_be_open_the_ledger(column: str) -> None:
    ledger = play(np.random.default_rng(1), rate=20).ledger()
    ledger.loc[5, column] = -1
    assert "ledger" in unfit(measured(ledger=ledger))


def test_a_second_ledger_of_the_same_seconds_opens_the_ledger() -> None:
    ledger = play(np.random.default_rng(1), rate=20).ledger()
    assert "ledger" in unfit(measured(ledger=pd.concat([ledger, ledger], ignore_index=True)))


def of_schedule(plan: RunPlan, **changes: Any) -> HealthCheck:
    """The check of a ledger in which everything that was planned was interrupted."""
    schedule = make_schedule(plan)
    book = LedgerBook(schedule.planned_counts())
    for (second, operation), planned in schedule.planned_counts().items():
        book.add(second, operation, {"skipped_interrupted": planned})
    values = {"ledger": book.frame(), "schedule": schedule, "schedule_digest": schedule.digest}
    return named(measured(plan=plan, **{**values, **changes}), "schedule")


def test_a_ledger_is_about_the_schedule_of_its_plan() -> None:
    plan = make_plan(P95_GATE, rate=20)
    assert of_schedule(plan).ok
    other = dataclasses.replace(plan, seed=2)
    of_another_run = of_schedule(plan, ledger=of_schedule_ledger(other))
    assert not of_another_run.ok
    assert "plan other requests" in of_another_run.measured


def of_schedule_ledger(plan: RunPlan) -> pd.DataFrame:
    return LedgerBook(make_schedule(plan).planned_counts()).frame()


def test_a_plan_that_was_changed_after_the_run_is_found() -> None:
    plan = make_plan(P95_GATE, rate=20)
    changed_plan = dataclasses.replace(plan, requests_per_s=10.0, sessions_per_s=10.0)
    check = of_schedule(plan, schedule=make_schedule(changed_plan))
    assert not check.ok
    assert "but the plan gives" in check.measured


def test_a_generator_that_sends_late_although_a_session_was_free_is_unfit() -> None:
    check = named(measured(late(0.05, 0.030)), "lag")
    assert not check.ok
    assert "15 ms" in check.measured


def test_lateness_while_every_session_waited_for_the_system_is_not_the_generators() -> None:
    assert unfit(measured(late(0.5, 2.0, waited_s=2.0))) == []


def test_a_single_hiccup_at_a_low_rate_does_not_make_a_run_unfit() -> None:
    """Of 100 requests two are late: above 1 %, and well within chance."""
    played = play(np.random.default_rng(4), rate=2)
    hit = np.isin(np.arange(len(played.intended_s)), [40, 41])
    delayed = dataclasses.replace(
        played,
        started_s=played.started_s + hit * 0.05,
        ended_s=played.ended_s + hit * 0.05,
    )
    check = named(measured(delayed, plan=make_plan(P95_GATE, rate=2)), "lag")
    assert check.ok
    assert check.measured.startswith("2 of")


def test_a_lag_that_was_never_recorded_is_not_taken_for_none() -> None:
    played = play(np.random.default_rng(1), rate=20)
    histograms = played.histograms()
    histograms = histograms.loc[histograms["clock"] != "generator_lag"]
    assert unfit(measured(played, histograms=histograms)) == ["histograms", "lag"]


def plan_with_limit(limit: float, unit: str) -> RunPlan:
    return make_plan(dataclasses.replace(P95_GATE, limit=limit, unit=unit))


def test_the_lag_budget_follows_the_tightest_gate() -> None:
    assert lag_budget_s(make_plan()) == 0.010
    assert lag_budget_s(plan_with_limit(50, "ms")) == 0.010
    assert lag_budget_s(plan_with_limit(300, "ms")) == pytest.approx(0.015)
    assert lag_budget_s(plan_with_limit(5, "s")) == pytest.approx(0.25)


def test_an_event_loop_that_stands_still_is_found_and_one_pause_is_not() -> None:
    assert unfit(measured(health=health_lines(loop_delay_max_ms=40))) == ["event loop"]
    once = health_lines()
    once.loc[30, "loop_delay_max_ms"] = 300.0
    assert unfit(measured(health=once)) == []


def test_a_generator_near_the_limit_of_its_core_is_unfit() -> None:
    assert unfit(measured(health=health_lines(cpu_s=0.93))) == ["generator CPU"]
    assert unfit(measured(health=health_lines(cpu_s=0.75))) == []


def test_a_loader_that_was_suspended_is_found_by_its_silence() -> None:
    lines = health_lines()
    lines.loc[lines["seq"] >= 30, "at_s"] += 8
    assert unfit(measured(health=lines)) == ["clocks"]


def test_times_outside_the_run_are_found() -> None:
    played = play(np.random.default_rng(1), rate=20)
    histograms = played.histograms()
    histograms.loc[0, "second"] = 10_000
    assert unfit(measured(played, histograms=histograms)) == ["clocks"]
    ledger = played.ledger()
    ledger.loc[0, "second"] = 61
    assert unfit(measured(played, ledger=ledger)) == ["clocks"]


def test_the_method_page_names_every_fitness_check_and_every_metric() -> None:
    page = (Path(__file__).parents[2] / "docs" / "method.md").read_text(encoding="utf-8")
    for check in check_health(measured()):
        assert f"| {check.name} |" in page
    for name in METRICS:
        assert name in page or (name.endswith("_of_plan") and "`..._of_plan`" in page)


def test_every_stand_still_of_a_second_counts_and_its_cause_is_named() -> None:
    """Ten short ones are as bad as one long one, which is all that ``loop_delay_max_ms`` tells."""
    lines = health_lines(loop_delay_max_ms=15)
    lines["stalls"] = [[[17.0, "core"]] * 9 + [[16.0, "stopped"]]] * len(lines)
    check = named(measured(health=lines), "event loop")
    assert not check.ok
    assert "another process had its core" in check.measured


def test_waiting_for_a_core_is_as_bad_as_using_it() -> None:
    lines = health_lines(cpu_s=0.3).assign(core_wait_s=0.6, forced_switches=50)
    check = named(measured(health=lines), "generator CPU")
    assert not check.ok
    assert "ready and another process had the core" in check.measured
    assert unfit(measured(health=lines.assign(core_wait_s=0.2))) == []


def test_a_collector_that_runs_while_it_should_be_frozen_is_found() -> None:
    lines = health_lines().assign(gc_pauses=9, gc_max_ms=9.0, gc_total_ms=80.0)
    assert unfit(measured(health=lines)) == ["collector"]
    assert "9 ms at most" in named(measured(health=lines), "collector").measured


def test_a_host_that_takes_the_cores_away_is_found() -> None:
    lines = health_lines().assign(stolen_s=0.6, cores=2)
    assert unfit(measured(health=lines)) == ["steal"]
    assert unfit(measured(health=lines.assign(stolen_s=0.2))) == []


@pytest.mark.parametrize("by_ms", [-3_600_000.0, -150.0, 150.0, 3_600_000.0])
def test_a_clock_that_was_set_is_found_and_when(by_ms: float) -> None:
    lines = health_lines().assign(wall_moved_ms=0.01)
    lines.loc[7, "wall_moved_ms"] = by_ms
    assert unfit(measured(health=lines)) == ["wall clock"]
    assert "before 8 s" in named(measured(health=lines), "wall clock").measured


def test_a_clock_that_is_corrected_gradually_is_no_step() -> None:
    assert unfit(measured(health=health_lines().assign(wall_moved_ms=-80.0))) == []


def test_a_generator_out_of_files_is_found_with_what_the_system_refused() -> None:
    lines = health_lines().assign(files=20, files_limit=1024)
    assert unfit(measured(health=lines)) == []
    lines.loc[9, "files"] = 1024
    assert unfit(measured(health=lines)) == ["open files"]
    lines = health_lines().assign(own_error=None)
    lines.loc[9, "own_error"] = "Too many open files"
    assert "Too many open files" in named(measured(health=lines), "open files").measured
    assert unfit(measured(health=lines)) == ["open files"]


def test_requests_that_wait_for_a_name_server_are_not_the_services_fault() -> None:
    lines = health_lines().assign(lookup_max_ms=300.0)
    lines["lookup_waits_ms"] = [[300.0, 301.0]] * len(lines)
    check = named(measured(health=lines), "name resolution")
    assert not check.ok
    assert "120 requests waited" in check.measured


def test_a_slow_name_server_that_nobody_waits_for_is_told_and_does_no_harm() -> None:
    lines = health_lines().assign(lookup_max_ms=0.0)
    lines["lookup_waits_ms"] = [[]] * len(lines)
    run = measured(health=lines, events=[{"at_s": -0.5, "name": "lead_in", "lookup_s": 0.4}])
    assert unfit(run) == []
    assert "the name server is slow" in named(run, "name resolution").measured


def test_a_full_disk_makes_a_run_unfit() -> None:
    full = {"at_s": 12.0, "kind": "fault", "name": "disk_full", "why": "no space left"}
    assert unfit(measured(events=[full])) == ["disk"]
    assert "full at 12 s" in named(measured(events=[full]), "disk").measured


def test_the_end_of_a_lost_loader_is_named() -> None:
    lost = {"at_s": 20.0, "kind": "worker", "name": "worker_lost", "worker": 0, "exit_code": -9}
    run = measured(health=health_lines(seconds=20, final=False), events=[lost])
    assert "killed by signal 9" in named(run, "loaders").measured
    silent = {**lost, "exit_code": None, "why": "nothing was heard of it", "unknown": 237}
    run = measured(health=health_lines(seconds=20, final=False), events=[silent])
    assert "nothing was heard of it, and 237 requests" in named(run, "loaders").measured


def with_a_lost_loader(*, policy: LostWorkers, unknown: int, **event: Any) -> Measured:
    """The second of two loaders is killed after 20 s and takes some requests along."""
    ledger = play(np.random.default_rng(1), rate=20).ledger()
    for _ in range(unknown):
        row = ledger["succeeded"].idxmax()
        ledger.loc[row, ["succeeded", "started"]] -= 1
        ledger.loc[row, ["skipped", "skipped_worker_lost"]] += 1
    second = health_lines(seconds=20, final=False).assign(worker=1)
    lost = {"at_s": 20.0, "kind": "worker", "name": "worker_lost", "worker": 1, "exit_code": -9}
    plan = make_plan(P95_GATE, ERROR_GATE, rate=20)
    return measured(
        plan=dataclasses.replace(plan, workers=2, lost_workers=policy),
        ledger=ledger,
        health=pd.concat([health_lines(), second], ignore_index=True),
        events=[{**lost, "taken_over_by": [0], "unknown": unknown, **event}],
    )


def test_a_loss_that_was_allowed_for_is_said_and_does_not_spoil_the_measurement() -> None:
    check = named(with_a_lost_loader(policy="degraded", unknown=12), "loaders")

    assert check.ok
    assert check.measured.startswith("degraded: loader 1 stopped reporting at 20 s")
    assert "12 requests are unknown" in check.measured


@pytest.mark.parametrize(
    "spoilt",
    [
        pytest.param({"policy": "invalid"}, id="not allowed for"),
        pytest.param({"unknown": 13}, id="more than 1 % unknown"),
        pytest.param({"in_flight": 1}, id="more than 1 % unknown, with those on their way"),
        pytest.param({"taken_over_by": []}, id="nobody took over"),
    ],
)
def test_a_loss_spoils_the_measurement_unless_it_was_allowed_for_and_small(
    spoilt: dict[str, Any],
) -> None:
    assert not named(
        with_a_lost_loader(**{"policy": "degraded", "unknown": 12, **spoilt}), "loaders"
    ).ok


def test_what_a_system_does_not_tell_is_said_and_not_guessed() -> None:
    for name in ("collector", "steal", "open files", "name resolution", "wall clock"):
        check = named(measured(), name)
        assert check.ok
        assert "not measured" in check.measured


def test_a_rate_beyond_the_certified_one_is_unfit_and_without_a_certificate_it_is_a_note() -> None:
    assert "not certified" in named(measured(), "certified rate").measured
    assert unfit(measured(certified={"rate_per_s": 40.0})) == []
    assert unfit(measured(certified={"rate_per_s": 10.0})) == ["certified rate"]
