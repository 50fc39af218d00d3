"""The self-test: what this machine can send, how true its percentiles are, and what it costs.

In under a minute: the machine's own timer, then a server of known law with stalls whose log is
laid beside the report, then rates that double until the lag is too much, and a bisection of what
is left of the time.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from palier.model.plan import REQUEST_TIMEOUT_S
from palier.selftest.limits import Limits, PercentileError, RateStep, this_machine
from palier.selftest.trial import Cores, Trial, run_trial, trial_plan
from palier.stack.cpus import plan_cpus, usable_cores

BUDGET_S: Final = 42.0
"""No trial is begun after this: the whole takes less than a minute."""

TRUTH_FLAGS: Final = ("--law", "lognormal:5ms:0.5", "--freeze", "300ms/5s")
TRUTH_RATE_PER_S: Final = 1000.0
TRUTH_S: Final = 10.5
"""10,500 requests: enough for p99.9, with two stalls among them."""

RATES_FROM_PER_S: Final = 4000.0
"""Below it, the time is better spent on trying again and on halving the bracket: most machines hold
thousands."""

RATE_S: Final = 3.0
RATE_FROM_S: Final = 1.0
"""One rate: thousands of requests, so that its 99th percentile is known within a few per cent.
The first second is the warm-up, which no run judges either."""

RATE_TIMEOUT_S: Final = 1.0
"""Beyond its limit a loader drowns; it is not waited for."""

NEAR_ENOUGH: Final = 1.1
"""The search for the rate ends when the bracket is a tenth wide."""

GRID_PER_S: Final = 50.0
"""Nobody needs a rate more exactly."""

LARGEST_PER_S: Final = 128_000.0
"""A loader of one core sends no more, whatever the machine."""

SLEEPS: Final = 400
SLEEP_S: Final = 0.001


def certify(say: Callable[[str], None] = lambda _: None) -> Limits:
    """Test this machine.

    Args:
        say: Told what is being done.

    Raises:
        LoadError: Generator or server did not start or end.
        KeyboardInterrupt: It was stopped.
    """
    began = time.monotonic()
    plan = plan_cpus(usable_cores())
    cores = Cores(generator=frozenset(plan.generator), server=frozenset(plan.system))
    say("the timer of this machine")
    timer_s = sleep_lateness_s()
    say(f"percentiles: {TRUTH_RATE_PER_S:,.0f} requests/s to a server with a known law and stalls")
    truth = _trial(TRUTH_RATE_PER_S, TRUTH_S, TRUTH_FLAGS, cores)
    steps = search_rate(lambda rate: _step(rate, cores, say), lambda: time.monotonic() - began)
    held = [step for step in steps if step.holds]
    best = max(held, key=lambda step: step.rate_per_s, default=None)
    return Limits(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=this_machine(),
        rate_per_s=0.0 if best is None else best.rate_per_s,
        cpu_us=None if best is None else best.cpu_us,
        lag_p50_s=truth.lag(0.5),
        timer_p50_s=_quantile(timer_s, 0.5),
        timer_p99_s=_quantile(timer_s, 0.99),
        percentiles=tuple(
            PercentileError(
                fraction=one.fraction,
                reported_s=one.reported_s,
                true_s=_finite(one.true_s),
                error_s=_finite(one.error_s),
                allowed_s=one.allowed_s,
            )
            for one in truth.comparisons
        ),
        steps=steps,
        shared_core=plan.shared,
        took_s=round(time.monotonic() - began, 1),
    )


def search_rate(
    try_rate: Callable[[float], RateStep], elapsed_s: Callable[[], float]
) -> tuple[RateStep, ...]:
    """Double the rate until one does not hold, then halve the bracket while there is time.

    A rate at which the loader was interrupted is tried once more, and the better of the two counts:
    a moment in which the machine was elsewhere makes any rate late, and says nothing of it.

    Args:
        try_rate: Tries one rate.
        elapsed_s: Time since the self-test began.
    """
    steps: list[RateStep] = []
    low, high = 0.0, RATES_FROM_PER_S
    is_open = True
    while elapsed_s() < BUDGET_S:
        rate_per_s = high if is_open else GRID_PER_S * round((low + high) / 2 / GRID_PER_S)
        if rate_per_s in (step.rate_per_s for step in steps):
            break
        step = try_rate(rate_per_s)
        steps.append(step)
        if step.was_interrupted and elapsed_s() < BUDGET_S:
            step = try_rate(rate_per_s)
            steps.append(step)
        if step.holds:
            low = step.rate_per_s
        else:
            is_open, high = False, step.rate_per_s
        if is_open:
            high = 2 * low
        if high > LARGEST_PER_S or (low and not is_open and high / low <= NEAR_ENOUGH):
            break
        if not low and high < RATES_FROM_PER_S / 8:
            break  # it does not even hold a few hundred
    return tuple(steps)


def sleep_lateness_s() -> list[float]:
    """How much later than asked the system wakes a sleeping process, sorted."""
    late: list[float] = []
    for _ in range(SLEEPS):
        due = time.perf_counter() + SLEEP_S
        time.sleep(SLEEP_S)
        late.append(time.perf_counter() - due)
    return sorted(late)


def _step(rate_per_s: float, cores: Cores, say: Callable[[str], None]) -> RateStep:
    say(f"rate: {rate_per_s:,.0f} requests/s")
    trial = _trial(rate_per_s, RATE_S, (), cores, timeout_s=RATE_TIMEOUT_S, lag_from_s=RATE_FROM_S)
    return RateStep(
        rate_per_s=rate_per_s,
        lag_p50_s=trial.lag(0.5),
        lag_p99_s=trial.lag(0.99),
        cpu_us=round(trial.cpu_us_per_request, 1),
        complete=trial.succeeded == trial.planned,
    )


def _trial(
    rate_per_s: float,
    duration_s: float,
    flags: Sequence[str],
    cores: Cores,
    timeout_s: float = REQUEST_TIMEOUT_S,
    lag_from_s: float = 0.0,
) -> Trial:
    with tempfile.TemporaryDirectory(prefix="palier-selftest-") as folder:
        plan = trial_plan(rate_per_s=rate_per_s, duration_s=duration_s, timeout_s=timeout_s)
        return run_trial(Path(folder), plan, flags, cores=cores, lag_from_s=lag_from_s)


def _finite(value_s: float) -> float | None:
    return value_s if math.isfinite(value_s) else None


def _quantile(ordered: Sequence[float], fraction: float) -> float:
    return ordered[min(int(fraction * len(ordered)), len(ordered) - 1)]
