"""Targets as lines of text: what every form of the report says about each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from palier.analysis.headroom import by_headroom
from palier.analysis.verdict import TargetState, TargetVerdict, Verdict
from reports import format as fmt
from reports.text import one_line, shortened

MOST_TITLE: Final = 120
MOST_WHY: Final = 500
MOST_UNIT: Final = 24
"""Characters; longer texts come from mistakes, and ``verdict.json`` has them whole."""

ROLE_TITLES: Final = {
    "gate": "Gates: they decide the verdict",
    "goal": "Goals: judged and shown, they do not decide",
    "info": "For information",
}
STATE_WORDS: Final[dict[TargetState, str]] = {
    "pass": "pass",
    "fail": "fail",
    "inconclusive": "inconclusive",
    "not_measured": "not measured",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A measured value against its limit, as positions in percent of the bar's length."""

    value: float
    low: float
    high: float
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRow:
    """One target, formatted. ``bar`` is None when there is nothing to compare."""

    id: str
    role: str
    title: str
    about: str
    """``"p95 of list_reservations"``; may be empty."""
    source: str
    limit: str
    measured: str
    interval: str
    samples: str
    state: TargetState
    state_words: str
    why: str
    bar: Bar | None


def row(target: TargetVerdict) -> TargetRow:
    """Format one target."""
    return TargetRow(
        id=one_line(target.id),
        role=target.role,
        title=shortened(one_line(target.title), MOST_TITLE),
        about=shortened(_about(target), MOST_TITLE),
        source=f"target from source {shortened(one_line(target.source), MOST_TITLE)}",
        limit=fmt.limit(target.comparator, target.limit, target.limit_high, _unit(target)),
        measured=fmt.quantity(target.measured, _unit(target)),
        interval=_interval(target),
        samples=fmt.samples(target.samples) if target.samples > 0 else "–",
        state=target.verdict,
        state_words=STATE_WORDS[target.verdict],
        why=shortened(one_line(target.why), MOST_WHY),
        bar=_bar(target),
    )


def rows(targets: Sequence[TargetVerdict], role: str) -> list[TargetRow]:
    """Targets of one role, the ones that need attention first.

    Gates without a number are among them, because they keep a run from passing; other targets
    without a number are not.
    """
    order = {"fail": 0, "inconclusive": 1, "not_measured": 2, "pass": 3}
    chosen = [
        t for t in targets if t.role == role and (role == "gate" or t.verdict != "not_measured")
    ]
    return [row(t) for t in sorted(chosen, key=lambda t: order[t.verdict])]


def not_measured_rows(targets: Sequence[TargetVerdict]) -> list[TargetRow]:
    """Goals and information without a number, goals first, each with its reason."""
    chosen = [t for t in targets if t.role != "gate" and t.verdict == "not_measured"]
    return [row(t) for t in sorted(chosen, key=lambda t: t.role != "goal")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """How far the run stays from the limit that is nearest.

    Attributes:
        share: ``"7.3 %"``, or a word when there is none.
        note: What the share is about.
        sentence: Both in one.
    """

    share: str
    note: str
    sentence: str


def headroom_of_run(verdict: Verdict) -> Headroom:
    """The tightest gate in words; an unfit measurement claims no headroom."""
    if verdict.verdict == "INVALID":
        return _no_headroom(
            "none shown", "the measurement was unfit, so no headroom can be claimed"
        )
    gates = by_headroom(verdict.targets)
    if not gates:
        return _no_headroom(
            "none given", "no gate has both a measured value and a limit to compare it with"
        )
    room, gate = gates[0]
    name = shortened(f"{one_line(gate.id)} {one_line(gate.title)}", MOST_TITLE)
    measured = fmt.quantity(gate.measured, _unit(gate))
    limit = fmt.limit(gate.comparator, gate.limit, gate.limit_high, _unit(gate))
    if gate.verdict == "fail":
        return _no_headroom("none", f"{name} is missed: {measured}, limit {limit}")
    if room < 0:
        return _no_headroom(
            "none shown", f"the interval of {name} crosses its limit: {measured}, limit {limit}"
        )
    share = fmt.percent(round(room * 100, 1))
    side = "above" if gate.comparator in (">", ">=") else "below"
    note = f"{side} the limit of {name}, from the near end of its interval"
    if any(t.role == "gate" and t.verdict == "not_measured" for t in verdict.targets):
        note += ", among the gates that were measured"
    return Headroom(share=share, note=note, sentence=f"{share} {note}")


def _no_headroom(share: str, note: str) -> Headroom:
    return Headroom(share=share, note=note, sentence=f"{share}, {note}")


def _unit(target: TargetVerdict) -> str:
    return shortened(one_line(target.unit), MOST_UNIT)


def _about(target: TargetVerdict) -> str:
    what = []
    if target.percentile is not None:
        what.append(fmt.percentile_name(target.percentile))
    if target.operation is not None:
        what.append(f"of {one_line(target.operation)}")
    return " ".join(what)


def _interval(target: TargetVerdict) -> str:
    if fmt.known(target.measured) is None:
        return "–"
    if target.low == target.high == target.measured:
        return "exact"
    unit = _unit(target)
    return fmt.interval(target.low, target.high, lambda value: fmt.quantity(value, unit))


def _bar(target: TargetVerdict) -> Bar | None:
    """The limit stands at 70 % of the bar, or further left when the value needs the room."""
    limit, measured = fmt.known(target.limit), fmt.known(target.measured)
    if limit is None or measured is None or limit <= 0 or measured < 0:
        return None
    if target.comparator not in ("<", "<=", ">", ">="):
        return None
    low = fmt.known(target.low)
    high = fmt.known(target.high)
    low = measured if low is None else min(low, measured)
    high = measured if high is None else max(high, measured)
    full = max(limit / 0.7, measured * 1.06)

    def place(value: float) -> float:
        return round(min(max(value / full, 0), 1) * 100, 2)

    return Bar(value=place(measured), low=place(low), high=place(high), limit=place(limit))
