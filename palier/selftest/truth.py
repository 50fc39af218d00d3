"""What was reported beside what really happened: pure.

The truth of a request is the instant at which the server gave its answer to the kernel, minus the
instant at which the schedule wanted it sent; the engine under test wrote neither of the two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from palier.analysis.sample import Sample
from palier.load.histogram import bucket_middles_s

FRACTIONS: Final = (0.5, 0.95, 0.99, 0.999)

RELATIVE: Final = 0.01
ABSOLUTE_S: Final = 0.000_2
"""A reported percentile is true within 1 % or 0.2 ms (issue 4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One percentile of the response, reported and true.

    Attributes:
        fraction: 0.95 for p95.
        reported_s: As the engine's histograms have it; a lower bound when ``at_least``.
        true_s: Of the independent logs; infinite when it lies among requests never answered.
        at_least: The engine says ">= reported".
        requests: Sample size.
    """

    fraction: float
    reported_s: float
    true_s: float
    at_least: bool
    requests: int

    @property
    def error_s(self) -> float:
        """How far off; 0 for a lower bound that holds, infinite for a bound on one side only."""
        if self.at_least:
            return 0.0 if self.reported_s <= self.true_s + ABSOLUTE_S else math.inf
        return self.reported_s - self.true_s

    @property
    def allowed_s(self) -> float:
        """What the bar grants."""
        known_s = self.reported_s if math.isinf(self.true_s) else self.true_s
        return max(ABSOLUTE_S, RELATIVE * known_s)

    @property
    def holds(self) -> bool:
        return abs(self.error_s) <= self.allowed_s


def true_responses_s(
    at_us: NDArray[np.int64], log: NDArray[np.void], *, t0: float
) -> NDArray[np.float64]:
    """Response of every session of one request, from the independent logs; infinite when it was
    never answered.

    Args:
        at_us: Intended start of each session by its number, in microseconds from t0.
        log: Rows of the server's log; sessions that are none of ours are left out.
        t0: Start of the run, an instant of ``time.monotonic``.

    Raises:
        ValueError: A session was answered twice: somebody sends requests again.
    """
    ours = log[(log["session"] >= 0) & (log["session"] < len(at_us))]
    session = ours["session"]
    if len(np.unique(session)) != len(session):
        raise ValueError("the server answered a session twice: a request was sent again")
    # Differences of whole numbers: a float has not enough digits for nanoseconds since the boot.
    waited_ns = ours["answered_ns"] - round(t0 * 1e9) - at_us[session] * 1000
    responses = np.full(len(at_us), np.inf)
    responses[session] = waited_ns / 1e9
    return responses


def compare(
    sample: Sample, true_s: NDArray[np.float64], fractions: Sequence[float] = FRACTIONS
) -> tuple[Comparison, ...]:
    """Percentiles of the engine's response histograms beside the true ones, by the same rule: the
    value of rank ``ceil(p n)``.

    Args:
        sample: The engine's, of the clock ``response``.
        true_s: Of ``true_responses_s``.
        fractions: Which percentiles; none is refused here for a small sample, since both sides
            have the same requests.
    """
    never = np.iinfo(np.int64).max
    shown = _Ranks(sample.bucket, sample.count)
    worst = _Ranks(np.where(sample.censored, never, sample.bucket), sample.count)
    ranked = np.sort(true_s)
    return tuple(
        Comparison(
            fraction=fraction,
            reported_s=_seconds(shown.at(fraction)),
            true_s=float(ranked[_rank(fraction, len(ranked)) - 1]),
            at_least=shown.at(fraction) != worst.at(fraction),
            requests=sample.size,
        )
        for fraction in fractions
    )


class _Ranks:
    def __init__(self, buckets: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
        order = np.argsort(buckets, kind="stable")
        self._ranked, self._upto = buckets[order], np.cumsum(counts[order])

    def at(self, fraction: float) -> int:
        rank = _rank(fraction, int(self._upto[-1]))
        return int(self._ranked[np.searchsorted(self._upto, rank)])


def _rank(fraction: float, requests: int) -> int:
    return max(1, math.ceil(round(fraction * requests, 6)))


def _seconds(bucket: int) -> float:
    return float(bucket_middles_s(np.array([bucket], dtype=np.int64))[0])
