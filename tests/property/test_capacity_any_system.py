"""Any system without noise is found, whatever its capacity, its slope and the first rate."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from palier.capacity.answer import Answer
from palier.capacity.evidence import Gate, Stretch, Tally
from palier.capacity.log import SearchLog, log_as_json, log_from_json
from palier.capacity.rules import Rules
from palier.capacity.search import (
    Drain,
    Measure,
    Step,
    drained,
    measured,
    next_step,
    proved,
)

PLANNED = 20_000


def make_rules(start: float) -> Rules:
    return Rules(
        gates=(Gate(id="late", allowed=0.05),), start_per_s=start, lowest_per_s=1, highest_per_s=1e4
    )


def after(log: SearchLog, step: Step, holds: float, steepness: float) -> SearchLog:
    if isinstance(step, Drain):
        return drained(log)
    if isinstance(step, Measure):
        late = min(1.0, 0.05 * (step.rate_per_s / holds) ** steepness)
        tally = Tally(
            planned=(PLANNED,) * step.seconds,
            missed=(round(PLANNED * late),) * step.seconds,
        )
        return measured(log, Stretch(tallies={"late": tally}))
    return proved(log, healthy=True)


capacities = st.floats(min_value=20, max_value=400)
starts = st.floats(min_value=10, max_value=800)
slopes = st.floats(min_value=3, max_value=200)


@given(holds=capacities, start=starts, steepness=slopes)
def test_the_interval_holds_the_capacity_within_the_bounds_of_the_search(
    holds: float, start: float, steepness: float
) -> None:
    log = SearchLog(rules=make_rules(start))
    while not isinstance(step := next_step(log), Answer):
        log = after(log, step, holds, steepness)
    assert step.low is None or step.low <= holds * 1.001
    assert step.high is None or step.high >= holds * 0.999
    assert step.probes <= 12
    assert step.loaded_s <= log.rules.longest_s
    if step.end == "found":
        assert step.low is not None
        assert step.high is not None
        assert step.high - step.low <= 0.05 * step.low * (1 + 1e-9)
    else:
        assert step.end in ("probes_used_up", "time_used_up")


@given(holds=capacities, start=starts, cut=st.integers(min_value=0, max_value=30))
def test_a_search_from_its_document_takes_the_same_steps(
    holds: float, start: float, cut: int
) -> None:
    log = SearchLog(rules=make_rules(start))
    for _ in range(cut):
        if isinstance(step := next_step(log), Answer):
            break
        log = after(log, step, holds, 12)
    again = log_from_json(json.loads(json.dumps(log_as_json(log))))
    assert again == log
    assert next_step(again) == next_step(log)
