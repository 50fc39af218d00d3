"""Which targets of a tier a search can decide, and how one run counts for them.

A target becomes a gate when meeting it is a matter of single requests: a percentile of the
response time, or the error ratio. Sizes, counts of indexes and the like do not move with the
rate; a maximum cannot be shown by any number of requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from palier.analysis.judge_target import AVOIDED
from palier.analysis.metrics import DEFAULT_PERCENTILE
from palier.analysis.ratio import FOLLOWING_ERRORS, NOT_CHARGED, OWN_ERRORS
from palier.analysis.sample import make_sample
from palier.analysis.units import convert
from palier.capacity.evidence import Gate, Stretch, Tally
from palier.load.histogram import bucket_middles_s
from palier.model.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTarget:
    """A target as a gate of a search.

    Attributes:
        gate: Its id and the share of requests that may miss it.
        operation: Whose requests; None for all.
        limit_s: A right answer that takes longer misses it; None where only errors do.
    """

    gate: Gate
    operation: str | None
    limit_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A gate of the tier that a search cannot decide, and why."""

    id: str
    why: str


def search_targets(
    targets: Iterable[Target],
) -> tuple[tuple[SearchTarget, ...], tuple[LeftOut, ...]]:
    """The gates among ``targets``: those of a search, and those it leaves out."""
    chosen: list[SearchTarget] = []
    left_out: list[LeftOut] = []
    for target in targets:
        if target.role != "gate":
            continue
        one = _search_target(target)
        if isinstance(one, LeftOut):
            left_out.append(one)
        else:
            chosen.append(one)
    return tuple(chosen), tuple(left_out)


def _search_target(target: Target) -> SearchTarget | LeftOut:
    comparator = target.comparator
    if target.is_alarm:
        comparator = AVOIDED.get(comparator, comparator)
    if target.metric not in ("response_time", "error_ratio"):
        return LeftOut(id=target.id, why="it is no matter of single requests")
    if target.limit is None or comparator not in ("<", "<="):
        return LeftOut(id=target.id, why="it sets no upper limit")
    if target.metric == "error_ratio":
        limit_s, allowed = None, convert(target.limit, target.unit, "ratio")
    else:
        limit_s = convert(target.limit, target.unit, "s")
        allowed = round(1 - (target.percentile or DEFAULT_PERCENTILE), 12)
    if not 0 < allowed < 1:
        return LeftOut(id=target.id, why=f"it allows a share of {allowed:g}, which no run shows")
    gate = Gate(id=target.id, allowed=allowed)
    return SearchTarget(gate=gate, operation=target.operation, limit_s=limit_s)


def stretch_of(
    targets: Sequence[SearchTarget],
    ledger: pd.DataFrame,
    histograms: pd.DataFrame,
    *,
    from_s: int,
    to_s: int,
) -> Stretch:
    """The judged seconds of a run as evidence.

    Args:
        targets: Gates of the search.
        ledger: Rows by second and operation, with the counts of the ledger.
        histograms: Of the same run.
        from_s: First second after the warm-up.
        to_s: Planned end of the load.
    """
    return Stretch(
        tallies={
            target.gate.id: _tally(target, ledger, histograms, from_s=from_s, to_s=to_s)
            for target in targets
        }
    )


def _tally(
    target: SearchTarget, ledger: pd.DataFrame, histograms: pd.DataFrame, *, from_s: int, to_s: int
) -> Tally:
    """Wrong requests by the second they were planned in, late ones by that of their start.

    The two differ by little, but a step of a slow journey may be intended after the planned
    window: it counts in the last second. A second that would then miss more than it planned gives
    the rest to the next one, and the last one to those before.
    """
    seconds = to_s - from_s
    rows = ledger.loc[(ledger["second"] >= from_s) & (ledger["second"] < to_s)]
    if target.operation is not None:
        rows = rows.loc[rows["operation"] == target.operation]
    at = rows["second"].to_numpy(np.int64) - from_s

    def by_second(columns: Sequence[str]) -> NDArray[np.int64]:
        total = rows[list(columns)].to_numpy(np.int64).sum(axis=1)
        return np.bincount(at, weights=total, minlength=seconds).astype(np.int64)

    planned = by_second(["planned"]) - by_second(NOT_CHARGED)
    missed = by_second([*OWN_ERRORS, *FOLLOWING_ERRORS])
    if target.limit_s is not None:
        right = make_sample(
            histograms, clock="response", operation=target.operation, from_s=from_s, censored=()
        )
        late = bucket_middles_s(right.bucket) > target.limit_s
        when = np.minimum(right.second[late] - from_s, seconds - 1)
        missed += np.bincount(when, weights=right.count[late], minlength=seconds).astype(np.int64)
    spread = _within(missed, planned)
    return Tally(planned=tuple(planned.tolist()), missed=tuple(spread.tolist()))


def _within(missed: NDArray[np.int64], planned: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same misses, no second with more than it planned."""
    result, rest = missed.copy(), 0
    for order in (range(len(result)), range(len(result) - 1, -1, -1)):
        for second in order:
            rest += int(result[second])
            result[second] = min(rest, int(planned[second]))
            rest -= int(result[second])
    return result
