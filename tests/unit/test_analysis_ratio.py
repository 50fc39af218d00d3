"""The error ratio: what counts, and what its two limits say."""

from __future__ import annotations

import numpy as np
import pytest
from analysis_runs import Played, changed, play
from numpy.typing import NDArray
from scipy import stats

from palier.analysis.ratio import error_ratio, lower_limit, upper_limit


def calm(n: int = 3_000, seconds: int = 30) -> Played:
    at = np.linspace(0, seconds, n, endpoint=False)
    return Played(intended_s=at, started_s=at, ended_s=at + 0.02, outcome=np.full(n, "succeeded"))


def every(n: int, step: int) -> NDArray[np.bool_]:
    return np.arange(n) % step == 0


@pytest.mark.covers("T-67")
@pytest.mark.parametrize(
    "outcome",
    [
        "failed",
        "timed_out",
        "abandoned",
        "skipped_no_free_session",
        "skipped_end_of_run",
        "skipped_session_aborted",
    ],
)
def test_everybody_who_got_no_right_answer_counts(outcome: str) -> None:
    ratio = error_ratio(changed(calm(), every(3_000, 10), outcome).ledger())
    assert ratio.value == pytest.approx(0.1)
    assert ratio.samples == 3_000


def test_steps_left_out_by_an_interruption_count_neither_as_errors_nor_as_planned() -> None:
    played = changed(calm(), every(3_000, 10), "failed")
    played = changed(played, np.arange(3_000) >= 1_500, "skipped_interrupted")
    ratio = error_ratio(played.ledger())
    assert ratio.value == pytest.approx(0.1)
    assert ratio.samples == 1_500


def test_no_error_in_n_requests_bounds_the_ratio_by_the_rule_of_three_and_a_bit() -> None:
    ratio = error_ratio(calm().ledger())
    assert ratio.value == 0
    assert ratio.low == 0
    assert ratio.high == pytest.approx(1 - 0.025 ** (1 / 3_000))


def test_limits_are_those_of_clopper_and_pearson() -> None:
    interval = stats.binomtest(7, 200).proportion_ci(0.95, method="exact")
    assert lower_limit(7, 200) == pytest.approx(interval.low)
    assert upper_limit(7, 200) == pytest.approx(interval.high)
    assert upper_limit(200, 200) == 1.0
    assert lower_limit(0, 200) == 0.0


def test_errors_that_only_follow_from_another_one_are_no_evidence_of_their_own() -> None:
    """One failed sign-in and four steps that could not follow: five errors, one event."""
    played = calm(200)
    played = changed(played, np.arange(200) == 50, "failed")
    followers = np.isin(np.arange(200), [51, 52, 53, 54])
    ratio = error_ratio(changed(played, followers, "skipped_session_aborted").ledger())
    assert ratio.value == pytest.approx(5 / 200)
    assert ratio.low == pytest.approx(lower_limit(1, 200))


def test_an_outage_surely_happened_and_may_happen_more_often() -> None:
    """Failures of two whole seconds: low counts requests, high counts seconds."""
    played = calm()
    outage = (played.intended_s >= 10) & (played.intended_s < 12)
    burst = error_ratio(changed(played, outage, "failed").ledger())
    spread = error_ratio(changed(played, every(3_000, 15), "failed").ledger())
    assert burst.value == pytest.approx(spread.value, rel=1e-9)
    assert burst.low == pytest.approx(spread.low, rel=1e-9)
    assert burst.high is not None
    assert spread.high is not None
    assert burst.high > 2 * spread.high


def test_nothing_planned_has_no_ratio() -> None:
    played = changed(calm(), np.full(3_000, True), "skipped_interrupted")
    ratio = error_ratio(played.ledger())
    assert ratio.value is None
    assert ratio.refused is not None


def test_the_upper_limit_covers_the_truth_when_errors_come_in_bursts_and_a_run_saw_one() -> None:
    """Each second fails whole with probability 2 %.

    A run without any error cannot know that errors would come in bursts; docs/method.md says so.
    """
    covered = runs = 0
    for seed in range(250):
        rng = np.random.default_rng(seed)
        bad = rng.random(60) < 0.02
        played = play(rng, duration_s=60, rate=20)
        failed = bad[played.intended_s.astype(int)]
        if not failed.any():
            continue
        high = error_ratio(changed(played, failed, "failed").ledger()).high
        assert high is not None
        runs += 1
        covered += high >= 0.02
    assert runs > 150
    assert covered / runs >= 0.95
