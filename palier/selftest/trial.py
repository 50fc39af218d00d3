"""One trial: a load of known arrivals against the server with a known law, driven as any run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from palier.analysis.sample import STARTED, make_sample
from palier.errors import LoadError
from palier.load.archive import HISTOGRAMS_FILE, LEDGER_FILE, read_histograms, read_ledger
from palier.load.driver import drive
from palier.load.histogram import bucket_middles_s
from palier.load.schedule import make_schedule
from palier.model.journey import Journey, Step
from palier.model.plan import REQUEST_TIMEOUT_S, RunPlan
from palier.model.profile import Profile
from palier.model.tier import DataSpec, LoadSpec, Tier
from palier.model.variant import Variant
from palier.selftest.known_server import known_server
from palier.selftest.truth import FRACTIONS, Comparison, compare, true_responses_s
from palier.stack.cpus import usable_cores

SCENARIO: Final = "scenarios/known_law.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cores:
    """Who runs where; None leaves it to the system."""

    generator: frozenset[int] | None = None
    server: frozenset[int] | None = None

    @classmethod
    def one_each(cls) -> Cores:
        """A core for each, where there are two."""
        first, *others = usable_cores()
        if not others:
            return cls()
        return cls(generator=frozenset({first}), server=frozenset(others[:1]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """What one trial came to.

    Attributes:
        rate_per_s: Offered requests a second.
        duration_s: Planned window.
        planned: Requests of the schedule.
        accounted: Requests with exactly one end in the ledger.
        succeeded: Of them, answered right.
        comparisons: Reported and true percentiles of the response.
        at_s: Intended start of each session, shape (planned,).
        true_s: What it really waited, of the same shape; infinite when it was never answered.
        lag_s: How late each request left, as exactly as a histogram knows.
        cpu_us_per_request: Processor time of the load generator for one request, in microseconds;
            without what it does before t0 and after the window.
    """

    rate_per_s: float
    duration_s: float
    planned: int
    accounted: int
    succeeded: int
    comparisons: tuple[Comparison, ...]
    at_s: NDArray[np.float64]
    true_s: NDArray[np.float64]
    lag_s: NDArray[np.float64]
    cpu_us_per_request: float

    def lag(self, fraction: float) -> float:
        """A percentile of the lag, in seconds."""
        return float(np.quantile(self.lag_s, fraction, method="inverted_cdf"))


def trial_plan(
    *,
    rate_per_s: float,
    duration_s: float,
    seed: int = 1,
    workers: int = 1,
    timeout_s: float = REQUEST_TIMEOUT_S,
) -> RunPlan:
    """Poisson arrivals of sessions of one request each, without a warm-up."""
    tier = Tier(
        id="selftest",
        system="selftest",
        title="The server with a known law",
        users_min=None,
        users_max=None,
        plan=None,
        source="",
        variant=Variant(),
        stack=None,
        load=LoadSpec(users=1, requests_per_s=rate_per_s),
        data=DataSpec(tenants=1),
        targets=(),
        triggers=(),
        cost=None,
    )
    look = Journey(
        id="look", title="One request", weight=1, steps=(Step(operation="look", think_s=0),)
    )
    return RunPlan(
        tier=tier,
        profile=Profile(id="steady", title="Steady", arrivals="poisson", duration_s=duration_s),
        duration_s=duration_s,
        warmup_s=0.0,
        seed=seed,
        workers=workers,
        requests_per_s=rate_per_s,
        rate_derivation="stated",
        sessions_per_s=rate_per_s,
        journeys=(look,),
        variant=Variant(),
        scenario=SCENARIO,
        url=None,
        request_timeout_s=timeout_s,
        drain_s=timeout_s,
        # Nobody may be turned away: as many as can be waiting at once.
        max_sessions=round(rate_per_s * (timeout_s + 1)) + 1000,
    )


def run_trial(
    folder: Path,
    plan: RunPlan,
    server_flags: Sequence[str] = (),
    *,
    cores: Cores = Cores(),
    fractions: Sequence[float] = FRACTIONS,
    lag_from_s: float = 0.0,
) -> Trial:
    """Drive the server and lay what was measured beside its log.

    Args:
        folder: Gets the files of the run and the server's log.
        plan: Of ``trial_plan``.
        server_flags: Law and stalls.
        cores: Who runs where.
        fractions: Percentiles to compare.
        lag_from_s: Lag before this second is left out: connections are opened in the first.

    Raises:
        LoadError: Generator or server did not start or end.
        KeyboardInterrupt: It was stopped.
    """
    run_dir = folder / "run"
    with (
        _kept_off(cores),
        known_server(folder / "answers.npy", server_flags, cpu_set=cores.server) as server,
    ):
        result = drive(plan, run_dir=run_dir, url=server.url, cpu_set=cores.generator)
        log = server.end()
    if result.interrupted:
        raise KeyboardInterrupt
    if result.lost_workers:
        raise LoadError(
            what="the load generator ended in the middle of a trial",
            where=str(run_dir / "load"),
            fix="`palier doctor` looks at this machine; run again",
        )
    at_us = np.array([session.at_us for session in make_schedule(plan).sessions], dtype=np.int64)
    true_s = true_responses_s(at_us, log, t0=result.t0)
    histograms = read_histograms(run_dir / HISTOGRAMS_FILE)
    ledger = read_ledger(run_dir / LEDGER_FILE).sum(numeric_only=True)
    lag = make_sample(histograms, clock="lag", from_s=lag_from_s, exact=STARTED, censored=())
    return Trial(
        rate_per_s=plan.requests_per_s,
        duration_s=plan.duration_s,
        planned=int(ledger["planned"]),
        accounted=int(ledger["skipped"] + sum(ledger[name] for name in STARTED)),
        succeeded=int(ledger["succeeded"]),
        comparisons=compare(make_sample(histograms, clock="response"), true_s, fractions),
        at_s=at_us / 1e6,
        true_s=true_s,
        lag_s=np.repeat(bucket_middles_s(lag.bucket), lag.count),
        cpu_us_per_request=_cpu_us_per_request(_lines(run_dir)),
    )


@contextmanager
def _kept_off(cores: Cores) -> Iterator[None]:
    """We read lines while the generator sends: on the server's core, not on the generator's."""
    if cores.server is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores.server)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _cpu_us_per_request(lines: Sequence[Mapping[str, Any]]) -> float:
    """What sending takes, without what comes before and after it: a loader's first line holds
    what was done before t0, its last one the end."""
    counted = [line for line in lines if line["seq"] and not line["final"]]
    started: int = sum(
        counts.get("started", 0) for line in counted for _second, _name, counts in line["ledger"]
    )
    cpu_s: float = sum(line["health"]["cpu_s"] for line in counted)
    return cpu_s / max(started, 1) * 1e6


def _lines(run_dir: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted((run_dir / "load").glob("worker-*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
