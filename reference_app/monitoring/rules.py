"""When an alert opens and when it closes: a pure function of what was seen, newest first."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Comparator = Literal[">", ">=", "<", "<="]
Severity = Literal["warning", "critical", "emergency"]

_COMPARE: Mapping[Comparator, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """From when on somebody is told.

    Attributes:
        slug: Its name.
        title: What is wrong when it is broken, for people.
        metric: Name of the figure it is about.
        comparator: It is broken while the figure stands so to the threshold.
        threshold: In the figure's unit.
        for_s: So long it must have been broken, without a break.
        severity: How soon somebody should look.
    """

    slug: str
    title: str
    metric: str
    comparator: Comparator
    threshold: float
    for_s: int = 0
    severity: Severity = "critical"

    def is_broken(self, figures: Mapping[str, float]) -> bool | None:
        """None when the figure is not known: nothing follows from it."""
        value = figures.get(self.metric)
        return None if value is None else _COMPARE[self.comparator](value, self.threshold)


DATABASE_DOWN = Rule(
    slug="database-down",
    title="The database does not answer",
    metric="database_up",
    comparator="<",
    threshold=1,
    severity="emergency",
)
"""The rule to go by as long as the database, which has the others, could not be asked."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The figures of one look.

    Attributes:
        at: When.
        figures: By name.
    """

    at: datetime
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Opening:
    """A rule is broken, long enough, and nobody was told yet."""

    rule: Rule
    value: float


def openings(
    rules: Iterable[Rule], history: Sequence[Seen], is_open: Callable[[str], bool]
) -> list[Opening]:
    """The alerts to open.

    Args:
        rules: Those in force.
        history: What was seen, the newest first; not empty.
        is_open: Whether the rule of this name has an open alert.
    """
    now = history[0]
    found = []
    for rule in rules:
        since = broken_since(rule, history)
        if since is None or is_open(rule.slug):
            continue
        if now.at - since >= timedelta(seconds=rule.for_s):
            found.append(Opening(rule, now.figures[rule.metric]))
    return found


def broken_since(rule: Rule, history: Iterable[Seen]) -> datetime | None:
    """When the rule broke; None when it holds, or its figure is not known now.

    A look that did not know the figure is passed over: the outage of one part must not start the
    clock of another again.
    """
    since = None
    for seen in history:
        broken = rule.is_broken(seen.figures)
        if broken is None:
            if since is None:
                return None
            continue
        if not broken:
            return since
        since = seen.at
    return since


def is_over(slug: str, rules: Mapping[str, Rule], figures: Mapping[str, float]) -> bool:
    """Whether an open alert closes: its rule holds again, or is no longer in force.

    Args:
        slug: Name of its rule.
        rules: Those in force, by name.
        figures: Of the newest look; a figure that is not known closes nothing.
    """
    rule = rules.get(slug)
    return rule is None or rule.is_broken(figures) is False
