"""How far a gate stays from its limit."""

from __future__ import annotations

import math
from typing import Any

import pytest

from palier.analysis.headroom import by_headroom, headroom
from palier.analysis.verdict import TargetVerdict


def target(**changes: Any) -> TargetVerdict:
    values: dict[str, Any] = {
        "id": "T-1",
        "role": "gate",
        "kind": "slo",
        "title": "API response time",
        "metric": "response_time",
        "operation": None,
        "percentile": 0.95,
        "comparator": "<",
        "limit": 100.0,
        "limit_high": None,
        "unit": "ms",
        "source": "002",
        "measured": 41.0,
        "low": 38.0,
        "high": 44.0,
        "samples": 1820,
        "verdict": "pass",
        "why": "",
    }
    return TargetVerdict(**(values | changes))


def test_headroom_counts_from_the_unfavourable_end_of_the_interval() -> None:
    above = target(
        metric="throughput", comparator=">=", limit=30.0, measured=33.0, low=31.5, high=34.0
    )

    assert headroom(target()) == pytest.approx(0.56)
    assert headroom(above) == pytest.approx(0.05)


@pytest.mark.parametrize(
    "changes",
    [{"measured": None}, {"limit": None}, {"limit": 0.0}, {"comparator": "approx"}],
)
def test_there_is_no_headroom_without_value_limit_and_direction(
    changes: dict[str, object],
) -> None:
    assert headroom(target(**changes)) is None


def test_an_interval_open_towards_the_limit_has_less_headroom_than_any_other() -> None:
    assert headroom(target(high=None)) == -math.inf
    assert headroom(target(comparator=">", low=None)) == -math.inf


def test_what_the_design_sets_and_load_does_not_move_has_no_headroom() -> None:
    """Fifty rows on a page of fifty are right, not tight."""
    page = target(metric="page_rows_max", comparator="<=", limit=50.0, measured=50.0, high=50.0)

    assert headroom(page) is None


def test_the_tightest_gate_comes_first_and_goals_do_not_count() -> None:
    gates = [
        target(id="wide"),
        target(id="goal", role="goal", high=99.0),
        target(id="tight", high=90.0),
    ]

    assert [gate.id for _, gate in by_headroom(gates)] == ["tight", "wide"]
