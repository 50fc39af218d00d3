"""How good the search for a capacity is: many searches in virtual time against queues we know.

The truth is the highest rate whose steady state misses no gate: late (wrong or slower than the
limit) 5 % at most, wrong 1 % at most. It is computed in closed form for M/M/1 and M/M/4, with an
exponential lag of the measuring side of 0.1 ms on average and one wrong answer in a thousand. The
third system has no closed form, because its speed wanders from second to second as that of a
shared machine does; its truth is measured in a simulation of 120 million requests.

Searches begin at a random rate between a twentieth and nine tenths of the truth and use the rules
of the program as they are. A row is bounded: 12 probes and 7,200 s of virtual load for each
search. A thousand searches take some minutes of one core; they run in blocks.

    benchmarks/search_accuracy.py                    all rows, 1,000 searches each
    benchmarks/search_accuracy.py 250 "M/M/4"        one row, fewer searches
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from palier.capacity.answer import Answer
from palier.capacity.evidence import Gate
from palier.capacity.queue import Queue, capacity
from palier.capacity.rules import Rules
from palier.capacity.virtual import Lanes, VirtualSystem, Weather, answers_of, run_searches

SEARCHES: Final = 1000
BLOCK: Final = 250
SEED: Final = 20261127
ALLOWED: Final = 0.05
GATES: Final = (Gate(id="late", allowed=ALLOWED), Gate(id="wrong", allowed=0.01))

ONE: Final = Queue(servers=1, service_per_s=1000, lag_s=1e-4, error_ratio=0.001)
FOUR: Final = Queue(servers=4, service_per_s=250, lag_s=1e-4, error_ratio=0.001)

SYSTEMS: Final = {
    "M/M/1, p95 < 10 ms": VirtualSystem(queue=ONE, limit_s=0.010),
    "M/M/4, p95 < 20 ms": VirtualSystem(queue=FOUR, limit_s=0.020),
    "M/M/1, wandering speed": VirtualSystem(
        queue=ONE, limit_s=0.010, weather=Weather(spread=0.03, memory=0.6)
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    answers: Sequence[Answer]
    truth_per_s: float

    def share(self, holds: list[bool]) -> str:
        return f"{sum(holds) / len(holds):.1%}"

    def cells(self) -> Iterator[str]:
        truth = self.truth_per_s
        yield f"{truth:.1f}/s"
        yield self.share(
            [
                (one.low is None or one.low <= truth) and (one.high is None or truth <= one.high)
                for one in self.answers
            ]
        )
        widths = [
            (one.high - one.low) / truth if one.low and one.high else np.inf for one in self.answers
        ]
        yield self.share([width <= 0.05 for width in widths])
        largest = "open" if np.isinf(max(widths)) else f"{max(widths):.1%}"
        yield f"{np.median(widths):.1%} / {largest}"
        probes = [one.probes for one in self.answers]
        yield f"{np.mean(probes):.1f} / {max(probes)}"
        loaded = [one.loaded_s / 60 for one in self.answers]
        yield f"{np.median(loaded):.0f} / {max(loaded):.0f} min"


def truth_of(system: VirtualSystem) -> float:
    known = capacity(system.queue, limit_s=system.limit_s, allowed=ALLOWED)
    return known if not system.weather.spread else measured_capacity(system, around=known)


def measured_capacity(system: VirtualSystem, *, around: float) -> float:
    """Where the share missed crosses what is allowed, by a line through three simulated rates."""
    rates = around * np.array([0.96, 0.98, 1.0])
    seconds, copies = 600, 100
    shares = []
    for rate in rates:
        lanes = Lanes(system, copies, seconds + 60, np.random.default_rng(SEED))
        for lane in range(copies):
            lanes.restart(lane, rate)
        while lanes.now_s.min() < seconds:
            lanes.advance(np.arange(copies))
        counted = slice(5, seconds)
        shares.append(lanes.missed[:, counted].sum() / lanes.planned[:, counted].sum())
    slope, level = np.polyfit(rates, np.log(np.array(shares) / ALLOWED), 1)
    return float(-level / slope)


def search(system: VirtualSystem, truth: float, searches: int, block: int) -> list[Answer]:
    rng = np.random.default_rng([SEED, block])
    starts = truth * np.exp(rng.uniform(np.log(1 / 20), np.log(0.9), searches))
    rules = [
        Rules(
            gates=GATES,
            start_per_s=float(start),
            lowest_per_s=truth / 50,
            highest_per_s=truth * 20,
        )
        for start in starts
    ]
    return answers_of(run_searches(system, rules, rng))


def main(searches: int, only: str) -> None:
    titles = (
        "system",
        "truth",
        "interval holds it",
        "width <= 5 %",
        "width median / largest",
        "probes mean / most",
        "load median / longest",
        "searches",
        "took",
    )
    print("| " + " | ".join(titles) + " |")
    print("|---" * len(titles) + "|")
    for name, system in SYSTEMS.items():
        if only not in name:
            continue
        began, truth, answers = time.monotonic(), truth_of(system), []
        for block, first in enumerate(range(0, searches, BLOCK)):
            answers += search(system, truth, min(BLOCK, searches - first), block)
        took = time.monotonic() - began
        cells = [*Row(answers=answers, truth_per_s=truth).cells(), f"{len(answers):,}"]
        print("| " + " | ".join([name, *cells, f"{took:.0f} s"]) + " |", flush=True)


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else SEARCHES,
        sys.argv[2] if len(sys.argv) > 2 else "",
    )
