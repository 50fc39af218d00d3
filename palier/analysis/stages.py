"""Steadiness of a load that moves by plan: stage by stage, where the same load is offered.

Between bends the load is a steady one, so what holds for a steady window holds there: it settles,
and then it must not drift. A stage whose response times climb shows a level that the system does
not hold, only outlives.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from palier.analysis.findings import StageFinding
from palier.analysis.percentile import percentile
from palier.analysis.perseconds import share_by_second
from palier.analysis.sample import make_sample
from palier.analysis.steadiness import FEWEST_SECONDS, SIGNIFICANCE, judge_steadiness
from palier.analysis.window import Window, find_window
from palier.model.plan import RunPlan
from palier.model.stages import Stage, stages_of

_SLOW: Final = 0.9
"""As for a whole window: the share of requests above the 90th percentile."""


def judge_stages(
    plan: RunPlan, window: Window, histograms: pd.DataFrame, medians_s: NDArray[np.float64]
) -> tuple[StageFinding, ...]:
    """The level stages of a plan, with the part of each that is like itself.

    Requests follow the arrivals of their sessions, so a stage begins to be level when the longest
    journey that started before it is over. Several stages are several chances of a false alarm,
    so each is tested at its share of the significance of one window.

    Args:
        plan: The plan.
        window: The judged window.
        histograms: Columns second, operation, outcome, clock, bucket, count.
        medians_s: Median response time by second, from second 0.
    """
    follows_s = 0.0 if plan.loop is not None else max(one.think_s for one in plan.journeys)
    parts = [
        (stage, math.ceil(max(stage.from_s + follows_s, window.from_s)), end_s)
        for stage in stages_of(plan)
        if stage.is_level
        for end_s in [math.floor(min(stage.to_s, window.to_s))]
    ]
    long_enough = [part for part in parts if part[2] - part[1] >= FEWEST_SECONDS]
    return tuple(
        _judged(*part, histograms, medians_s, significance=SIGNIFICANCE / len(long_enough))
        for part in long_enough
    )


def _judged(
    stage: Stage,
    from_s: int,
    end_s: int,
    histograms: pd.DataFrame,
    medians_s: NDArray[np.float64],
    *,
    significance: float,
) -> StageFinding:
    settled = find_window(medians_s, warmup_s=from_s, end_s=end_s)
    responses = make_sample(histograms, clock="response", from_s=settled.from_s, to_s=end_s)
    p90 = percentile(responses, _SLOW).value
    shares = (
        np.full(end_s, np.nan) if p90 is None else share_by_second(responses, p90, seconds=end_s)
    )
    judged = slice(int(settled.from_s), end_s)
    return StageFinding(
        from_s=stage.from_s,
        to_s=stage.to_s,
        level=stage.low,
        steadiness=judge_steadiness(
            medians_s[judged],
            shares[judged],
            settled=settled.settled,
            warmup_found_s=settled.from_s,
            significance=significance,
        ),
    )
