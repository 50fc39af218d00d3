"""The sequential decision about one probe: looks, errors, dependence, gates."""

from __future__ import annotations

import numpy as np
import pytest

from palier.capacity.decision import Decision, decide
from palier.capacity.evidence import Counts, Gate, Stretch, Tally
from palier.capacity.queue import Queue, capacity
from palier.capacity.rules import Rules
from palier.capacity.share import find_dependence, upper_limit
from palier.capacity.virtual import Lanes, VirtualSystem
from palier.errors import ConfigError

LATE = Gate(id="late", allowed=0.05)
WRONG = Gate(id="wrong", allowed=0.01)


def make_rules(*gates: Gate, looks: int = 4, error: float = 0.05, probes: int = 12) -> Rules:
    return Rules(
        gates=gates or (LATE,),
        start_per_s=100,
        lowest_per_s=1,
        highest_per_s=10_000,
        looks=looks,
        error=error,
        most_probes=probes,
    )


def make_stretch(seconds: int, planned: int = 100, **missed: int) -> Stretch:
    return Stretch(
        tallies={
            gate: Tally(planned=(planned,) * seconds, missed=(count,) * seconds)
            for gate, count in missed.items()
        }
    )


def outcome_after(seconds: int, planned: int = 100, **missed: int) -> Decision:
    return decide(make_rules(), (make_stretch(seconds, planned, **missed),))


def test_a_probe_far_from_the_capacity_is_decided_at_the_first_look() -> None:
    assert outcome_after(16, late=0).outcome == "pass"
    assert outcome_after(16, late=50).outcome == "fail"


def test_nothing_is_decided_before_the_first_look() -> None:
    assert outcome_after(15, late=0).outcome == "go_on"
    assert decide(make_rules(), ()).outcome == "go_on"


def test_a_probe_at_the_capacity_is_looked_at_to_the_end_and_stays_undecided() -> None:
    assert [outcome_after(seconds, late=5).outcome for seconds in (16, 32, 64, 127, 128)] == [
        *["go_on"] * 4,
        "undecided",
    ]


def test_a_run_of_few_requests_cannot_pass_although_none_was_missed() -> None:
    assert outcome_after(16, planned=5, late=0).outcome == "go_on"


def test_a_rate_whose_longest_probe_could_not_pass_is_left_at_the_first_look() -> None:
    rules = make_rules(LATE, WRONG)
    few = (make_stretch(16, planned=3, late=0, wrong=0),)  # 384 requests in the longest probe
    assert decide(rules, few).outcome == "too_few"
    assert decide(rules, few).telling.gate == WRONG
    more = (make_stretch(16, planned=8, late=0, wrong=0),)
    assert decide(rules, more).outcome == "go_on"


def test_a_rate_that_misses_a_gate_is_not_left_because_its_requests_are_few() -> None:
    rules = make_rules(LATE, WRONG)
    assert decide(rules, (make_stretch(16, planned=3, late=1, wrong=0),)).outcome != "too_few"


def test_in_haste_a_rate_is_left_that_the_firm_look_could_not_pass() -> None:
    rules = make_rules(LATE, WRONG, looks=7)
    few = (make_stretch(16, planned=6, late=0, wrong=0),)  # 768 requests by the firm look
    assert decide(rules, few).outcome == "go_on"
    assert decide(rules, few, hasty=True).outcome == "too_few"
    enough = (make_stretch(16, planned=20, late=0, wrong=0),)
    assert decide(rules, enough, hasty=True).outcome == "go_on"


def test_in_haste_a_rate_that_no_look_can_pass_is_left_after_the_firm_look_too() -> None:
    rules = make_rules(LATE, WRONG, looks=7)
    none = Tally(planned=(1, 0) * 512, missed=(0, 0) * 512)
    one_miss = Tally(planned=(1, 0) * 512, missed=(1, 0, *(0, 0) * 511))
    few = (Stretch(tallies={LATE.id: none, WRONG.id: one_miss}),)
    for hasty in (False, True):
        assert decide(rules, few, hasty=hasty).outcome == "too_few"


def test_more_evidence_decides_what_less_does_not() -> None:
    assert outcome_after(16, late=4).outcome == "go_on"
    assert outcome_after(128, planned=1000, late=40).outcome == "pass"


def test_the_evidence_of_several_stretches_adds_up() -> None:
    stretches = (make_stretch(16, late=0), make_stretch(16, late=0))
    assert decide(make_rules(), stretches).shares == outcome_after(32, late=0).shares


def test_every_gate_has_to_hold_and_the_most_strained_one_binds() -> None:
    rules = make_rules(LATE, WRONG)
    missed = decide(rules, (make_stretch(128, 1000, late=30, wrong=30),))
    assert missed.outcome == "fail"
    assert missed.binding.gate == WRONG
    held = decide(rules, (make_stretch(128, 1000, late=30, wrong=2),))
    assert held.outcome == "pass"
    assert held.binding.gate == LATE
    unsure = decide(rules, (make_stretch(128, 1000, late=0, wrong=10),))
    assert unsure.outcome == "undecided"


