"""Notes: sentences a reader needs to understand the numbers, in the order of their weight."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from palier.analysis.findings import OperationFinding
from palier.analysis.other_work import WORTH_SAYING, other_work
from palier.analysis.perseconds import share_by_second
from palier.analysis.sample import Sample
from palier.analysis.window import Window
from palier.analysis.wording import number, share
from palier.model.plan import RunPlan

BURSTY: Final = 10.0
"""From this design effect on, the slow requests are one or two episodes, and the reader is told
which seconds they are."""

MOSTLY_SLOW: Final = 0.25
"""A second with five times the usual share of requests beyond p95 belongs to an episode."""

ERRORS_WORTH_SAYING: Final = 0.001
"""Above 0.1 % errors, fast failures can change what the successes look like."""


def make_notes(
    *,
    plan: RunPlan,
    window: Window,
    overall: OperationFinding,
    responses: Sample,
    telemetry: pd.DataFrame,
) -> tuple[str, ...]:
    """What the numbers alone do not say."""
    return (
        *_warmup(plan, window),
        *_left_out(overall),
        *_bursts(overall, responses, window),
        *_errors(overall),
        *_goodput(overall),
        *_refusals(overall),
        *_processor(telemetry, window),
    )


def _warmup(plan: RunPlan, window: Window) -> Iterator[str]:
    if window.from_s > np.ceil(plan.warmup_s):
        yield (
            f"The warm-up was longer than planned: response times reach the level of the second "
            f"half of the window at {window.from_s:.0f} s, so judgement begins there "
            f"instead of at {plan.warmup_s:g} s."
        )


def _left_out(overall: OperationFinding) -> Iterator[str]:
    """What a closed load hides: users who wait do not ask."""
    ledger = overall.ledger
    left_out = dict(ledger.skipped_reasons).get("user_busy", 0)
    if left_out:
        yield (
            f"The load is closed: its users could have asked for {ledger.planned:,} requests, and "
            f"{share(left_out / ledger.planned)} of them were never asked for, because the users "
            "were waiting for other answers. An open load would have sent them, and response "
            "times would have been longer."
        )


def _bursts(overall: OperationFinding, responses: Sample, window: Window) -> Iterator[str]:
    p95 = dict(overall.response.points)[0.95]
    if p95.value is None or not p95.effective or p95.samples / p95.effective < BURSTY:
        return
    seconds = int(window.to_s) + 1
    slow = share_by_second(responses, p95.value, seconds=seconds)[int(window.from_s) :]
    worst = int(window.from_s) + np.flatnonzero(np.nan_to_num(slow) > MOSTLY_SLOW)
    where = f" They are in {_spans(worst)}." if 0 < len(worst) <= len(slow) / 2 else ""
    yield (
        f"The slowest requests come in bursts, so {p95.samples:,} requests say as much about p95 "
        f"as {number(p95.effective)} independent ones would; the interval accounts for it.{where}"
    )


def _spans(seconds: np.ndarray) -> str:
    """``"seconds 12-14 and 20"``."""
    groups = np.split(seconds, np.flatnonzero(np.diff(seconds) > 1) + 1)
    texts = [f"{g[0]}-{g[-1]}" if len(g) > 1 else f"{g[0]}" for g in groups]
    word = "second" if len(seconds) == 1 else "seconds"
    if len(texts) == 1:
        return f"{word} {texts[0]}"
    return f"{word} {', '.join(texts[:-1])} and {texts[-1]}"


def _errors(overall: OperationFinding) -> Iterator[str]:
    errors = overall.error_ratio.value
    if errors is not None and errors > ERRORS_WORTH_SAYING:
        yield (
            f"{share(errors)} of the planned requests got no right answer. Failed requests are "
            "not in the response times, and their sessions sent nothing more, so the system "
            "carried less than was offered."
        )


def _goodput(overall: OperationFinding) -> Iterator[str]:
    """What counts for whoever waits: a right answer in time, of all that was planned."""
    parts = [f"{right * 100:.4g} % within {number(at)} s" for at, right in overall.right_within]
    if parts:
        yield f"Of all planned requests, these were answered right: {', '.join(parts)}."


def _refusals(overall: OperationFinding) -> Iterator[str]:
    refused = [e.refused for at, e in overall.response.points if e.refused and at <= 0.99]
    if refused:
        there = overall.response.points[0][1].samples
        yield f"Not reported, because there are {there:,} requests: {'; '.join(refused)}."


def _processor(telemetry: pd.DataFrame, window: Window) -> Iterator[str]:
    """Who used the processor in the judged window; matters when all share one machine."""
    if telemetry.empty:
        return
    rows = telemetry.loc[
        (telemetry["name"] == "cpu_cores")
        & (telemetry["at_s"] > window.from_s)
        & (telemetry["at_s"] <= window.to_s)
    ]
    if rows.empty:
        return
    used = rows.groupby(rows["source"].astype(str))["value"].mean().sort_values(ascending=False)
    parts = ", ".join(f"{source} {value:.2f}" for source, value in used.items())
    yield f"Processor cores in use on average: {parts}."
    work = other_work(telemetry, from_s=window.from_s, to_s=window.to_s)
    if work is not None and work.is_above(WORTH_SAYING):
        yield (
            f"Work that is none of this run's used {work}, and the system under test had to wait "
            "for it: it is faster than it looks here. A pass stands all the more; anything else "
            "deserves a run on a quiet machine."
        )
