"""Abort rules against time lines that are known: when they stop a run, and when they must not."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from palier.load.abort import FEWEST_BAD, AbortWatch, Breach
from palier.load.histogram import bucket_of
from palier.model.abort import AbortRule
from palier.model.plan import RunPlan

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from load_plans import plan_of

LINE_EVERY_S = 0.5

ERRORS = AbortRule(id="errors", metric="error_ratio", limit=5, unit="%", over_s=15)
SLOW = AbortRule(
    id="slow",
    metric="response_time",
    percentile=0.95,
    limit=500,
    unit="ms",
    over_s=10,
    for_s=30,
)
AT_ONCE = replace(SLOW, for_s=0)


@dataclass(frozen=True)
class Request:
    """One request; ``took_s`` None is never answered and given up at the time-out."""

    at_s: float
    took_s: float | None = 0.05
    outcome: str = "succeeded"
    operation: str = "list"
    worker: int = 0


TIMEOUT_S = 10.0


def steady(
    *,
    per_s: float = 20,
    until_s: float = 100,
    operation: str = "list",
    became: Callable[[float], dict[str, Any]] = lambda _: {},
) -> list[Request]:
    """Requests at equal intervals; ``became`` says how one sent at an instant differs."""
    return [
        Request(at_s=at_s, operation=operation, **became(at_s))
        for at_s in np.arange(0, until_s, 1 / per_s)
    ]


def lines(requests: Iterable[Request], *, until_s: float) -> Iterator[dict[str, Any]]:
    """What loaders report of the requests, in the order of time."""
    by_line: dict[tuple[float, int], list[tuple[str, Request]]] = defaultdict(list)

    def line_of(at_s: float) -> float:
        return (np.floor(at_s / LINE_EVERY_S) + 1) * LINE_EVERY_S

    workers = set()
    for one in requests:
        took_s = TIMEOUT_S if one.took_s is None else one.took_s
        by_line[line_of(one.at_s), one.worker].append(("started", one))
        by_line[line_of(one.at_s + took_s), one.worker].append(("ended", one))
        workers.add(one.worker)
    for at_s in np.arange(LINE_EVERY_S, until_s + LINE_EVERY_S / 2, LINE_EVERY_S):
        for worker in sorted(workers):
            yield line(at_s + 0.01, worker, by_line.get((at_s, worker), []))


def line(at_s: float, worker: int, happened: list[tuple[str, Request]]) -> dict[str, Any]:
    ledger: dict[tuple[int, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    histograms: dict[tuple[int, str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for what, one in happened:
        second = int(one.at_s)
        if what == "started":
            ledger[second, one.operation]["started"] += 1
            continue
        outcome = "timed_out" if one.took_s is None else one.outcome
        ledger[second, one.operation][outcome] += 1
        took_us = round((TIMEOUT_S if one.took_s is None else one.took_s) * 1e6)
        histograms[second, one.operation, outcome][str(bucket_of(took_us))] += 1
    return {
        "worker": worker,
        "at_s": at_s,
        "ledger": [[*key, dict(counts)] for key, counts in ledger.items()],
        "histograms": [
            [second, name, outcome, "response", dict(buckets)]
            for (second, name, outcome), buckets in histograms.items()
        ],
    }


def plan_with(*rules: AbortRule, warmup_s: float = 0.0, duration_s: float = 100.0) -> RunPlan:
    return replace(plan_of(duration_s=duration_s), aborts=rules, warmup_s=warmup_s)


def stopped(
    requests: Iterable[Request], *rules: AbortRule, until_s: float = 100, **plan: float
) -> Breach | None:
    watch = AbortWatch(plan_with(*rules, **plan))
    for one in lines(requests, until_s=until_s):
        watch.add(one)
        breach = watch.breach()
        if breach is not None:
            return breach
    return None


def slow_from(since_s: float, took_s: float | None = 2.0) -> Callable[[float], dict[str, Any]]:
    return lambda at_s: {"took_s": took_s} if at_s >= since_s else {}


def wrong_from(since_s: float) -> Callable[[float], dict[str, Any]]:
    return lambda at_s: {"outcome": "failed"} if at_s >= since_s else {}


def test_a_healthy_run_is_never_stopped() -> None:
    assert stopped(steady(), ERRORS, SLOW, AT_ONCE) is None


def test_errors_stop_a_run_within_two_windows_and_not_before_they_are() -> None:
    breach = stopped(steady(became=wrong_from(40)), ERRORS)
    assert breach is not None
    assert breach.rule is ERRORS
    # One in twenty of a window of 15 s: 0.75 s of nothing but errors.
    assert 40.75 <= breach.at_s <= 42


def test_a_mild_excess_of_errors_is_seen_within_two_windows() -> None:
    def became(at_s: float) -> dict[str, Any]:
        return {"outcome": "failed"} if at_s >= 40 and int(at_s * 20) % 10 == 0 else {}

    breach = stopped(steady(became=became), ERRORS)
    assert breach is not None
    assert 40 < breach.at_s <= 40 + 2 * ERRORS.over_s


def test_slow_answers_must_last_as_long_as_the_rule_says() -> None:
    breach = stopped(steady(became=slow_from(20)), SLOW)
    assert breach is not None
    assert 20 + 30 <= breach.at_s <= 20 + 30 + 2 * 10
    assert breach.at_s - breach.since_s == pytest.approx(30, abs=0.5)


def test_a_slow_spell_that_ends_before_the_rule_says_stops_nothing() -> None:
    def became(at_s: float) -> dict[str, Any]:
        return {"took_s": 2.0} if 20 <= at_s < 38 else {}

    # 18 s of slow answers are in a window of 10 s for less than 30 s.
    assert stopped(steady(became=became), SLOW) is None
    assert stopped(steady(became=became), AT_ONCE) is not None


def test_a_system_that_answers_nothing_is_seen_by_the_age_of_what_is_in_flight() -> None:
    """No sample ends for ten seconds; the window is not read as "no samples, so all is well"."""
    breach = stopped(steady(became=slow_from(20, None)), AT_ONCE)
    assert breach is not None
    assert 20.5 < breach.at_s < 20.5 + 2.5
    assert breach.waiting == breach.bad
    assert "still waiting" in breach.sentence


def test_silence_without_anything_in_flight_says_nothing() -> None:
    def early(at_s: float) -> dict[str, Any]:
        return {"took_s": 2.0} if at_s < 11 else {}

    # Nobody asks from 12 s on: what was slow before may have ended with it.
    assert stopped(steady(until_s=12, became=early), SLOW) is None


def test_a_gap_shorter_than_the_window_does_not_start_the_time_again() -> None:
    slow = [one for one in steady(per_s=5, became=slow_from(20)) if not 40 < one.at_s < 48]
    breach = stopped(slow, SLOW)
    assert breach is not None
    assert breach.at_s <= 20 + 30 + 2 * 10


def test_an_operation_has_its_own_window() -> None:
    quick = steady(per_s=50, operation="list")
    slow = steady(per_s=2, operation="pay", became=slow_from(30))
    about_pay = replace(AT_ONCE, operation="pay")
    assert stopped([*quick, *slow], replace(AT_ONCE, operation="list")) is None
    assert stopped([*quick, *slow], AT_ONCE) is None  # 4 % of all requests
    breach = stopped([*quick, *slow], about_pay)
    assert breach is not None
    assert 30 < breach.at_s <= 50


def test_a_handful_of_slow_requests_is_an_accident_in_a_window_of_few() -> None:
    def became(at_s: float) -> dict[str, Any]:
        return {"took_s": 2.0} if 20 <= at_s < 22 else {}

    few = steady(per_s=(FEWEST_BAD - 1) / 2, became=became)
    assert sum(one.took_s == 2.0 for one in few) == FEWEST_BAD - 1
    assert stopped(few, AT_ONCE) is None


def test_what_the_warm_up_leaves_does_not_count() -> None:
    def became(at_s: float) -> dict[str, Any]:
        return {"took_s": 3.0} if at_s < 20 else {}

    assert stopped(steady(became=became), AT_ONCE, warmup_s=20) is None
    assert stopped(steady(became=became), AT_ONCE, warmup_s=5) is not None
    later = replace(AT_ONCE, after_s=20)
    assert stopped(steady(became=became), later, warmup_s=5) is None


def test_nothing_is_judged_before_the_first_window_is_whole() -> None:
    breach = stopped(steady(became=wrong_from(0)), ERRORS, warmup_s=5)
    assert breach is not None
    assert breach.at_s == pytest.approx(20, abs=0.3)


def test_the_drain_is_not_judged() -> None:
    assert stopped(steady(became=slow_from(98, None)), AT_ONCE, duration_s=98, until_s=110) is None


def test_a_loader_that_has_fallen_silent_does_not_make_the_system_look_slow() -> None:
    """Its requests in flight are never reported to have ended: that is the loader's end."""
    alive = steady(per_s=20)
    lost = [replace(one, worker=1) for one in steady(per_s=20, became=slow_from(39.7, None))]
    watch = AbortWatch(plan_with(replace(AT_ONCE, limit=4000)))
    for one in lines([*alive, *lost], until_s=100):
        if one["worker"] == 1 and one["at_s"] > 40.2:
            continue
        watch.add(one)
        assert watch.breach() is None


