"""Headroom, order and bars of targets."""

from __future__ import annotations

import dataclasses
import math

import reports_samples
from hypothesis import given
from hypothesis import strategies as st

from reports import targets


def test_the_tightest_gate_is_named_and_goals_do_not_count() -> None:
    verdict = reports_samples.passing().verdict

    assert targets.headroom_of_run(verdict).sentence == (
        "7.3 % above the limit of T-58 Throughput at peak, from the near end of its interval"
    )


def test_a_missed_gate_leaves_no_headroom() -> None:
    headroom = targets.headroom_of_run(reports_samples.failing().verdict)

    assert headroom.share == "none"
    assert headroom.note == "T-61 Bookings list is missed: 315 ms, limit < 50 ms"


def test_an_interval_across_the_limit_shows_no_headroom() -> None:
    headroom = targets.headroom_of_run(reports_samples.inconclusive().verdict)

    assert headroom.share == "none shown"
    assert "the interval of T-52 API response time crosses its limit" in headroom.note


def test_what_needs_attention_comes_first() -> None:
    states = [row.state for row in targets.rows(reports_samples.failing().verdict.targets, "gate")]

    assert states == ["fail", "fail", "inconclusive", "pass"]


def test_a_gate_without_a_number_stays_in_sight_and_other_targets_are_folded_away() -> None:
    verdict = reports_samples.inconclusive().verdict

    assert [row.id for row in targets.rows(verdict.targets, "gate")][:2] == ["T-52", "T-58"]
    assert [row.id for row in targets.not_measured_rows(verdict.targets)] == ["T-71", "T-63"]


def test_a_number_without_sampling_error_is_called_exact() -> None:
    row = targets.row(reports_samples.target("T-1", measured=168.0, low=168.0, high=168.0))

    assert row.interval == "exact"


def test_headroom_says_when_some_gates_were_not_measured() -> None:
    base = reports_samples.passing().verdict
    unmeasured = reports_samples.target("T-9", measured=None, verdict="not_measured")

    headroom = targets.headroom_of_run(
        dataclasses.replace(base, verdict="INCONCLUSIVE", targets=(*base.targets, unmeasured))
    )

    assert headroom.note.endswith("among the gates that were measured")


def test_an_unmeasured_target_shows_no_sample_size_and_no_bar() -> None:
    row = targets.row(
        reports_samples.target(
            "T-9", measured=None, low=None, high=None, samples=0, verdict="not_measured"
        )
    )

    assert (row.measured, row.interval, row.samples, row.bar) == ("not measured", "–", "–", None)


numbers = st.none() | st.floats(allow_nan=True, allow_infinity=True)


@given(measured=numbers, low=numbers, high=numbers, limit=numbers)
def test_a_bar_never_leaves_its_box(
    measured: float | None, low: float | None, high: float | None, limit: float | None
) -> None:
    row = targets.row(
        dataclasses.replace(
            reports_samples.target("T-1"), measured=measured, low=low, high=high, limit=limit
        )
    )

    if row.bar is not None:
        places = (row.bar.value, row.bar.low, row.bar.high, row.bar.limit)
        assert all(math.isfinite(place) and 0 <= place <= 100 for place in places)
        assert row.bar.low <= row.bar.high
