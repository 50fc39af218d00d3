"""The search for the highest rate at which every gate holds, as a state machine without effects.

``next_step`` says what to do; the driver does it and tells the outcome by one of ``measured``,
``unfit``, ``drained`` and ``proved``, each of which gives the log after it. The log is all the
state there is, so a search that was cut off goes on from its document.

    Measure -> (go on: Measure ...) -> Drain -> ProveHealth -> Measure at the next rate ... Finished

Doubling finds a rate that fails; then bisection, guided by what the probes measured
(``placement``), closes the bracket. Each probe is decided sequentially with a stated probability
of being wrong (``decision``), so the bracket holds the capacity unless one of the decisions was
wrong: an interval with the confidence ``1 - rules.error`` that assumes neither a law of the
response times nor one of how they grow with the rate, only that they grow.

Source: Waeber, Frazier and Henderson (2013), SIAM J. Control Optim. 51(3), 2261-2279 (bisection
where each query is repeated until a sequential test decides); Shivam et al. (2008), USENIX ATC
(searching a server's peak rate with target accuracy and confidence).
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TypeAlias

from palier.capacity.answer import Answer, End
from palier.capacity.bracket import Bracket, find_bracket
from palier.capacity.decision import Decision, seconds_of
from palier.capacity.evidence import Stretch
from palier.capacity.log import Probe, SearchLog
from palier.capacity.placement import Point, guess_crossing, next_rate
from palier.capacity.rules import REACHED, Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Offer ``rate_per_s``; the ``seconds`` after ``warmup_s`` are evidence."""

    rate_per_s: float
    warmup_s: float
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """Offer nothing until no request is open and no queue holds anything."""

    at_most_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProveHealth:
    """Show that the last probe left no damage: a rate that passed is answered right again."""

    rate_per_s: float
    seconds: float


Step: TypeAlias = Measure | Drain | ProveHealth | Answer


def next_step(log: SearchLog) -> Step:
    """What to do now; an :class:`Answer` when there is nothing left to do."""
    rules, decisions = log.rules, log.decisions()
    bracket = _bracket(log, decisions)
    last = log.probes[-1] if log.probes else None
    if last is not None and len(last.unfit) >= rules.attempts:
        return _answer(log, decisions, "measurement_unfit", last.unfit[-1])
    if last is not None and decisions[-1].outcome == "go_on":
        return _measure(log, decisions, last.rate_per_s, last.stretches)
    end = _end(log, decisions, bracket)
    if end is not None:
        return _answer(log, decisions, end)
    if last is not None and not last.healthy:
        return _recover(log, decisions, last)
    if len(log.probes) >= rules.most_probes:
        return _answer(log, decisions, "probes_used_up")
    return _measure(log, decisions, _next_rate(log, decisions, bracket), ())


def known_so_far(log: SearchLog) -> Answer:
    """What a search that is cut off here has found."""
    return _answer(log, log.decisions(), "interrupted")


def measured(log: SearchLog, stretch: Stretch) -> SearchLog:
    """The log after a :class:`Measure` that gave evidence."""
    log, probe = _going_on(log)
    return log.with_last(dataclasses.replace(probe, stretches=(*probe.stretches, stretch)))


def unfit(log: SearchLog, why: str) -> SearchLog:
    """The log after a :class:`Measure` or a :class:`ProveHealth` whose measurement was unfit."""
    if isinstance(next_step(log), ProveHealth):
        last = log.probes[-1]
        return log.with_last(dataclasses.replace(last, unproved=(*last.unproved, why)))
    log, probe = _going_on(log)
    return log.with_last(dataclasses.replace(probe, unfit=(*probe.unfit, why)))


def drained(log: SearchLog, *, left: str = "") -> SearchLog:
    """The log after a :class:`Drain`; ``left`` is what was not gone at its end."""
    _expect(log, Drain)
    return log.with_last(dataclasses.replace(log.probes[-1], drained=not left, left=left))


def proved(log: SearchLog, *, healthy: bool, why: str = "") -> SearchLog:
    """The log after a :class:`ProveHealth`; an unhealthy system is drained and tried again."""
    _expect(log, ProveHealth)
    last = log.probes[-1]
    if healthy:
        return log.with_last(dataclasses.replace(last, healthy=True))
    return log.with_last(
        dataclasses.replace(last, drained=None, healthy=False, sick=(*last.sick, why))
    )


