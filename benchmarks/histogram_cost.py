"""What recording one response time costs: our histogram, a plain list, Locust's own statistics.

The recorder runs once per request inside the load generator, so its cost is load that is not sent.
Locust's bucketing is the same idea with two significant digits; a list keeps everything and cannot
be bounded or merged cheaply.

All contenders run in one process and take turns in every round, so a busy machine slows all of
them; the ratios of a round are comparable although its nanoseconds are not. CPU time is measured,
net of an empty loop. The collector is off, as it is in a loader.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence

# First: importing Locust patches the standard library, and warns when others were faster.
from locust.stats import RequestStats, StatsEntry, bucket_response_time

from palier.load.histogram import bucket_of

Contender = Callable[[Sequence[int]], None]

VALUES = 50_000
"""Durations of one turn: long against the clock's resolution, short against a scheduler's turn."""
ROUNDS = 15
SEED = 1


def response_times_us() -> list[int]:
    """Log-normal durations in whole microseconds, median 20 ms, as web applications give them."""
    rng = random.Random(SEED)
    return [round(1e6 * rng.lognormvariate(-3.9, 0.8)) for _ in range(VALUES)]


def empty_loop(values: Sequence[int]) -> None:
    for _ in values:
        pass


def list_append(values: Sequence[int]) -> None:
    kept: list[int] = []
    for value in values:
        kept.append(value)


def our_histogram(values: Sequence[int]) -> None:
    counts: dict[int, int] = {}
    for value in values:
        bucket = bucket_of(value)
        counts[bucket] = counts.get(bucket, 0) + 1


def locust_buckets(values: Sequence[int]) -> None:
    counts: defaultdict[int, int] = defaultdict(int)
    for value in values:
        counts[bucket_response_time(value / 1000)] += 1


def locust_entry(values: Sequence[int]) -> None:
    entry = StatsEntry(RequestStats(), "list_reservations", "GET")
    for value in values:
        entry.log(value // 1000, 2048)


CONTENDERS: dict[str, Contender] = {
    "list.append (every value kept)": list_append,
    "our histogram, 3 digits": our_histogram,
    "Locust's buckets, 2 digits": locust_buckets,
    "Locust's statistics entry, whole": locust_entry,
}


def cpu_s(contender: Contender, values: Sequence[int]) -> float:
    began = time.process_time()
    contender(values)
    return time.process_time() - began


def measure(values: Sequence[int]) -> dict[str, list[float]]:
    """Net CPU seconds of every turn by contender; a new order in every round."""
    rng = random.Random(SEED)
    turns: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for contender in (empty_loop, *CONTENDERS.values()):
        contender(values)  # the first turn pays for allocations and the interpreter's caches
    for _ in range(ROUNDS):
        loop_s = cpu_s(empty_loop, values)
        for name in rng.sample(sorted(CONTENDERS), len(CONTENDERS)):
            turns[name].append(cpu_s(CONTENDERS[name], values) - loop_s)
    return turns


def main() -> None:
    gc.collect()
    gc.disable()
    turns = measure(response_times_us())
    base = turns[next(iter(CONTENDERS))]
    ours = turns["our histogram, 3 digits"]
    print(f"cost of recording one duration, {ROUNDS} rounds of {VALUES:,} values, CPU time")
    print(f"{'':34}{'ns, median':>12}{'x list.append':>15}{'x ours':>9}{'spread of x ours':>19}")
    for name, seconds in turns.items():
        of_list = statistics.median(a / b for a, b in zip(seconds, base, strict=True))
        of_ours = sorted(a / b for a, b in zip(seconds, ours, strict=True))
        print(
            f"{name:34}{1e9 * statistics.median(seconds) / VALUES:>12.0f}{of_list:>15.1f}"
            f"{statistics.median(of_ours):>9.2f}{of_ours[0]:>12.2f} to {of_ours[-1]:.2f}"
        )
    print("read the ratios: the nanoseconds belong to this machine at this moment")


if __name__ == "__main__":
    main()
