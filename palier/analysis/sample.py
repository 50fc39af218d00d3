"""A sample: how many requests of each second fell into each histogram bucket."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Clock = Literal["response", "service", "lag", "generator_lag"]

EXACT: Final = ("succeeded",)
"""Outcomes whose duration is known."""

CENSORED: Final = ("timed_out", "abandoned", "skipped")
"""Outcomes whose duration is only known to be at least the recorded one."""

STARTED: Final = ("succeeded", "failed", "timed_out", "abandoned")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Counts by second and bucket; four arrays of the same shape (k,).

    Attributes:
        second: Second of the run in which the request was intended to start.
        bucket: Bucket of ``palier.load.histogram``.
        count: Requests, > 0.
        censored: True where the duration is only known to be at least the bucket's.
    """

    second: NDArray[np.int64]
    bucket: NDArray[np.int64]
    count: NDArray[np.int64]
    censored: NDArray[np.bool_]

    @property
    def size(self) -> int:
        """Requests in the sample."""
        return int(self.count.sum())

    @property
    def censored_size(self) -> int:
        """Requests whose duration is only known to be at least the recorded one."""
        return int(self.count[self.censored].sum())


def make_sample(
    histograms: pd.DataFrame,
    *,
    clock: Clock,
    operation: str | None = None,
    from_s: float = 0.0,
    to_s: float | None = None,
    exact: Iterable[str] = EXACT,
    censored: Iterable[str] = CENSORED,
) -> Sample:
    """The requests of one clock that the schedule intended from ``from_s`` on.

    There is no end by default: a step that the system delayed beyond the planned window was
    planned inside it, and leaving it out would hide the slowest requests.

    Args:
        histograms: Columns second, operation, outcome, clock, bucket, count.
        clock: Which duration.
        operation: None takes all operations together.
        from_s: First second that counts; a second that began before it does not.
        to_s: First second that no longer counts.
        exact: Outcomes whose duration is known.
        censored: Outcomes whose duration is a lower bound.
    """
    known, bound = tuple(exact), tuple(censored)
    chosen = (
        (histograms["clock"] == clock)
        & (histograms["second"] >= from_s)
        & (histograms["count"] > 0)
        & histograms["outcome"].isin([*known, *bound])
    )
    if to_s is not None:
        chosen &= histograms["second"] < to_s
    if operation is not None:
        chosen &= histograms["operation"] == operation
    rows = histograms.loc[chosen]
    return Sample(
        second=rows["second"].to_numpy(np.int64),
        bucket=rows["bucket"].to_numpy(np.int64),
        count=rows["count"].to_numpy(np.int64),
        censored=rows["outcome"].isin(bound).to_numpy(np.bool_),
    )