def _going_on(log: SearchLog) -> tuple[SearchLog, Probe]:
    """The probe that the stretch belongs to; a new one when the last is decided."""
    step = _expect(log, Measure)
    assert isinstance(step, Measure)
    last = log.probes[-1] if log.probes else None
    if last is None or log.decision(last).outcome != "go_on":
        bracket = _bracket(log, log.decisions())
        firm = step.rate_per_s == _to_confirm(log, bracket)
        is_top = step.rate_per_s >= log.rules.highest_per_s * (1 - REACHED)
        hasty = bracket.high is None and not is_top
        last = Probe(rate_per_s=step.rate_per_s, firm=firm, hasty=hasty)
        log = dataclasses.replace(log, probes=(*log.probes, last))
    return log, last


def _expect(log: SearchLog, kind: type[Step]) -> Step:
    step = next_step(log)
    if not isinstance(step, kind):
        raise ValueError(f"the search asked for {step}, not for {kind.__name__}")
    return step


def _bracket(log: SearchLog, decisions: tuple[Decision, ...]) -> Bracket:
    return find_bracket(
        [
            (probe.rate_per_s, decision.outcome)
            for probe, decision in zip(log.probes, decisions, strict=True)
        ]
    )


def _end(log: SearchLog, decisions: tuple[Decision, ...], bracket: Bracket) -> End | None:
    """Whether the bracket answers the question."""
    rules = log.rules
    if bracket.doubtful is not None:
        return None
    if bracket.low is not None and bracket.high is not None:
        found = _is_narrow(rules, bracket) and _to_confirm(log, bracket) is None
        return "found" if found else None
    if bracket.low is not None and bracket.low >= rules.highest_per_s * (1 - REACHED):
        return "never_fails"
    at_least = _at_least(log, decisions, bracket)
    if at_least is not None and at_least >= rules.highest_per_s * (1 - REACHED):
        return "too_few_requests"
    if bracket.high is not None and bracket.high <= rules.lowest_per_s * (1 + REACHED):
        return "nothing_passes"
    return None


def _is_narrow(rules: Rules, bracket: Bracket) -> bool:
    if bracket.low is None or bracket.high is None:
        return False
    return rules.is_narrow(bracket.low, bracket.high)


def _to_confirm(log: SearchLog, bracket: Bracket) -> float | None:
    """The lower end of a narrow bracket while all that passed there were short probes."""
    if bracket.doubtful is not None or not _is_narrow(log.rules, bracket):
        return None
    firm = any(
        probe.rate_per_s == bracket.low and seconds_of(probe.stretches) >= log.rules.firm_s
        for probe in log.probes
    )
    return None if firm else bracket.low


def _recover(log: SearchLog, decisions: tuple[Decision, ...], last: Probe) -> Step:
    """Drained first, then healthy: nothing of one probe may be seen by the next."""
    rules = log.rules
    if last.drained is False:
        why = f"{rules.drain_s:g} s after {last.rate_per_s:.4g} requests/s {last.left}"
        return _answer(log, decisions, "backlog_stayed", why)
    if len(last.sick) >= rules.attempts:
        return _answer(log, decisions, "not_healthy", last.sick[-1])
    if len(last.unproved) >= rules.attempts:
        return _answer(log, decisions, "measurement_unfit", last.unproved[-1])
    if last.drained is None:
        return Drain(at_most_s=rules.drain_s)
    bracket = _bracket(log, decisions)
    rate = rules.lowest_per_s if bracket.low is None else min(bracket.low, rules.start_per_s)
    return ProveHealth(rate_per_s=rate, seconds=rules.proof_s)


def _measure(
    log: SearchLog,
    decisions: tuple[Decision, ...],
    rate_per_s: float,
    stretches: tuple[Stretch, ...],
) -> Measure | Answer:
    """Up to the next look, if the time allows it."""
    rules, seconds = log.rules, seconds_of(stretches)
    look_s = min(at for k in range(rules.looks) if (at := rules.look_at_s(k)) > seconds)
    step = Measure(rate_per_s=rate_per_s, warmup_s=rules.warmup_s, seconds=look_s - seconds)
    if log.loaded_s + step.warmup_s + step.seconds > rules.longest_s:
        return _answer(log, decisions, "time_used_up")
    return step


