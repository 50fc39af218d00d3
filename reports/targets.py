"""Targets as lines of text: what every form of the report says about each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from palier.analysis.verdict import TargetState, TargetVerdict, Verdict
from reports import format as fmt
from reports.text import one_line

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
        title=one_line(target.title),
        about=_about(target),
        source=f"target from source {one_line(target.source)}",
        limit=fmt.limit(target.comparator, target.limit, target.limit_high, target.unit),
        measured=fmt.quantity(target.measured, target.unit),
        interval=_interval(target),
        samples=fmt.samples(target.samples) if target.samples > 0 else "–",
        state=target.verdict,
        state_words=STATE_WORDS[target.verdict],
        why=one_line(target.why),
        bar=_bar(target),
    )


def rows(targets: Sequence[TargetVerdict], role: str) -> list[TargetRow]:
    """Measured targets of one role; the ones that need attention first."""
    order = {"fail": 0, "inconclusive": 1, "pass": 2, "not_measured": 3}
    chosen = [t for t in targets if t.role == role and t.verdict != "not_measured"]
    return [row(t) for t in sorted(chosen, key=lambda t: order[t.verdict])]


def not_measured_rows(targets: Sequence[TargetVerdict]) -> list[TargetRow]:
    """Targets without a number, gates first, each with its reason."""
    order = {"gate": 0, "goal": 1}
    chosen = [t for t in targets if t.verdict == "not_measured"]
    return [row(t) for t in sorted(chosen, key=lambda t: order.get(t.role, 2))]


def headroom(target: TargetVerdict) -> float | None:
    """Distance to the limit as a fraction of it; negative when missed.

    The unfavourable end of the interval counts where there is one.
    None for targets without a measured value, without a limit or without a direction.
    """
    limit, measured = fmt.known(target.limit), fmt.known(target.measured)
    if limit is None or measured is None or limit == 0:
        return None
    match target.comparator:
        case "<" | "<=":
            high = fmt.known(target.high)
            return 1 - (measured if high is None else high) / limit
        case ">" | ">=":
            low = fmt.known(target.low)
            return (measured if low is None else low) / limit - 1
        case _:
            return None


def tightest_gates(verdict: Verdict, most: int = 3) -> list[TargetVerdict]:
    """Gates with the least headroom, least first."""
    gates = [
        (room, position, target)
        for position, target in enumerate(verdict.targets)
        if target.role == "gate" and (room := headroom(target)) is not None
    ]
    return [target for _, _, target in sorted(gates, key=lambda gate: gate[:2])][:most]


def headroom_words(target: TargetVerdict) -> str:
    """``"59 % below its limit"``, ``"28 % over its limit"``, ``"25 times its limit"``."""
    room = headroom(target)
    if room is None:
        return "no headroom can be given"
    at_least = target.comparator in (">", ">=")
    if room >= 0:
        return f"{fmt.percent(round(room * 100, 1))} {'above' if at_least else 'below'} its limit"
    if room < -1:
        return f"{fmt.significant(round(1 - room, 1))} times its limit"
    return f"{fmt.percent(round(-room * 100, 1))} {'below' if at_least else 'over'} its limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """The tightest gate in two phrases: a share (or "none") and what it is about."""

    share: str
    note: str


def headroom_of_run(verdict: Verdict) -> Headroom:
    """How far the run stays from the limit that is nearest."""
    gates = tightest_gates(verdict, most=1)
    if not gates:
        return Headroom(
            share="none given",
            note="no gate has both a measured value and a limit to compare it with",
        )
    (gate,) = gates
    room = headroom(gate)
    assert room is not None
    name = f"{one_line(gate.id)} {one_line(gate.title)}"
    measured = fmt.quantity(gate.measured, gate.unit)
    if gate.verdict == "fail":
        limit = fmt.limit(gate.comparator, gate.limit, gate.limit_high, gate.unit)
        return Headroom(share="none", note=f"{name} is missed: {measured}, limit {limit}")
    if room < 0:
        return Headroom(
            share="none shown",
            note=f"{name}: {measured}, but its interval reaches {headroom_words(gate)}",
        )
    share, _, where = headroom_words(gate).partition(" % ")
    return Headroom(share=f"{share} %", note=f"{where}, at the near end of its interval: {name}")


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
    return fmt.interval(target.low, target.high, lambda value: fmt.quantity(value, target.unit))


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
