"""What a search found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

End = Literal[
    "found",
    "probes_used_up",
    "time_used_up",
    "nothing_passes",
    "never_fails",
    "too_few_requests",
    "backlog_stayed",
    "not_healthy",
    "measurement_unfit",
    "interrupted",
]
"""Why a search ended. Only ``found`` has the width that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the search found.

    Attributes:
        end: Why it ended.
        low: Highest rate that passed; None when none did.
        high: Lowest rate that failed; None when none did.
        binding: Gate that fails at ``high``, or is strained most at ``low``.
        guess_per_s: Where in the interval the capacity probably is.
        confidence: Of the interval.
        probes: How many were made.
        loaded_s: Seconds under load.
        violations: Rates that passed above one that failed twice.
        why: A sentence where the search ended early.
    """

    end: End
    low: float | None
    high: float | None
    binding: str | None
    guess_per_s: float | None
    confidence: float
    probes: int
    loaded_s: float
    violations: tuple[float, ...] = ()
    why: str = ""

    @property
    def width(self) -> float | None:
        """Of the interval, as a share of its lower end; None while an end is open."""
        if self.low is None or self.high is None:
            return None
        return (self.high - self.low) / self.low
