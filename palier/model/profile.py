"""A load profile: how the offered rate of a tier moves over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from palier.model.bounds import NotNegative, Positive, Share, check_bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A named shape of load.

    Attributes:
        id: ``"steady"``.
        title: One line for people.
        arrivals: Process of session arrivals.
        duration_s: Planned window, in seconds, when ``--duration`` gives none.
        concurrency: Share of users active at once that replaces the tier's own; None keeps it.
        rate_factor: Multiplies the derived rate.
        warmup_s: Seconds at the start that are measured, kept and not judged.
    """

    id: str
    title: str
    arrivals: Literal["poisson", "constant"] = "poisson"
    duration_s: Positive
    concurrency: Share | None = None
    rate_factor: Positive = 1.0
    warmup_s: NotNegative = 5.0

    def __post_init__(self) -> None:
        check_bounds(self)