def _next_rate(log: SearchLog, decisions: tuple[Decision, ...], bracket: Bracket) -> float:
    rules = log.rules
    if bracket.doubtful is not None:
        return bracket.doubtful
    if (early := _to_confirm(log, bracket)) is not None:
        return early
    if (left := _left_in_haste(log, decisions, bracket)) is not None:
        return left
    rate = next_rate(
        _at_least(log, decisions, bracket),
        bracket.high,
        _points(log, decisions),
        width=rules.width,
        start=rules.start_per_s,
    )
    return min(max(rate, rules.lowest_per_s), rules.highest_per_s)


def _at_least(log: SearchLog, decisions: tuple[Decision, ...], bracket: Bracket) -> float | None:
    """Above it the next probe goes: the lower end, or a rate that brought too few requests.

    Hardly anything was missed there, so the capacity is looked for above it. It is no lower end of
    the answer: nothing was shown. Once a rate has failed, one that was left in haste counts no
    more: it is made again.
    """
    calm = [
        probe.rate_per_s
        for probe, decision in zip(log.probes, decisions, strict=True)
        if decision.outcome == "too_few"
        and (bracket.high is None or (probe.rate_per_s < bracket.high and not probe.hasty))
    ]
    known = calm if bracket.low is None else [*calm, bracket.low]
    return max(known, default=None)


def _left_in_haste(
    log: SearchLog, decisions: tuple[Decision, ...], bracket: Bracket
) -> float | None:
    """The highest rate below the one that failed that was left in haste, and may be the lower end;
    None when there is none, or it was made again."""
    if bracket.high is None:
        return None
    above = 0.0 if bracket.low is None else bracket.low
    taken_time = {probe.rate_per_s for probe in log.probes if not probe.hasty}
    return max(
        (
            probe.rate_per_s
            for probe, decision in zip(log.probes, decisions, strict=True)
            if decision.outcome == "too_few"
            and probe.hasty
            and above < probe.rate_per_s < bracket.high
            and probe.rate_per_s not in taken_time
        ),
        default=None,
    )


def _points(log: SearchLog, decisions: tuple[Decision, ...]) -> list[Point]:
    """What the probes say about the next rate; those left in haste, where there is a bracket, say
    nothing: they are made again, or lie below a rate that passed."""
    is_bracketed = _bracket(log, decisions).high is not None
    return [
        Point(rate_per_s=probe.rate_per_s, share=decision.binding)
        for probe, decision in zip(log.probes, decisions, strict=True)
        if probe.stretches and not (is_bracketed and probe.hasty and decision.outcome == "too_few")
    ]


def _answer(log: SearchLog, decisions: tuple[Decision, ...], end: End, why: str = "") -> Answer:
    bracket = _bracket(log, decisions)
    return Answer(
        end=end,
        low=bracket.low,
        high=bracket.high,
        binding=_binding(log, decisions, bracket),
        guess_per_s=_guess(log, decisions, bracket),
        confidence=1 - log.rules.error,
        probes=len(log.probes),
        loaded_s=log.loaded_s,
        violations=bracket.violations,
        why=why,
    )


def _binding(log: SearchLog, decisions: tuple[Decision, ...], bracket: Bracket) -> str | None:
    end = bracket.high if bracket.high is not None else bracket.low
    for probe, decision in zip(log.probes, decisions, strict=True):
        if probe.rate_per_s == end and decision.outcome in ("pass", "fail"):
            return decision.telling.gate.id
    return None


def _guess(log: SearchLog, decisions: tuple[Decision, ...], bracket: Bracket) -> float | None:
    if bracket.low is None or bracket.high is None:
        return None
    guess = guess_crossing(_points(log, decisions), bracket.low, bracket.high)
    if guess is None:
        return math.sqrt(bracket.low * bracket.high)
    return min(max(guess, bracket.low), bracket.high)