def test_the_gate_that_is_told_decided_it_or_left_it_open() -> None:
    rules = make_rules(LATE, WRONG)
    # Of the wrong ones all come in one second: more than is allowed, and no proof of anything.
    late = Tally(planned=(1000,) * 16, missed=(100,) * 16)
    wrong = Tally(planned=(1000,) * 16, missed=(480, *(0,) * 15))
    failed = decide(rules, (Stretch(tallies={LATE.id: late, WRONG.id: wrong}),))
    assert failed.outcome == "fail"
    assert failed.binding.gate == WRONG
    assert failed.telling.gate == LATE
    # No request failed, but so few tell less about one in a hundred than about five.
    unsure = decide(rules, (make_stretch(16, planned=8, late=1, wrong=0),))
    assert unsure.outcome == "go_on"
    assert unsure.binding.gate == LATE
    assert unsure.telling.gate == WRONG


def test_misses_that_come_together_say_less_than_those_that_come_alone() -> None:
    planned = np.full(128, 100, dtype=np.int64)
    alone = Counts(planned=planned, missed=np.full(128, 2, dtype=np.int64))
    bursts = np.zeros(128, dtype=np.int64)
    bursts[[20, 21, 90]] = [100, 100, 56]
    together = Counts(planned=planned, missed=bursts)
    assert alone.share == together.share
    effects = [find_dependence(counts) for counts in (alone, together)]
    assert effects[0] is not None
    assert effects[1] is not None
    assert effects[0].design_effect == 1.0
    assert effects[1].design_effect > 20
    assert upper_limit(alone, effects[0], 0.005) < 0.05 < upper_limit(together, effects[1], 0.005)


def test_a_share_that_drifts_through_the_probe_decides_nothing() -> None:
    ramp = tuple(int(count) for count in np.linspace(0, 9, 128))
    stretch = Stretch(tallies={"late": Tally(planned=(100,) * 128, missed=ramp)})
    assert decide(make_rules(), (stretch,)).outcome == "undecided"


def test_a_short_probe_passes_far_from_the_limit_only() -> None:
    near = make_stretch(16, 5000, late=100)
    assert decide(make_rules(), (near,)).outcome == "go_on"
    assert decide(make_rules(), (make_stretch(128, 5000, late=100),)).outcome == "pass"


def test_a_firm_probe_takes_its_time_whatever_it_sees() -> None:
    short = (make_stretch(64, late=0),)
    assert decide(make_rules(), short).outcome == "pass"
    assert decide(make_rules(), short, firm=True).outcome == "go_on"
    assert decide(make_rules(), (make_stretch(128, late=0),), firm=True).outcome == "pass"


@pytest.mark.parametrize("servers", [1, 4])
def test_queues_at_their_capacity_are_decided_wrongly_as_rarely_as_stated(servers: int) -> None:
    """The worst place: there each decision is wrong in one direction, and responses correlate."""
    queue = Queue(servers=servers, service_per_s=400 / servers)
    system = VirtualSystem(queue=queue, limit_s=0.04)
    rules = make_rules(LATE, error=0.05, probes=1, looks=3)
    probes = 300
    lanes = Lanes(system, probes, 90, np.random.default_rng(servers))
    truth = capacity(queue, limit_s=0.04, allowed=0.05)
    for lane in range(probes):
        lanes.restart(lane, truth)
    while lanes.now_s.min() < 5 + rules.longest_probe_s:
        lanes.advance(np.arange(probes))
    outcomes = [first_decision(rules, lanes, lane) for lane in range(probes)]
    assert outcomes.count("pass") <= 0.05 * probes
    assert outcomes.count("fail") <= 0.05 * probes


def first_decision(rules: Rules, lanes: Lanes, lane: int) -> str:
    """The outcome at the first look that decides."""
    for look in range(rules.looks):
        seconds = slice(5, 5 + rules.look_at_s(look))
        tally = Tally(
            planned=tuple(lanes.planned[lane, seconds].tolist()),
            missed=tuple(lanes.missed[lane, seconds].tolist()),
        )
        outcome = decide(rules, (Stretch(tallies={"late": tally}),)).outcome
        if outcome != "go_on":
            return outcome
    raise AssertionError("the last look always has an outcome")


@pytest.mark.parametrize("allowed", [0.0, 1.0, -0.1])
def test_a_gate_allows_a_share(allowed: float) -> None:
    with pytest.raises(ConfigError, match="cannot allow"):
        Gate(id="T-52", allowed=allowed)


def test_a_second_cannot_miss_more_than_it_planned() -> None:
    with pytest.raises(ConfigError, match="more requests than it planned"):
        make_stretch(3, 10, late=11)
    with pytest.raises(ConfigError, match="missing"):
        Tally(planned=(10, 10), missed=(1,))


def test_all_gates_of_a_stretch_cover_the_same_seconds() -> None:
    long, short = (Tally(planned=(9,) * n, missed=(0,) * n) for n in (3, 2))
    with pytest.raises(ConfigError, match=r"cover \[2, 3\] seconds"):
        Stretch(tallies={"late": long, "wrong": short})
    with pytest.raises(ConfigError, match="none"):
        Stretch(tallies={})


def test_a_gate_of_an_operation_that_was_never_asked_for_is_not_passed() -> None:
    never = Stretch(tallies={"late": Tally(planned=(0,) * 128, missed=(0,) * 128)})
    assert decide(make_rules(), (never,)).outcome == "too_few"
