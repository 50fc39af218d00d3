"""Is a reported percentile what really happened? Against servers whose law and log are known.

The server notes when it gave each answer to the kernel; the schedule knows when each request was
wanted. Neither is written by the engine. Its p50, p95, p99 and p99.9 of the response must be
theirs within 1 % or 0.2 ms; a percentile among requests that were never answered must be reported
as a lower bound.

    python benchmarks/truth.py                      a short selection
    python benchmarks/truth.py --all                every law at every rate, some seven minutes
    python benchmarks/truth.py --law freeze --rate 1000 --rate 4000

Exit code 1 when a percentile is off. Generator and server get a core each where there are two.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from palier.selftest.trial import Cores, Trial, run_trial, trial_plan
from palier.selftest.truth import Comparison

RATES_PER_S = (100.0, 1000.0, 4000.0)

CELL_S = 12.0
"""Long enough for 48,000 requests at 4,000/s, short enough for eighteen cells."""

PERIOD_S = 20.0
"""One whole period of the freeze: its middle tenth."""


@dataclass(frozen=True)
class Law:
    """One row of the table: flags of the server, and how long it is driven."""

    flags: tuple[str, ...]
    duration_s: float = CELL_S
    timeout_s: float = 10.0


LAWS = {
    "constant": Law(("--law", "constant:5ms")),
    "lognormal": Law(("--law", "lognormal:5ms:0.5")),
    "bimodal": Law(("--law", "bimodal:2ms:50ms:0.05")),
    "freeze": Law(("--law", "constant:5ms", "--freeze", "2s/20s"), duration_s=PERIOD_S),
    "slow start": Law(("--law", "constant:5ms", "--slow-start", "5s")),
    # The time-out is short, so that the bounds of those never answered are no matter of patience.
    "frozen at the end": Law(
        ("--law", "constant:5ms", "--stop-answering-at", f"{CELL_S - 2:g}s"), timeout_s=3.0
    ),
}

SHORT = (("lognormal", 1000.0), ("freeze", 1000.0), ("frozen at the end", 100.0))


def measure(law: Law, rate_per_s: float, seed: int, cores: Cores) -> Trial:
    plan = trial_plan(
        rate_per_s=rate_per_s, duration_s=law.duration_s, seed=seed, timeout_s=law.timeout_s
    )
    with tempfile.TemporaryDirectory(prefix="palier-truth-") as folder:
        return run_trial(Path(folder), plan, law.flags, cores=cores)


def cell(found: Comparison) -> str:
    if found.at_least:
        return f">={found.reported_s * 1e3:9.2f} {'as true' if found.holds else 'WRONG':>14}"
    off = f"{found.error_s * 1e3:+.3f} ms {'' if found.holds else '!'}"
    return f"{found.reported_s * 1e3:11.3f} {off:>14}"


def main() -> int:
    flags = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    flags.add_argument("--all", action="store_true", help="every law at every rate")
    flags.add_argument("--law", action="append", choices=LAWS, default=[])
    flags.add_argument("--rate", action="append", type=float, default=[])
    flags.add_argument("--seed", type=int, default=1)
    options = flags.parse_args()
    cells = list(SHORT)
    if options.all or options.law or options.rate:
        cells = [
            (name, rate) for rate in options.rate or RATES_PER_S for name in options.law or LAWS
        ]
    cores = Cores.one_each()
    print("response in ms as reported, and its error; ! marks more than 1 % and 0.2 ms")
    columns = " ".join(f"{name:^26}" for name in ("p50", "p95", "p99", "p99.9"))
    print(f"{'law':18}{'rate/s':>7}{'requests':>9}  {columns}{'lag p50/p99 ms':>16}{'µs CPU':>8}")
    held = True
    for name, rate_per_s in cells:
        found = measure(LAWS[name], rate_per_s, options.seed, cores)
        row = " ".join(map(cell, found.comparisons))
        lag = f"{found.lag(0.5) * 1e3:.2f} / {found.lag(0.99) * 1e3:.2f}"
        print(
            f"{name:18}{rate_per_s:>7,.0f}{found.planned:>9,}  {row}"
            f"{lag:>16}{found.cpu_us_per_request:>8.0f}",
            flush=True,
        )
        held &= all(one.holds for one in found.comparisons)
        if found.planned != found.accounted:
            print(f"{'':18}planned {found.planned:,}, accounted for {found.accounted:,}: WRONG")
            held = False
    print("every percentile is true" if held else "NOT every percentile is true")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
