"""How large an hour is on disk, and how exact its percentiles are.

An hour of 50 operations at 500 requests/s is made up: operations with skewed shares and lognormal
response times of their own. It is recorded and written as any run is. Then percentiles of chosen
windows, read back from the files, are laid beside those of the raw samples.

    python benchmarks/archive_size.py

Exit code 1 when the two files are larger than 20 MB or a percentile is off by more than 0.1 %.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from palier.load.archive import (
    HISTOGRAMS_FILE,
    LEDGER_COLUMNS,
    LEDGER_FILE,
    read_histograms,
    write_histograms,
    write_ledger,
)
from palier.load.histogram import HALF_BITS, bucket_middles_s

SECONDS, OPERATIONS, RATE_PER_S = 3600, 50, 500
BAR_MB = 20.0
BAR_OFF = 0.001
WINDOWS = 100
FRACTIONS = (0.5, 0.9, 0.95, 0.99, 0.999)
FEWEST = 1000

Ints = NDArray[np.int64]


def make_samples(chance: np.random.Generator) -> pd.DataFrame:
    """Every request of the hour: second, operation and its times in microseconds."""
    count = int(chance.poisson(SECONDS * RATE_PER_S))
    share = 1 / (np.arange(OPERATIONS) + 4.0)
    operation = chance.choice(OPERATIONS, count, p=share / share.sum())
    median_us = 20_000 * np.exp(chance.normal(0, 0.6, OPERATIONS))
    service_us = (median_us[operation] * np.exp(chance.normal(0, 0.6, count))).astype(np.int64)
    lag_us = chance.lognormal(np.log(80), 0.5, count).astype(np.int64)
    return pd.DataFrame(
        {
            "second": np.sort(chance.integers(0, SECONDS, count)),
            "operation": operation,
            "response": service_us + lag_us,
            "service": service_us,
            "lag": lag_us,
            "generator_lag": lag_us,
        }
    )


def buckets_of(values_us: Ints) -> Ints:
    """``palier.load.histogram.bucket_of`` of many values at once."""
    _, exponents = np.frexp(np.maximum(values_us, 1).astype(np.float64))
    shift = np.maximum(0, exponents.astype(np.int64) - (HALF_BITS + 1))
    return np.asarray((shift << HALF_BITS) + (values_us >> shift))


def histograms_of(samples: pd.DataFrame, names: NDArray[np.object_]) -> pd.DataFrame:
    """The rows of ``histograms.parquet``."""
    parts = []
    for clock in ("response", "service", "lag", "generator_lag"):
        keys = pd.DataFrame(
            {
                "second": samples["second"],
                "operation": samples["operation"],
                "bucket": buckets_of(samples[clock].to_numpy(np.int64)),
            }
        )
        counts = keys.groupby(list(keys.columns), sort=False).size().rename("count").reset_index()
        parts.append(counts.assign(clock=clock))
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(operation=names[rows["operation"]], outcome="succeeded")


def ledger_of(samples: pd.DataFrame, names: NDArray[np.object_]) -> pd.DataFrame:
    """The rows of ``ledger.parquet``."""
    counts = samples.groupby(["second", "operation"]).size().rename("planned").reset_index()
    counts["operation"] = names[counts["operation"]]
    counts = counts.assign(started=counts["planned"], succeeded=counts["planned"])
    return counts.reindex(columns=list(LEDGER_COLUMNS), fill_value=0)


def largest_error(
    samples: pd.DataFrame,
    read: pd.DataFrame,
    names: NDArray[np.object_],
    chance: np.random.Generator,
) -> float:
    """Largest relative difference over chosen windows, operations and fractions."""
    read = read[read["clock"] == "response"]
    code = {name: number for number, name in enumerate(names)}
    kept = read[["second", "bucket", "count"]].to_numpy(np.int64)
    kept_operation = read["operation"].map(code).to_numpy(np.int64)
    raw_columns = samples[["second", "operation", "response"]].to_numpy(np.int64)
    worst = 0.0
    for _ in range(WINDOWS):
        first, last = np.sort(chance.integers(0, SECONDS + 1, 2))
        # Both are in the order of time.
        raw = raw_columns[slice(*np.searchsorted(raw_columns[:, 0], (first, last)))]
        inside = slice(*np.searchsorted(kept[:, 0], (first, last)))
        told, operation = kept[inside], kept_operation[inside]
        which = int(chance.integers(-1, OPERATIONS))
        if which >= 0:
            raw, told = raw[raw[:, 1] == which], told[operation == which]
        if len(raw) < FEWEST:
            continue
        truth_us = np.sort(raw[:, 2])
        counts = np.bincount(told[:, 1], weights=told[:, 2])
        upto = np.cumsum(counts)
        if upto[-1] != len(raw):
            raise AssertionError("the files hold another number of requests")
        for fraction in FRACTIONS:
            rank = int(np.ceil(fraction * len(raw)))
            bucket = np.array([np.searchsorted(upto, rank)])
            told_us = float(bucket_middles_s(bucket)[0]) * 1e6
            worst = max(worst, abs(told_us / truth_us[rank - 1] - 1))
    return worst


def main() -> int:
    chance = np.random.default_rng(1)
    names = np.array([f"operation_{number:02d}" for number in range(OPERATIONS)], dtype=object)
    samples = make_samples(chance)
    rows = histograms_of(samples, names)
    with tempfile.TemporaryDirectory(prefix="palier-archive-") as name:
        folder = Path(name)
        began = time.process_time()
        write_histograms(folder / HISTOGRAMS_FILE, rows)
        write_ledger(folder / LEDGER_FILE, ledger_of(samples, names))
        took_s = time.process_time() - began
        sizes_mb = [(folder / file).stat().st_size / 1e6 for file in (HISTOGRAMS_FILE, LEDGER_FILE)]
        off = largest_error(samples, read_histograms(folder / HISTOGRAMS_FILE), names, chance)
    print(f"{len(samples):,} requests, {OPERATIONS} operations, {SECONDS} s: {len(rows):,} rows")
    print(
        f"histograms {sizes_mb[0]:.1f} MB + ledger {sizes_mb[1]:.1f} MB = {sum(sizes_mb):.1f} MB "
        f"(bar {BAR_MB:.0f} MB), written in {took_s:.0f} s of processor time"
    )
    print(
        f"percentiles of {WINDOWS} windows: {off:.3%} off at most, of the raw (bar {BAR_OFF:.1%})"
    )
    return 0 if sum(sizes_mb) <= BAR_MB and off <= BAR_OFF else 1


if __name__ == "__main__":
    sys.exit(main())