def test_failed_answers_are_no_response_times_and_unfollowed_steps_no_errors() -> None:
    fast_errors = steady(became=lambda _: {"took_s": 3.0, "outcome": "failed"})
    assert stopped(fast_errors, AT_ONCE, until_s=3.5) is None
    watch = AbortWatch(plan_with(ERRORS))
    for one in lines(steady(), until_s=60):
        one["ledger"].append([int(one["at_s"]), "list", {"skipped_session_aborted": 30}])
        watch.add(one)
        assert watch.breach() is None


def test_the_sentence_names_the_rule_the_limit_and_the_numbers() -> None:
    breach = Breach(rule=SLOW, at_s=61.0, since_s=31.0, bad=120, of=600)
    assert breach.sentence == (
        "abort rule slow (p95 over 10 s > 500 ms for 30 s) was met at 61 s: 120 of 600 requests "
        "(20%) took longer than 500 ms, as since 31 s"
    )
    errors = Breach(rule=ERRORS, at_s=20.0, since_s=20.0, bad=30, of=300)
    assert errors.sentence.endswith("30 of 300 requests (10%) got no right answer")


@pytest.mark.parametrize("seed", range(20))
def test_a_share_below_the_limit_does_not_stop_a_run_by_chance_for_long(seed: int) -> None:
    """2 % of the answers are slow at random; p95 over 10 s above the limit for 30 s does not
    happen in 20 runs of 100 s, although single windows of few requests may come near."""
    rng = np.random.default_rng(seed)
    requests = [
        Request(at_s=float(at_s), took_s=2.0 if rng.random() < 0.02 else 0.05)
        for at_s in np.sort(rng.uniform(0, 100, 2000))
    ]
    assert stopped(requests, SLOW) is None
