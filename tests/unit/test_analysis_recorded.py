"""Warm-up and steadiness on series of real runs, whose servers' laws are known.

Each file names its server (``palier.selftest.server``); the runs were made on two processors that
three of them shared. The cold one is slow for its first 8 s, by less and less; the drifting one is
a single queue that is asked for slightly more than it can do.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from analysis_runs import make_test_sample

from palier.analysis.findings import Steadiness
from palier.analysis.perseconds import quantile_by_second, share_by_second
from palier.analysis.steadiness import judge_steadiness
from palier.analysis.window import Window, find_window

RECORDED = Path(__file__).parents[1] / "fixtures" / "steadiness"


def judged(name: str) -> tuple[Window, Steadiness]:
    document = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    by_second = [np.array(one) / 1000 for one in document["response_ms_by_second"]]
    seconds = len(by_second)
    second = np.repeat(np.arange(seconds), [len(one) for one in by_second])
    sample = make_test_sample(np.concatenate(by_second), second)
    medians_s = quantile_by_second(sample, 0.5, seconds=seconds)
    window = find_window(medians_s, warmup_s=0, end_s=seconds)
    from_s = int(window.from_s)
    slow_s = float(np.quantile(np.concatenate(by_second[from_s:]), 0.9))
    shares = share_by_second(sample, slow_s, seconds=seconds)
    return window, judge_steadiness(
        medians_s[from_s:], shares[from_s:], settled=window.settled, warmup_found_s=window.from_s
    )


def test_a_cold_system_is_judged_from_where_it_is_warm() -> None:
    window, steadiness = judged("cold")
    assert window.from_s == pytest.approx(7, abs=1)
    assert steadiness.steady is True


def test_a_warm_system_is_judged_from_its_first_second() -> None:
    window, steadiness = judged("warm")
    assert window.from_s == 0
    assert steadiness.steady is True


def test_a_system_that_falls_behind_is_not_called_steady() -> None:
    """An overloaded queue is a random walk: it grows, and every test that knows of dependence
    must doubt its own slope. The answer is then "cannot be told", which passes nothing either."""
    _, steadiness = judged("drifting")
    assert steadiness.steady is None
    assert "rises by" in steadiness.why
    assert "depend on each other" in steadiness.why
