"""An alert: a rule that was broken, from its opening until its end has been told."""

from __future__ import annotations

import dataclasses
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from reference_app.monitoring.rules import Opening, Rule

Turn = Literal["alert.opened", "alert.closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert.

    Attributes:
        rule: Name of its rule.
        value: The figure when it opened.
        threshold: Of the rule, then.
        told_at: When its opening was told.
        end_told_at: When its end was told.
        attempts: Times that telling was tried.
        last_error: Why it failed last.
    """

    id: UUID
    rule: str
    value: float
    threshold: float
    opened_at: datetime
    closed_at: datetime | None = None
    told_at: datetime | None = None
    end_told_at: datetime | None = None
    attempts: int = 0
    last_error: str | None = None

    @classmethod
    def opened(cls, opening: Opening, at: datetime) -> Alert:
        """A new one."""
        return cls(
            id=uuid.uuid4(),
            rule=opening.rule.slug,
            value=opening.value,
            threshold=opening.rule.threshold,
            opened_at=at,
        )

    def untold(self) -> Turn | None:
        """What is to be told next; None when nothing is. The opening comes before the end."""
        if self.told_at is None:
            return "alert.opened"
        if self.closed_at is not None and self.end_told_at is None:
            return "alert.closed"
        return None

    def told(self, turn: Turn, at: datetime, tries: int) -> Alert:
        """With this turn told."""
        changed = dataclasses.replace(self, attempts=self.attempts + tries, last_error=None)
        if turn == "alert.opened":
            return dataclasses.replace(changed, told_at=at)
        return dataclasses.replace(changed, end_told_at=at)

    def not_told(self, tries: int, reason: str) -> Alert:
        """After attempts of which none was accepted."""
        return dataclasses.replace(self, attempts=self.attempts + tries, last_error=reason)


def message(alert: Alert, rule: Rule | None, turn: Turn) -> dict[str, object]:
    """What is told of it; ``text`` alone is what chat services show (B-61)."""
    title = alert.rule if rule is None else rule.title
    severity = "warning" if rule is None else rule.severity
    word = "OPEN" if turn == "alert.opened" else "closed"
    figure = alert.rule if rule is None else f"{rule.metric} {rule.comparator}"
    return {
        "id": f"{alert.id}.{turn}",
        "type": turn,
        "created_at": (alert.opened_at if turn == "alert.opened" else alert.closed_at),
        "text": f"[{severity}] {word}: {title} ({figure} {alert.threshold:g}, was {alert.value:g})",
        "data": {
            "alert_id": alert.id,
            "rule": alert.rule,
            "title": title,
            "severity": severity,
            "value": alert.value,
            "threshold": alert.threshold,
            "opened_at": alert.opened_at,
            "closed_at": alert.closed_at,
        },
    }
