"""How many open arrivals a second does one core hold, and how late are they sent?

Poisson arrivals against the server with a known law that answers at once; generator and server
are pinned to a core each, and whoever reads the generator's lines is kept on the server's. Held
means: everything planned was sent and answered right, and the 99th percentile of the lag is at most
5 ms. Beside it, in the same minutes on the same cores and with the same search, the usual
prototype: Locust's FastHttp client, a sleeping greenlet, a pool, the collector off.

    python benchmarks/dispatch.py               two or three minutes
    python benchmarks/dispatch.py --seconds 20  longer windows

A search begins at a rate and goes down by sevenths until one is held, or up until one is not; its
answer is the highest that was held. The bar is a rate of the machine that it was written on, where
the prototype held 5,000/s. So the ratio to the prototype stands beside it: what is left when the
speed of the machine is taken out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import psutil
from numpy.typing import NDArray

from palier.selftest.known_server import known_server
from palier.selftest.trial import Cores, run_trial, trial_plan

BAR_PER_S: Final = 12_000
BAR_RATIO: Final = 12_000 / 5_000
"""The bar over what the prototype held on the machine of the bar."""
LAG_P99_S: Final = 0.005
LAG_P50_BAR_S: Final = 0.0001
SLOW_PER_S: Final = 1_000
STEP: Final = 8 / 7
PROTOTYPE: Final = Path(__file__).parent / "support" / "fasthttp_prototype.py"
TIMEOUT_S: Final = 5.0
AT_ONCE: Final = ("--law", "constant:0")


@dataclass(frozen=True)
class Held:
    """What came of one rate."""

    per_s: float
    lag_s: NDArray[np.float64]
    planned: int
    right: int
    cpu_us: float

    @property
    def holds(self) -> bool:
        return self.right == self.planned and self.lag(0.99) <= LAG_P99_S

    def lag(self, fraction: float) -> float:
        return float(np.quantile(self.lag_s, fraction, method="inverted_cdf"))

    def row(self, who: str) -> str:
        lags = "".join(f"{self.lag(fraction) * 1e3:>9.3f}" for fraction in (0.5, 0.99, 0.999))
        verdict = "held" if self.holds else "not held"
        return f"{who:12}{self.per_s:>9,.0f}{lags}{self.cpu_us:>12.1f}   {verdict}"


def ours(per_s: float, seconds: float, cores: Cores) -> Held:
    plan = trial_plan(rate_per_s=per_s, duration_s=seconds, timeout_s=TIMEOUT_S)
    with tempfile.TemporaryDirectory(prefix="palier-dispatch-") as name:
        trial = run_trial(Path(name), plan, AT_ONCE, cores=cores)
    return Held(
        per_s=per_s,
        lag_s=trial.lag_s,
        planned=trial.planned,
        right=trial.succeeded,
        cpu_us=trial.cpu_us_per_request,
    )


def prototype(per_s: float, seconds: float, cores: Cores) -> Held:
    with (
        tempfile.TemporaryDirectory(prefix="palier-dispatch-") as name,
        known_server(Path(name) / "log.npy", AT_ONCE, cpu_set=cores.server) as server,
    ):
        core = ",".join(map(str, sorted(cores.generator or ())))
        argv = [sys.executable, str(PROTOTYPE), server.url, str(per_s), str(seconds)]
        done = subprocess.run(
            ["taskset", "-c", core, *argv],
            capture_output=True,
            text=True,
            timeout=4 * seconds + 60,
            check=True,
        )
    found = json.loads(done.stdout)
    sent = len(found["lags_ns"])
    return Held(
        per_s=per_s,
        lag_s=np.array(found["lags_ns"]) / 1e9,
        planned=sent,
        right=sent - found["failed"],
        cpu_us=found["cpu_s"] / sent * 1e6,
    )


def highest(
    who: str, probe: Callable[[float], Held], start_per_s: float, probes: int
) -> Held | None:
    """Climb while rates are held, or go down until one is; None when none was."""
    best: Held | None = None
    per_s, up = start_per_s, None
    for _ in range(probes):
        found = probe(per_s)
        print(found.row(who), flush=True)
        if found.holds and (best is None or found.per_s > best.per_s):
            best = found
        if up is not None and found.holds != up:
            break
        up = found.holds
        per_s *= STEP if up else 1 / STEP
    return best


def stolen_s() -> float:
    """Processor time that others had of these cores so far: what the machine below took, and
    processes other than ours and their children."""
    times, own = psutil.cpu_times(), os.times()
    busy = times.user + times.nice + times.system
    ours_s = own.user + own.system + own.children_user + own.children_system
    return float(busy - ours_s + getattr(times, "steal", 0.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="window of one rate")
    parser.add_argument("--probes", type=int, default=8, help="rates tried at most, each")
    parser.add_argument("--start", type=float, default=BAR_PER_S, help="first rate of ours")
    parser.add_argument(
        "--prototype-start", type=float, default=5_000, help="first rate of the prototype"
    )
    options = parser.parse_args()
    cores = Cores.one_each()
    if cores.generator is None or cores.server is None:
        sys.exit("this needs two cores: one for the generator, one for the server")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores.server)
    began_s, others_s = time.monotonic(), stolen_s()
    print(f"{'':12}{'rate/s':>9}{'lag p50':>9}{'p99':>9}{'p99.9 ms':>9}{'CPU us/req':>12}")
    slow = ours(SLOW_PER_S, options.seconds, cores)
    print(slow.row("ours"), flush=True)
    print(prototype(SLOW_PER_S, options.seconds, cores).row("prototype"), flush=True)
    best = highest(
        "ours", lambda rate: ours(rate, options.seconds, cores), options.start, options.probes
    )
    usual = highest(
        "prototype",
        lambda rate: prototype(rate, options.seconds, cores),
        options.prototype_start,
        options.probes,
    )
    others = (stolen_s() - others_s) / (time.monotonic() - began_s)
    print(f"others had {others:.2f} cores meanwhile")
    met = "met" if slow.lag(0.5) <= LAG_P50_BAR_S else "MISSED"
    print(f"bar Lag: p50 {slow.lag(0.5) * 1e3:.3f} ms at {SLOW_PER_S:,.0f}/s: {met}")
    if best is None:
        print("bar Rate per core: MISSED; no rate was held, begin lower or try more")
        return
    met = "met" if best.per_s >= BAR_PER_S else "MISSED"
    print(f"bar Rate per core: {best.per_s:,.0f}/s held of {BAR_PER_S:,}/s: {met}")
    if usual is None:
        print("the prototype held no rate, so there is no ratio; begin lower or try more")
        return
    ratio = best.per_s / usual.per_s
    print(
        f"the prototype held {usual.per_s:,.0f}/s: ours is {ratio:.2f} times that; "
        f"{BAR_RATIO:.1f} on the machine of the bar"
    )


if __name__ == "__main__":
    main()
