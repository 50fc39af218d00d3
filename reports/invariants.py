"""What had to hold in the data after the load, made ready to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from palier.analysis.invariants import Invariant, InvariantState
from reports.text import one_line

STATE_WORDS: Final[dict[InvariantState, str]] = {
    "held": "holds",
    "violated": "broken",
    "not_checked": "not checked",
    "not_applicable": "does not apply",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InvariantRow:
    """One invariant as text."""

    id: str
    state: InvariantState
    state_words: str
    holds_when: str
    answer: str
    how: str
    examples: tuple[str, ...]


def rows(invariants: Sequence[Invariant]) -> list[InvariantRow]:
    """All of them, in their order."""
    return [
        InvariantRow(
            id=one_line(invariant.id),
            state=invariant.state,
            state_words=STATE_WORDS[invariant.state],
            holds_when=one_line(invariant.holds_when),
            answer=one_line(invariant.sentence),
            how=one_line(invariant.how),
            examples=tuple(one_line(example) for example in invariant.examples),
        )
        for invariant in invariants
    ]


def summary(invariants: Sequence[Invariant]) -> str:
    """All of them in one line: ``"9 invariants hold, 1 does not apply"``."""
    words: dict[InvariantState, tuple[str, str]] = {
        "violated": ("is broken", "are broken"),
        "held": ("holds", "hold"),
        "not_checked": ("was not checked", "were not checked"),
        "not_applicable": ("does not apply", "do not apply"),
    }
    states = [invariant.state for invariant in invariants]
    counted = [(states.count(state), *forms) for state, forms in words.items() if state in states]
    parts = [f"{count:,} {one if count == 1 else many}" for count, one, many in counted]
    if not parts:
        return "no invariant was looked at"
    number, rest = parts[0].split(" ", 1)
    noun = "invariant" if number == "1" else "invariants"
    return ", ".join([f"{number} {noun} {rest}", *parts[1:]])
