"""What a search is doing, step by step, in words."""

from __future__ import annotations

from palier.capacity.bracket import find_bracket
from palier.capacity.decision import Decision, seconds_of
from palier.capacity.log import SearchLog
from palier.capacity.search import Drain, Measure, ProveHealth, Step

OUTCOMES = {
    "pass": "passes",
    "fail": "fails",
    "undecided": "stays undecided",
    "too_few": "brings too few requests to decide soon",
    "go_on": "not decided yet",
}


def before_step(log: SearchLog, step: Step) -> str:
    """``"probe 3 of at most 12: 240 requests/s for 16 s"``."""
    if isinstance(step, Measure):
        last = log.probes[-1] if log.probes else None
        goes_on = last is not None and log.decision(last).outcome == "go_on"
        number = len(log.probes) + (0 if goes_on else 1)
        more = " more" if goes_on and last is not None and last.stretches else ""
        return (
            f"probe {number} of at most {log.rules.most_probes}: "
            f"{step.rate_per_s:.4g} requests/s for {step.seconds}{more} s"
        )
    if isinstance(step, Drain):
        return "waiting until nothing of it is left"
    assert isinstance(step, ProveHealth)
    return f"is the system well? {step.rate_per_s:.4g} requests/s for {step.seconds:g} s"


def after_step(log: SearchLog, step: Step) -> str:
    """What the step came to; empty where all is as it should be."""
    last = log.probes[-1]
    if isinstance(step, Measure):
        seconds = seconds_of(last.stretches)
        return f"{_decided(log.decision(last), seconds)}; {known_so_far_in_words(log)}"
    if isinstance(step, Drain):
        return f"still there: {last.left}" if last.left else ""
    return "" if last.healthy else f"not well: {last.sick[-1]}"


def _decided(decision: Decision, seconds: int) -> str:
    one = decision.telling
    return (
        f"{OUTCOMES[decision.outcome]} after {seconds} s: {one.gate.id} missed by "
        f"{one.share:.2%} ({one.low:.2%} to {one.high:.2%}) of {one.gate.allowed * 100:.4g}%"
    )


def known_so_far_in_words(log: SearchLog) -> str:
    """``"the capacity is between 240/s and 480/s"``."""
    bracket = find_bracket(
        [
            (probe.rate_per_s, decision.outcome)
            for probe, decision in zip(log.probes, log.decisions(), strict=True)
        ]
    )
    return in_words(bracket.low, bracket.high)


def in_words(low: float | None, high: float | None) -> str:
    """The interval of a capacity."""
    if low is None and high is None:
        return "nothing is known of the capacity yet"
    if high is None:
        return f"the capacity is at least {low:.4g}/s"
    if low is None:
        return f"the capacity is below {high:.4g}/s"
    return f"the capacity is between {low:.4g}/s and {high:.4g}/s"
