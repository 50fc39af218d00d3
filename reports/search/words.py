"""Sentences about a search: one wording for page, Markdown and terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from palier.analysis.verdict import RunState
from palier.capacity.answer import Answer, End
from palier.capacity.decision import GateShare, Outcome
from palier.capacity.rules import Rules
from palier.capacity.story import ProbeTold, SearchStory
from palier.model.target import Target
from reports import format as fmt
from reports.search.inputs import SearchInputs
from reports.text import clean, one_line, without_passwords
from reports.words import where_to

OUTCOMES: Final[dict[Outcome, str]] = {
    "pass": "passed",
    "fail": "failed",
    "undecided": "undecided",
    "too_few": "too few requests",
    "go_on": "cut off",
}

ENDS: Final[dict[End, str]] = {
    "found": "The interval is as narrow as was asked for.",
    "probes_used_up": "The probes are used up before the interval is as narrow as was asked for.",
    "time_used_up": "The time is used up before the interval is as narrow as was asked for.",
    "nothing_passes": "Even the lowest rate misses a gate.",
    "never_fails": "The highest rate that may be tried meets every gate: the capacity is beyond "
    "it.",
    "too_few_requests": "Even the highest rate that may be tried brings too few requests to show "
    "that every gate holds.",
    "backlog_stayed": "The system did not come to rest after a probe, so no other one can follow.",
    "not_healthy": "After a probe the system no longer did what it had done before.",
    "measurement_unfit": "Again and again a measurement was no evidence: the load generator was "
    "not fit to measure, or the machine was busy with something else.",
    "interrupted": "The search was interrupted; this is what is known so far.",
}

NEXT: Final[dict[End, str]] = {
    "found": "",
    "probes_used_up": "Search again from the interval (--start), or ask for a wider one (--width).",
    "time_used_up": "Go on with more time (--resume with --longest), or ask for a wider interval "
    "(--width).",
    "nothing_passes": "Begin lower (--start), or look at a single run at a low rate.",
    "never_fails": "Allow a higher rate (--most) with more generator processes (--workers).",
    "too_few_requests": "Allow a higher rate (--most), or give each probe more time (--longest).",
    "backlog_stayed": "Look into the logs of its components, and into the last probe's run.",
    "not_healthy": "Look into the last probe's run and its proof of health: overload may leave "
    "damage that a restart repairs.",
    "measurement_unfit": "Free the machine, use more generator processes (--workers), or "
    "another machine for the load.",
    "interrupted": "Go on with --resume.",
}


UNCONFIRMED: Final[dict[End, str]] = {
    "probes_used_up": "The probes are used up before a long one confirmed the lower end.",
    "time_used_up": "The time is used up before a long probe confirmed the lower end.",
}
"""Of an interval that is as narrow as was asked for."""


def end(story: SearchStory) -> str:
    """Why the search ended, and what can be done about it."""
    answer = story.answer
    why = ENDS[answer.end]
    low, high = answer.low, answer.high
    is_contradicted = bool(answer.violations)
    if low and high and story.rules.is_narrow(low, high) and not is_contradicted:
        why = UNCONFIRMED.get(answer.end, why)
    return f"{why} {NEXT[answer.end]}".strip()


def state_of(answer: Answer) -> RunState:
    """The tone of the answer, in the words a run has."""
    if answer.end == "found":
        return "PASS"
    return "INVALID" if answer.end == "measurement_unfit" else "INCONCLUSIVE"


def interval(answer: Answer) -> str:
    """``"655–680 requests/s"``, or what is known of one end."""
    low, high = answer.low, answer.high
    if low is None and high is None:
        return "not known"
    if low is None:
        return f"below {rate(high)} requests/s"
    if high is None:
        return f"at least {rate(low)} requests/s"
    return f"{rate(low)}–{rate(high)} requests/s"


def rate(per_s: float | None) -> str:
    """Four digits: the ends of a narrow interval must not look alike."""
    if per_s is None:
        return "–"
    return f"{per_s:,.0f}" if per_s >= 999.5 else f"{per_s:.4g}"


def headline(inputs: SearchInputs) -> str:
    """The answer in a sentence."""
    answer = inputs.story.answer
    tier = one_line(inputs.plan.tier.id)
    if answer.low is not None and answer.high is not None:
        return (
            f"{tier} holds {rate(answer.low)} requests/s and not {rate(answer.high)} "
            f"({fmt.ratio(answer.confidence)} confidence)."
        )
    if answer.low is not None:
        return f"{tier} holds at least {rate(answer.low)} requests/s."
    if answer.high is not None:
        return f"{tier} does not hold {rate(answer.high)} requests/s."
    return f"It is not known what {tier} holds."


def binding(inputs: SearchInputs) -> str:
    """Which gate fails first."""
    gate = inputs.story.answer.binding
    if gate is None:
        return "No gate was seen to fail or to be strained."
    words = gate_words(inputs.target(gate))
    if inputs.story.answer.high is None:
        return f"The gate nearest to its limit is {words}."
    return f"The gate that fails first is {words}."


def gate_words(target: Target) -> str:
    """``"T-52 Pages are fast: p95 < 300 ms"``."""
    what = {"error_ratio": "errors"}.get(target.metric or "", "")
    if target.metric == "response_time":
        what = fmt.percentile_name(target.percentile) if target.percentile else "response"
    limit = fmt.limit(target.comparator, target.limit, None, target.unit)
    about = f" of {one_line(target.operation)}" if target.operation else ""
    return f"{one_line(target.id)} ({one_line(target.title)}): {what}{about} {limit}"


def guess(answer: Answer) -> str | None:
    """Where in the interval the capacity probably is."""
    return None if answer.guess_per_s is None else f"{rate(answer.guess_per_s)} /s"


def users(inputs: SearchInputs) -> str:
    """What the lower end means in users of the tier, who stand behind its own rate."""
    low, load = inputs.story.answer.low, inputs.plan.tier.load
    per_user = load.concurrency * load.pace_per_min / 60
    if low is None or not per_user or not load.users:
        return ""
    return (
        f"{low / per_user:,.0f} users of {fmt.ratio(load.concurrency)} active at once and "
        f"{fmt.plain(load.pace_per_min)} requests/min each; the tier is made for {load.users:,}"
    )


def effort(answer: Answer) -> str:
    """``"7 probes, 32 min of load"``."""
    noun = "probe" if answer.probes == 1 else "probes"
    return f"{answer.probes} {noun}, {fmt.span(round(answer.loaded_s))} of load"


def width(story: SearchStory) -> str:
    """How wide the interval is, and how wide it was to be."""
    seen = story.answer.width
    wanted = fmt.ratio(story.rules.width)
    return f"{wanted} asked for" if seen is None else f"{fmt.ratio(seen)}, {wanted} asked for"


def notes(inputs: SearchInputs) -> list[str]:
    """What a reader has to know to read the answer right."""
    story = inputs.story
    said = []
    if story.answer.why:
        said.append(f"{story.answer.why[:1].upper()}{story.answer.why[1:]}.")
    if story.answer.violations:
        rates = ", ".join(f"{rate(one)}/s" for one in story.answer.violations)
        said.append(
            f"{rates} passed although a lower rate failed twice: the system is better when it is "
            "asked faster, or it changed during the search. The lower rate counts."
        )
    if story.left_out:
        names = "; ".join(f"{one_line(one.id)} ({one.why})" for one in story.left_out)
        said.append(f"Gates that a rate cannot decide are left out: {names}.")
    said.append(
        "What was written during a probe stays in the data, so later probes ran on slightly more "
        "rows than earlier ones."
    )
    if inputs.plan.url is not None:
        said.append(
            "The service is not ours to look into: that it was at rest between two probes was "
            "seen from lone requests, which were answered as fast as before the search."
        )
    return said


def method(rules: Rules) -> str:
    """How the answer came about."""
    return (
        "Each probe offers one rate and is decided by a sequential test: it passes when every "
        "gate surely holds, fails when one is surely missed, and takes longer otherwise; a rate "
        "of so few requests that it would take long is left for a higher one. "
        f"All {rules.most_probes} probes together may be wrong with "
        f"{fmt.ratio(rules.error)}. Between two probes the system has come to rest and has shown "
        "again that it holds a rate that passed. A model of the load chooses rates; it decides "
        "nothing."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRow:
    """One line of the table of probes."""

    number: str
    rate: str
    outcome: str
    state: str
    seconds: str
    planned: str
    gate: str
    missed: str
    response: str
    runs: str
    note: str


def probe_rows(story: SearchStory) -> list[ProbeRow]:
    """The probes for a table."""
    return [_row(probe) for probe in story.probes]


_STATES: Final[dict[Outcome, str]] = {
    "pass": "pass",
    "fail": "fail",
    "undecided": "inconclusive",
    "too_few": "inconclusive",
    "go_on": "not_measured",
}


def _row(probe: ProbeTold) -> ProbeRow:
    one = probe.telling
    return ProbeRow(
        number=str(probe.number),
        rate=rate(probe.rate_per_s),
        outcome=OUTCOMES[probe.outcome],
        state=_STATES[probe.outcome],
        seconds=f"{probe.seconds} s",
        planned=f"{probe.planned:,}",
        gate="–" if one is None else one_line(one.gate.id),
        missed="–" if one is None else missed(one),
        response="–" if one is None else _response(probe, one),
        runs=", ".join(probe.runs),
        note=" ".join(_remarks(probe)),
    )


def missed(share: GateShare) -> str:
    """``"3.1 % (2.6–3.8 %) of 5 %"``."""
    ends = fmt.interval(share.low, share.high, fmt.ratio)
    return f"{fmt.ratio(share.share)} ({ends}) of {fmt.ratio(share.gate.allowed)}"


def _response(probe: ProbeTold, share: GateShare) -> str:
    found = probe.responses.get(share.gate.id)
    if found is None:
        return "–"
    return f"{fmt.percentile_name(1 - share.gate.allowed)} {fmt.estimate(found)}"


def _remarks(probe: ProbeTold) -> Iterable[str]:
    if probe.firm:
        yield "Confirms a rate that had passed in a short probe."
    if probe.hasty and probe.outcome == "too_few":
        yield "Left for a higher rate, on the way up; to decide it would take long."
    for why in probe.unfit:
        yield f"A stretch was no evidence: {one_line(why)}."
    for why in probe.unproved:
        yield f"A proof of health was no evidence: {one_line(why)}."
    for why in probe.sick:
        yield f"Afterwards not well: {one_line(why)}."


def command(inputs: SearchInputs) -> str:
    """The command that asks the same question again."""
    plan, rules = inputs.plan, inputs.story.rules
    words = ["palier", "search", plan.tier.id]
    if plan.profile.id != "steady":
        words += ["--profile", plan.profile.id]
    words += ["--start", f"{rules.start_per_s:g}", "--most", f"{rules.highest_per_s:g}"]
    words += ["--width", f"{rules.width * 100:g}%", "--longest", f"{rules.longest_s:g}s"]
    words += ["--seed", str(plan.seed), "--workers", str(plan.workers), *where_to(plan)]
    return clean(without_passwords(shlex.join(words)))
