"""How many open arrivals a second does one core hold, and how late are they sent?

Poisson arrivals against the server with a known law that answers at once; generator and server
are pinned to a core each. Held means: everything planned was sent and answered right, and the
99th percentile of the lag is at most 5 ms. Beside it, in the same minutes on the same cores, the
usual prototype: Locust's FastHttp client, a sleeping greenlet, a pool, the collector off.

    python benchmarks/dispatch.py               about a minute and a half
    python benchmarks/dispatch.py --seconds 20  longer windows

A rate is tried once; ladders go up or down by a seventh.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from palier.analysis.sample import STARTED, make_sample
from palier.load.archive import HISTOGRAMS_FILE, LEDGER_FILE, read_histograms, read_ledger
from palier.load.driver import drive
from palier.load.histogram import bucket_middles_s
from palier.selftest.known_server import known_server
from palier.selftest.trial import trial_plan
from palier.stack.cpus import usable_cores

LAG_P99_S: Final = 0.005
STEP: Final = 8 / 7
PROTOTYPE: Final = Path(__file__).parent / "support" / "fasthttp_prototype.py"
TIMEOUT_S: Final = 5.0


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


def ours(per_s: float, seconds: float, cores: tuple[frozenset[int], frozenset[int]]) -> Held:
    plan = trial_plan(rate_per_s=per_s, duration_s=seconds, timeout_s=TIMEOUT_S)
    with tempfile.TemporaryDirectory(prefix="palier-dispatch-") as name:
        run_dir = Path(name) / "run"
        with known_server(
            Path(name) / "log.npy", ("--law", "constant:0"), cpu_set=cores[1]
        ) as server:
            drive(plan, run_dir=run_dir, url=server.url, cpu_set=cores[0])
        lag = make_sample(
            read_histograms(run_dir / HISTOGRAMS_FILE), clock="lag", exact=STARTED, censored=()
        )
        ledger = read_ledger(run_dir / LEDGER_FILE).sum(numeric_only=True)
        text = (run_dir / "load" / "worker-0.jsonl").read_text(encoding="utf-8")
    # The first line holds what was done before t0, the last the rest after the window.
    lines = [json.loads(line) for line in text.splitlines()][1:-1]
    started = sum(
        counts.get("started", 0) for line in lines for _second, _name, counts in line["ledger"]
    )
    return Held(
        per_s=per_s,
        lag_s=np.repeat(bucket_middles_s(lag.bucket), lag.count),
        planned=int(ledger["planned"]),
        right=int(ledger["succeeded"]),
        cpu_us=sum(line["health"]["cpu_s"] for line in lines) / max(started, 1) * 1e6,
    )


def prototype(per_s: float, seconds: float, cores: tuple[frozenset[int], frozenset[int]]) -> Held:
    with (
        tempfile.TemporaryDirectory(prefix="palier-dispatch-") as name,
        known_server(Path(name) / "log.npy", ("--law", "constant:0"), cpu_set=cores[1]) as server,
    ):
        core = ",".join(map(str, sorted(cores[0])))
        argv = [sys.executable, str(PROTOTYPE), server.url, str(per_s), str(seconds)]
        done = subprocess.run(
            ["taskset", "-c", core, *argv],
            capture_output=True,
            text=True,
            timeout=10 * seconds + 60,
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
    """Climb while rates are held, or go down until one is."""
    best: Held | None = None
    per_s, up = start_per_s, None
    for _ in range(probes):
        found = probe(per_s)
        print(found.row(who), flush=True)
        if found.holds:
            best = found
        if up is not None and found.holds != up:
            break
        up = found.holds
        per_s *= STEP if up else 1 / STEP
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="window of one rate")
    parser.add_argument("--probes", type=int, default=4, help="rates tried at most, each")
    parser.add_argument("--start", type=float, default=12_000, help="first rate of ours")
    options = parser.parse_args()
    usable = usable_cores()
    if len(usable) < 2:
        sys.exit("this needs two cores: one for the generator, one for the server")
    cores = frozenset(usable[:1]), frozenset(usable[1:2])
    print(f"{'':12}{'rate/s':>9}{'lag p50':>9}{'p99':>9}{'p99.9 ms':>9}{'CPU us/req':>12}")
    print(ours(1_000, options.seconds, cores).row("ours"), flush=True)
    print(prototype(1_000, options.seconds, cores).row("prototype"), flush=True)
    best = highest(
        "ours", lambda rate: ours(rate, options.seconds, cores), options.start, options.probes
    )
    usual = highest(
        "prototype", lambda rate: prototype(rate, options.seconds, cores), 4_000, options.probes
    )
    if best is not None and usual is not None:
        print(
            f"held on one core: {best.per_s:,.0f}/s, "
            f"{best.per_s / usual.per_s:.1f} x the prototype's {usual.per_s:,.0f}/s"
        )


if __name__ == "__main__":
    main()
