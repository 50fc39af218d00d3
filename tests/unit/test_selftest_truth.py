"""What was reported beside what really happened."""

from __future__ import annotations

import math

import numpy as np
import pytest

from palier.analysis.sample import Sample
from palier.load.histogram import bucket_of
from palier.selftest.truth import Comparison, compare, true_responses_s

ROW = [("session", "<i8"), ("received_ns", "<i8"), ("due_ns", "<i8"), ("answered_ns", "<i8")]

T0_S = 50_000.0


def log_of(*answers: tuple[int, int]) -> np.ndarray:
    """Sessions and when they were answered, in microseconds from t0."""
    rows = [(session, 0, 0, round(T0_S * 1e9) + at_us * 1000) for session, at_us in answers]
    return np.array(rows, dtype=ROW)


def sample_of(*responses_us: int, censored: tuple[int, ...] = ()) -> Sample:
    everything = [*responses_us, *censored]
    return Sample(
        second=np.zeros(len(everything), dtype=np.int64),
        bucket=np.array([bucket_of(value) for value in everything], dtype=np.int64),
        count=np.ones(len(everything), dtype=np.int64),
        censored=np.array([False] * len(responses_us) + [True] * len(censored)),
    )


def only(reported: Sample, true_s: list[float], fraction: float) -> Comparison:
    (comparison,) = compare(reported, np.array(true_s), (fraction,))
    return comparison


def test_the_truth_is_the_answer_minus_the_intended_start() -> None:
    true_s = true_responses_s(
        np.array([1_000, 2_000, 3_000]), log_of((1, 7_000), (0, 1_500), (-1, 9)), t0=T0_S
    )

    assert true_s == pytest.approx([0.0005, 0.005, math.inf], abs=1e-9)


def test_a_session_that_was_answered_twice_is_no_truth() -> None:
    with pytest.raises(ValueError, match="twice"):
        true_responses_s(np.array([0, 0]), log_of((1, 5), (1, 6)), t0=T0_S)


def test_a_percentile_holds_within_a_hundredth_or_a_fifth_of_a_millisecond() -> None:
    true_s = [0.001, 0.002, 0.1, 1.0]

    assert only(sample_of(1_000, 2_150, 100_000, 1_000_000), true_s, 0.5).holds
    assert not only(sample_of(1_000, 2_250, 100_000, 1_000_000), true_s, 0.5).holds
    assert only(sample_of(1_000, 2_000, 100_000, 1_008_000), true_s, 1.0).holds
    assert not only(sample_of(1_000, 2_000, 100_000, 1_012_000), true_s, 1.0).holds


def test_a_lower_bound_holds_when_the_truth_lies_above_it() -> None:
    reported = sample_of(1_000, 2_000, censored=(3_000_000,))

    never = only(reported, [0.001, 0.002, math.inf], 1.0)
    late = only(reported, [0.001, 0.002, 3.5], 1.0)
    early = only(reported, [0.001, 0.002, 2.5], 1.0)

    assert never.at_least
    assert never.holds
    assert late.holds
    assert not early.holds


def test_a_number_where_nobody_was_answered_does_not_hold() -> None:
    wrong = only(sample_of(1_000, 2_000, 3_000), [0.001, 0.002, math.inf], 1.0)

    assert not wrong.at_least
    assert not wrong.holds
