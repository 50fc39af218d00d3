"""The search: its steps in order, its bounds, its answers, and searches in virtual time."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import numpy as np
import pytest

from palier.capacity.answer import Answer
from palier.capacity.bracket import find_bracket
from palier.capacity.decision import seconds_of
from palier.capacity.evidence import Gate, Stretch, Tally
from palier.capacity.log import SearchLog, log_as_json, log_from_json
from palier.capacity.queue import Queue, capacity
from palier.capacity.rules import Rules
from palier.capacity.search import (
    Drain,
    Measure,
    ProveHealth,
    drained,
    known_so_far,
    measured,
    next_step,
    proved,
    unfit,
)
from palier.capacity.virtual import VirtualSystem, answers_of, run_searches
from palier.errors import ConfigError, RunFilesError

RULES = Rules(
    attempts=2,
    gates=(Gate(id="late", allowed=0.05), Gate(id="wrong", allowed=0.01)),
    start_per_s=100,
    lowest_per_s=10,
    highest_per_s=5000,
)


def answered(rate_per_s: float, seconds: int, holds: float, *, wrong: float = 0.0) -> Stretch:
    """Seconds of a system without noise that holds ``holds`` a second."""
    return make_stretch(seconds, late=0.05 * (rate_per_s / holds) ** 12, wrong=wrong)


def make_stretch(seconds: int, *, late: float, wrong: float = 0.0) -> Stretch:
    """2,000 requests a second of which these shares miss the gates."""

    def tally(share: float) -> Tally:
        missed = round(2000 * min(1.0, share))
        return Tally(planned=(2000,) * seconds, missed=(missed,) * seconds)

    return Stretch(tallies={"late": tally(late), "wrong": tally(wrong)})


def recovered(log: SearchLog) -> SearchLog:
    """Drained and healthy, where the search asks for it."""
    if isinstance(next_step(log), Drain):
        log = drained(log)
    if isinstance(next_step(log), ProveHealth):
        log = proved(log, healthy=True)
    return log


def probe_once(log: SearchLog, holds: float, **also: float) -> SearchLog:
    """The next probe to its decision."""
    log = recovered(log)
    step = next_step(log)
    assert isinstance(step, Measure)
    rate = step.rate_per_s
    while isinstance(step := next_step(log), Measure) and step.rate_per_s == rate:
        log = measured(log, answered(rate, step.seconds, holds, **also))
    return log


def run(rules: Rules, system: Callable[[Measure], Stretch]) -> tuple[SearchLog, Answer]:
    log = SearchLog(rules=rules)
    while not isinstance(step := next_step(log), Answer):
        log = measured(log, system(step)) if isinstance(step, Measure) else recovered(log)
    return log, step


def search_for(holds: float, rules: Rules = RULES, **also: float) -> Answer:
    return run(rules, lambda step: answered(step.rate_per_s, step.seconds, holds, **also))[1]


def test_the_first_step_is_a_probe_at_the_first_rate() -> None:
    assert next_step(SearchLog(rules=RULES)) == Measure(rate_per_s=100, warmup_s=5, seconds=16)


def test_a_probe_that_is_not_decided_goes_on_at_its_rate_until_the_next_look() -> None:
    log = measured(SearchLog(rules=RULES), answered(100, 16, holds=100.0))
    assert next_step(log) == Measure(rate_per_s=100, warmup_s=5, seconds=16)
    log = measured(log, answered(100, 16, holds=100.0))
    assert next_step(log) == Measure(rate_per_s=100, warmup_s=5, seconds=32)
    assert len(log.probes) == 1


def test_the_backlog_is_drained_and_health_proved_before_the_next_probe() -> None:
    log = probe_once(SearchLog(rules=RULES), holds=1000)
    assert next_step(log) == Drain(at_most_s=60)
    log = drained(log)
    assert next_step(log) == ProveHealth(rate_per_s=100, seconds=10)
    log = proved(log, healthy=True)
    assert next_step(log) == Measure(rate_per_s=200, warmup_s=5, seconds=16)


def test_outcomes_are_told_in_the_order_of_the_steps() -> None:
    log = SearchLog(rules=RULES)
    with pytest.raises(ValueError, match="asked for Measure"):
        drained(log)
    with pytest.raises(ValueError, match="asked for Drain"):
        measured(probe_once(log, holds=1000), answered(100, 16, holds=1000))


def test_a_system_whose_backlog_stays_is_not_probed_further() -> None:
    log = drained(probe_once(SearchLog(rules=RULES), holds=1000), left="requests were still open")
    answer = next_step(log)
    assert isinstance(answer, Answer)
    assert (answer.end, answer.low, answer.high) == ("backlog_stayed", 100, None)
    assert answer.why == "60 s after 100 requests/s requests were still open"


def test_an_unhealthy_system_gets_one_more_drain_and_one_more_chance() -> None:
    log = drained(probe_once(SearchLog(rules=RULES), holds=1000))
    log = proved(log, healthy=False, why="T-52 misses at 100/s")
    assert isinstance(next_step(log), Drain)
    again = drained(log)
    assert isinstance(next_step(proved(again, healthy=True)), Measure)
    answer = next_step(proved(again, healthy=False, why="T-52 misses at 100/s"))
    assert isinstance(answer, Answer)
    assert (answer.end, answer.why) == ("not_healthy", "T-52 misses at 100/s")


def test_an_unfit_stretch_is_no_evidence_and_is_measured_once_more() -> None:
    log = unfit(SearchLog(rules=RULES), "lag p99 was 30 ms")
    assert next_step(log) == Measure(rate_per_s=100, warmup_s=5, seconds=16)
    fit = measured(log, answered(100, 16, holds=1000))
    assert len(fit.probes) == 1
    answer = next_step(unfit(log, "lag p99 was 31 ms"))
    assert isinstance(answer, Answer)
    assert (answer.end, answer.low, answer.why) == ("measurement_unfit", None, "lag p99 was 31 ms")


def test_a_proof_of_health_that_was_no_measurement_is_not_blamed_on_the_system() -> None:
    log = drained(probe_once(SearchLog(rules=RULES), holds=1000))
    log = unfit(log, "lag p99 was 30 ms")
    assert isinstance(next_step(log), ProveHealth)
    assert isinstance(next_step(proved(log, healthy=True)), Measure)
    answer = next_step(unfit(log, "lag p99 was 31 ms"))
    assert isinstance(answer, Answer)
    assert (answer.end, answer.low, answer.why) == ("measurement_unfit", 100, "lag p99 was 31 ms")


def test_a_search_that_is_cut_off_tells_what_it_knows() -> None:
    log = probe_once(probe_once(SearchLog(rules=RULES), holds=150), holds=150)
    answer = known_so_far(log)
    assert (answer.end, answer.low, answer.high) == ("interrupted", 100, 200)


@pytest.mark.parametrize("holds", [12.0, 99.0, 100.0, 101.0, 640.0, 3000.0])
def test_the_interval_holds_the_capacity_and_is_as_narrow_as_asked(holds: float) -> None:
    answer = search_for(holds)
    assert answer.end == "found"
    assert answer.low is not None
    assert answer.high is not None
    assert answer.low <= holds <= answer.high <= 1.05 * answer.low * (1 + 1e-9)
    assert answer.guess_per_s == pytest.approx(holds, rel=0.03)
    assert answer.binding == "late"
    assert answer.probes <= 12
    assert answer.confidence == 0.95


def test_a_system_that_never_fails_is_known_from_below_only() -> None:
    answer = search_for(1e6)
    assert (answer.end, answer.low, answer.high) == ("never_fails", 5000, None)


def test_a_system_that_never_passes_is_known_from_above_only() -> None:
    answer = search_for(1.0)
    assert (answer.end, answer.low, answer.high) == ("nothing_passes", None, 10)


def few_requests(holds: float) -> Callable[[Measure], Stretch]:
    """A system without noise, asked at its true rate; whole requests a second."""

    def answer(step: Measure) -> Stretch:
        planned = round(step.rate_per_s)
        late = round(planned * min(1.0, 0.05 * (step.rate_per_s / holds) ** 12))
        tallies = {
            gate: Tally(planned=(planned,) * step.seconds, missed=(missed,) * step.seconds)
            for gate, missed in (("late", late), ("wrong", 0))
        }
        return Stretch(tallies=tallies)

    return answer


def test_a_search_that_begins_with_few_requests_goes_up_to_where_there_are_enough() -> None:
    """At 2/s an hour would not show that no request in a hundred is wrong."""
    rules = dataclasses.replace(RULES, start_per_s=2, lowest_per_s=1, looks=4)
    log, answer = run(rules, few_requests(holds=300))
    assert [decision.outcome for decision in log.decisions()][:2] == ["too_few", "too_few"]
    assert [probe.rate_per_s for probe in log.probes][:4] == [2, 4, 8, 16]
    assert answer.low is not None
    assert answer.high is not None
    assert answer.low <= 300 <= answer.high


def test_on_the_way_up_a_calm_rate_that_would_take_long_to_decide_is_left_at_once() -> None:
    """At 5/s it takes 256 s to show that no request in a hundred is wrong, at 20/s 64 s."""
    rules = dataclasses.replace(RULES, start_per_s=5, lowest_per_s=1)
    log, answer = run(rules, few_requests(holds=300))
    first, second, third, *_ = zip(log.probes, log.decisions(), strict=True)
    assert [(probe.rate_per_s, decision.outcome) for probe, decision in (first, second)] == [
        (5, "too_few"),
        (10, "pass"),
    ]
    assert [seconds_of(probe.stretches) for probe, _ in (first, second)] == [16, 128]
    assert third[1].outcome == "pass"
    assert answer.low is not None
    assert answer.high is not None
    assert answer.low <= 300 <= answer.high


def test_a_rate_that_was_left_at_once_is_made_again_when_the_next_one_fails() -> None:
    rules = dataclasses.replace(RULES, start_per_s=5, lowest_per_s=1, width=0.5)
    log, answer = run(rules, few_requests(holds=6))
    outcomes = [
        (probe.rate_per_s, probe.hasty, decision.outcome)
        for probe, decision in zip(log.probes, log.decisions(), strict=True)
    ]
    assert outcomes[:3] == [(5, True, "too_few"), (10, True, "fail"), (5, False, "pass")]
    assert not any(hasty for _, hasty, _ in outcomes[2:])
    assert answer.low is not None
    assert answer.high is not None
    assert answer.low <= 6 <= answer.high


@pytest.mark.parametrize("holds", [4.0, 7.0, 10.0, 14.0])
def test_going_up_in_haste_takes_no_longer_when_the_capacity_is_near(holds: float) -> None:
    rules = dataclasses.replace(RULES, start_per_s=3, lowest_per_s=0.3, width=0.3)
    _, hasty = run(rules, few_requests(holds))
    patient_log = SearchLog(rules=rules)
    while not isinstance(step := next_step(patient_log), Answer):
        if isinstance(step, Measure):
            patient_log = measured(patient_log, few_requests(holds)(step))
            patient_log = patient_log.with_last(
                dataclasses.replace(patient_log.probes[-1], hasty=False)
            )
        else:
            patient_log = recovered(patient_log)
    # One first look and its warm-up are lost for each rate that is made again.
    lost_s = 2 * (rules.first_look_s + rules.warmup_s)
    assert hasty.loaded_s <= step.loaded_s + lost_s


def test_a_search_whose_highest_rate_brings_too_few_requests_says_so() -> None:
    rules = dataclasses.replace(RULES, start_per_s=2, lowest_per_s=1, highest_per_s=3, looks=4)
    _, answer = run(rules, few_requests(holds=300))
    assert (answer.end, answer.low, answer.high) == ("too_few_requests", None, None)


def test_errors_at_every_rate_are_the_gate_that_binds() -> None:
    answer = search_for(1e6, wrong=0.03)
    assert (answer.end, answer.binding) == ("nothing_passes", "wrong")


def test_a_search_ends_when_its_probes_or_its_time_are_used_up() -> None:
    few = search_for(777, dataclasses.replace(RULES, most_probes=4))
    assert (few.end, few.probes) == ("probes_used_up", 4)
    short = search_for(777, dataclasses.replace(RULES, longest_s=90))
    assert short.end == "time_used_up"
    assert short.loaded_s <= 90


def test_a_probe_that_failed_below_one_that_passed_is_made_once_more() -> None:
    bracket = find_bracket([(100, "pass"), (200, "fail"), (300, "pass"), (400, "fail")])
    assert (bracket.low, bracket.high, bracket.doubtful) == (100, 200, 200)
    assert bracket.violations == (300,)


def test_two_probes_that_contradict_each_other_do_not_count() -> None:
    bracket = find_bracket([(100, "pass"), (200, "fail"), (300, "pass"), (200, "pass")])
    assert (bracket.low, bracket.high, bracket.doubtful) == (300, None, None)


def test_a_failure_that_is_seen_twice_ends_the_capacity_whatever_passed_above() -> None:
    seen = find_bracket([(100, "pass"), (200, "fail"), (300, "pass"), (200, "fail")])
    assert (seen.low, seen.high, seen.doubtful) == (100, 200, None)
    assert seen.violations == (300,)


def test_a_rate_whose_longer_probe_does_not_pass_is_no_lower_end() -> None:
    bracket = find_bracket([(100, "pass"), (150, "pass"), (200, "fail"), (150, "undecided")])
    assert (bracket.low, bracket.high) == (100, 200)


def test_a_lower_end_that_passed_early_is_confirmed_before_it_is_the_answer() -> None:
    """A cliff: nothing is late up to the capacity, everything beyond, so all probes are short."""

    def cliff(step: Measure) -> Stretch:
        return make_stretch(step.seconds, late=0.0 if step.rate_per_s <= 777 else 1.0)

    log, answer = run(RULES, cliff)
    assert (answer.end, log.probes[-1].firm) == ("found", True)
    assert log.probes[-1].rate_per_s == answer.low
    assert sum(one.seconds for one in log.probes[-1].stretches) == RULES.firm_s


def test_a_search_makes_the_doubtful_probe_again() -> None:
    log = probe_once(SearchLog(rules=RULES), holds=1000)  # 100 passes
    log = probe_once(log, holds=50)  # 200 fails
    higher = dataclasses.replace(log.probes[0], rate_per_s=300.0)  # of another session
    log = recovered(dataclasses.replace(log, probes=(log.probes[0], higher, log.probes[1])))
    step = next_step(log)
    assert isinstance(step, Measure)
    assert step.rate_per_s == 200
    answer = next_step(recovered(probe_once(log, holds=50)))
    assert isinstance(answer, Measure)
    assert 100 < answer.rate_per_s < 200


def test_the_document_gives_the_search_back_and_it_goes_on_as_it_would_have() -> None:
    log = SearchLog(rules=RULES)
    for _ in range(3):
        log = probe_once(log, holds=310)
    document = json.loads(json.dumps(log_as_json(log)))
    assert log_from_json(document) == log
    assert next_step(log_from_json(document)) == next_step(log)


def test_a_document_of_another_schema_is_refused() -> None:
    document = {**log_as_json(SearchLog(rules=RULES)), "schema": 99}
    with pytest.raises(RunFilesError, match="schema 99"):
        log_from_json(document)


def test_a_resumed_search_drops_the_open_probe_and_shows_health_before_the_next() -> None:
    log = recovered(probe_once(SearchLog(rules=RULES), holds=1000))
    cut_off = measured(log, answered(200, 16, holds=200.0))
    assert len(cut_off.probes) == 2
    resumed = cut_off.resumed()
    assert len(resumed.probes) == 1
    assert isinstance(next_step(resumed), Drain)
    assert next_step(recovered(resumed)) == next_step(log)


def test_a_search_that_was_cut_off_in_its_first_probe_begins_again() -> None:
    log = measured(SearchLog(rules=RULES), answered(100, 16, holds=100.0))
    assert log.resumed() == SearchLog(rules=RULES)


def test_a_search_needs_gates_and_rates_that_fit_together() -> None:
    with pytest.raises(ConfigError, match="gates with different ids"):
        dataclasses.replace(RULES, gates=())
    with pytest.raises(ConfigError, match="is not between"):
        dataclasses.replace(RULES, start_per_s=5)
    with pytest.raises(ConfigError, match="counted from one"):
        dataclasses.replace(RULES, looks=0)


def searches_against(system: VirtualSystem, searches: int) -> tuple[list[Answer], float]:
    truth = capacity(system.queue, limit_s=system.limit_s, allowed=0.05)
    rng = np.random.default_rng(4)
    rules = [
        dataclasses.replace(
            RULES,
            start_per_s=float(start),
            lowest_per_s=truth / 20,
            highest_per_s=truth * 4,
        )
        for start in truth * rng.uniform(0.2, 0.9, size=searches)
    ]
    return answers_of(run_searches(system, rules, rng)), truth


@pytest.mark.parametrize(
    ("servers", "limit_s", "searches"),
    [
        pytest.param(1, 0.2, 12, id="M/M/1"),
        pytest.param(4, 0.4, 12, id="M/M/4"),
        pytest.param(1, 0.2, 150, id="M/M/1, many", marks=pytest.mark.slow),
        pytest.param(4, 0.4, 150, id="M/M/4, many", marks=pytest.mark.slow),
    ],
)
def test_searches_in_virtual_time_find_the_capacity_of_a_queue(
    servers: int, limit_s: float, searches: int
) -> None:
    """Slow queues keep this short; the bars of a thousand are benchmarks/search_accuracy.py."""
    queue = Queue(servers=servers, service_per_s=50 / servers, lag_s=2e-4, error_ratio=0.001)
    answers, truth = searches_against(VirtualSystem(queue=queue, limit_s=limit_s), searches)
    holds = [
        (one.low is None or one.low <= truth) and (one.high is None or truth <= one.high)
        for one in answers
    ]
    assert len(answers) == searches
    assert sum(holds) >= 0.95 * searches - 1
    assert max(one.probes for one in answers) <= 12


def test_a_confirming_probe_that_was_cut_off_is_dropped_when_the_search_is_resumed() -> None:
    """Its evidence would do for a first decision, but not for what it was made for."""
    log = SearchLog(rules=dataclasses.replace(RULES, width=0.5))
    while not (log.probes and log.probes[-1].firm and log.probes[-1].stretches):
        step = next_step(log)
        if isinstance(step, Measure):
            log = measured(log, answered(step.rate_per_s, step.seconds, holds=250))
        else:
            log = recovered(log)
    assert log.decisions()[-1].outcome == "go_on"
    assert len(log.resumed().probes) == len(log.probes) - 1


def test_a_log_that_was_written_before_probes_could_be_hasty_is_read() -> None:
    log = measured(SearchLog(rules=RULES), answered(100, 16, holds=50))
    document = log_as_json(log)
    probes = document["probes"]
    assert isinstance(probes, list)
    (probe,) = probes
    assert isinstance(probe, dict)
    assert probe.pop("hasty") is True
    assert log_from_json(document).probes[0].hasty is False
