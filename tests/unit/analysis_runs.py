"""Synthetic runs for the tests of the analysis: requests with known times, made into files' values.

Nothing here computes a statistic; it plays requests into the tables a run leaves behind.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from palier.analysis.sample import Sample
from palier.load.archive import LEDGER_COUNTS
from palier.load.histogram import bucket_of
from palier.model.journey import Journey, Step
from palier.model.plan import RunPlan
from palier.model.profile import Profile
from palier.model.target import Target
from palier.model.tier import DataSpec, LoadSpec, StackSpec, Tier
from palier.model.variant import Variant

Floats = NDArray[np.float64]

P95_GATE = Target(
    id="T-52",
    role="gate",
    kind="slo",
    title="API latency",
    metric="response_time",
    percentile=0.95,
    comparator="<",
    limit=300,
    unit="ms",
    source="002",
)
ERROR_GATE = Target(
    id="T-67",
    role="gate",
    kind="test",
    title="Failed requests",
    metric="error_ratio",
    comparator="<",
    limit=1,
    unit="%",
    source="002",
)


def make_plan(
    *targets: Target, duration_s: float = 60.0, warmup_s: float = 5.0, rate: float = 100.0
) -> RunPlan:
    """A plan of a small tier with the given targets."""
    variant = Variant()
    tier = Tier(
        id="lou-2",
        system="liveownerunit",
        title="100 to 200 users",
        users_min=100,
        users_max=200,
        plan="free",
        source="004",
        variant=variant,
        stack=StackSpec(),
        load=LoadSpec(users=200, concurrency=0.1, pace_per_min=10),
        data=DataSpec(tenants=200),
        targets=targets,
        triggers=(),
        cost=None,
    )
    return RunPlan(
        tier=tier,
        profile=Profile(id="steady", title="steady", arrivals="poisson", duration_s=600),
        duration_s=duration_s,
        warmup_s=warmup_s,
        seed=1,
        workers=1,
        requests_per_s=rate,
        rate_derivation=f"stated: {rate:g} requests/s",
        sessions_per_s=rate,
        journeys=(Journey(id="J-05", title="list", weight=1, steps=(Step(operation="list"),)),),
        variant=variant,
        scenario="scenarios/liveownerunit.py",
        url=None,
        request_timeout_s=10,
        drain_s=10,
        max_sessions=10_000,
    )


def buckets_of(durations_s: Floats) -> NDArray[np.int64]:
    """Histogram bucket of each duration, by the reference function."""
    micros = np.round(np.asarray(durations_s) * 1e6).astype(np.int64)
    known = {int(value): bucket_of(int(value)) for value in np.unique(micros)}
    return np.array([known[int(value)] for value in micros], dtype=np.int64)


def fast_buckets_of(durations_s: Floats) -> NDArray[np.int64]:
    """The same for many distinct durations; a test compares it with the reference."""
    micros = np.round(np.asarray(durations_s) * 1e6).astype(np.int64)
    bits = np.frexp(np.maximum(micros, 1).astype(np.float64))[1]
    shift = np.maximum(0, bits - 11)
    return np.where(shift == 0, micros, (shift << 10) + (micros >> shift))


def make_test_sample(
    durations_s: Floats,
    seconds: NDArray[np.int64] | None = None,
    censored: NDArray[np.bool_] | None = None,
) -> Sample:
    """One count a request; all in second 0, 1, 2 ... in turn of 20 when no seconds are given."""
    n = len(durations_s)
    return Sample(
        second=np.arange(n) * 30 // max(n, 1) if seconds is None else seconds,
        bucket=fast_buckets_of(durations_s),
        count=np.ones(n, dtype=np.int64),
        censored=np.zeros(n, dtype=np.bool_) if censored is None else censored,
    )


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Played:
    """Requests of a synthetic run; arrays of one length."""

    intended_s: Floats
    started_s: Floats
    ended_s: Floats
    outcome: NDArray[np.str_]
    session_wait_s: Floats | float = 0.0

    def ledger(self, operation: str = "list") -> pd.DataFrame:
        frame = pd.DataFrame({"second": self.intended_s.astype(int), "outcome": self.outcome})
        counts = pd.crosstab(frame["second"], frame["outcome"])
        result = pd.DataFrame({"second": counts.index.to_numpy(), "operation": operation})
        for name in LEDGER_COUNTS:
            result[name] = counts[name].to_numpy() if name in counts else 0
        skips = [name for name in LEDGER_COUNTS if name.startswith("skipped_")]
        result["skipped"] = result[skips].sum(axis=1)
        ended = ["succeeded", "failed", "timed_out", "abandoned"]
        result["started"] = result[ended].sum(axis=1)
        result["planned"] = result["started"] + result["skipped"]
        return result

    def histograms(self, operation: str = "list") -> pd.DataFrame:
        charged = np.isin(self.outcome, ["skipped_no_free_session", "skipped_end_of_run"])
        started = ~np.char.startswith(self.outcome, "skipped")
        names = np.where(charged, "skipped", self.outcome)
        clocks = {
            "response": (self.ended_s - self.intended_s, charged | started),
            "service": (self.ended_s - self.started_s, started),
            "lag": (self.started_s - self.intended_s, started),
            "generator_lag": (self.started_s - self.intended_s - self.session_wait_s, started),
        }
        tables = [
            pd.DataFrame(
                {
                    "second": self.intended_s[chosen].astype(int),
                    "operation": operation,
                    "outcome": names[chosen],
                    "clock": clock,
                    "bucket": fast_buckets_of(values[chosen]),
                    "count": 1,
                }
            )
            for clock, (values, chosen) in clocks.items()
        ]
        keys = ["second", "operation", "outcome", "clock", "bucket"]
        return pd.concat(tables).groupby(keys, as_index=False)["count"].sum()


def play(
    rng: np.random.Generator,
    *,
    duration_s: float = 60.0,
    rate: float = 100.0,
    median_s: float = 0.04,
    spread: float = 0.5,
    freezes: Sequence[tuple[float, float]] = (),
    drain_s: float = 10.0,
) -> Played:
    """Poisson requests with log-normal service; nothing is answered inside a freeze.

    A request that meets a freeze is answered that much later; one that has not ended when the
    drain ends is abandoned there.
    """
    n = rng.poisson(rate * duration_s)
    intended = np.sort(rng.uniform(0, duration_s, n))
    started = intended + rng.uniform(0, 0.0005, n)
    ended = started + median_s * np.exp(spread * rng.normal(size=n))
    for at_s, length_s in freezes:
        hit = (started < at_s + length_s) & (ended > at_s)
        ended = np.where(hit, ended + (at_s + length_s - np.maximum(started, at_s)), ended)
    bound = duration_s + drain_s
    outcome = np.where(ended > bound, "abandoned", "succeeded")
    return Played(
        intended_s=intended,
        started_s=started,
        ended_s=np.minimum(ended, bound),
        outcome=outcome,
    )


def changed(played: Played, where: NDArray[np.bool_], outcome: str) -> Played:
    """The same requests with another outcome for some."""
    return dataclasses.replace(
        played, outcome=np.where(where, outcome, played.outcome.astype("U24"))
    )


def health_lines(
    *, workers: int = 1, seconds: int = 60, final: bool = True, **values: float
) -> pd.DataFrame:
    """One calm line a second for each loader."""
    calm: Mapping[str, float] = {
        "loop_delay_max_ms": 1.5,
        "cpu_s": 0.2,
        "in_flight": 4.0,
        "sessions": 12.0,
    }
    rows: list[dict[str, Any]] = [
        {
            "worker": worker,
            "seq": second,
            "at_s": second + 1.0,
            "final": final and second == seconds - 1,
            **calm,
            **values,
        }
        for worker in range(workers)
        for second in range(seconds)
    ]
    return pd.DataFrame(rows)


def no_telemetry() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "at_s": pd.Series(dtype="float64"),
            "source": pd.Series(dtype="str"),
            "name": pd.Series(dtype="str"),
            "value": pd.Series(dtype="float64"),
        }
    )
