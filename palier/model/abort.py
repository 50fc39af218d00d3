"""An abort rule: when a run is not worth going on with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from palier.model.bounds import Bounds, NotNegative, Positive, Quantile, WholeNumber, check_bounds

AbortMetric = Literal["response_time", "error_ratio"]
"""What the loaders' lines tell while a run goes on, request by request."""

WindowLength = Annotated[int, Bounds(at_least=2, at_most=3600)]
"""Whole seconds. Loaders report twice a second, and a window needs more than one report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AbortRule:
    """A state in which a run is stopped, in the words of a target, with a window.

    "p95 over 10 s above 500 ms for 30 s" is metric ``response_time``, percentile 0.95, over_s 10,
    comparator ``>``, limit 500, unit ``ms``, for_s 30.

    Attributes:
        id: Name in the verdict, e.g. ``errors``.
        title: One line for people; may be empty.
        metric: ``response_time``, at a percentile, or ``error_ratio``.
        operation: Operation it is about; left out, all requests together.
        percentile: Fraction in (0, 1) for response times.
        comparator: How the measured value must stand to the limit for the run to be stopped.
        limit: The number, in ``unit``.
        unit: ``ms`` or ``s`` for response times, ``%`` for errors.
        over_s: Length of the sliding window it is measured over, in seconds.
        for_s: How long the state must last, in seconds; 0 stops the run at once.
        after_s: Start of the run in which nothing counts, in seconds; left out, the warm-up.
    """

    id: str
    title: str = ""
    metric: AbortMetric
    operation: str | None = None
    percentile: Quantile | None = None
    comparator: Literal[">", ">="] = ">"
    limit: Positive
    unit: Literal["ms", "s", "%"]
    over_s: WindowLength
    for_s: WholeNumber = 0
    after_s: NotNegative | None = None

    def __post_init__(self) -> None:
        check_bounds(self)

    @property
    def limit_s(self) -> float:
        """The limit of a response time, in seconds."""
        return self.limit / 1000 if self.unit == "ms" else self.limit

    @property
    def tolerated(self) -> float:
        """Share of the requests that may miss the limit, or go wrong, without the state holding."""
        return self.limit / 100 if self.percentile is None else 1 - self.percentile

    @property
    def state(self) -> str:
        """``p95 of sign_in over 10 s > 500 ms for 30 s``."""
        measured = "errors" if self.percentile is None else f"p{self.percentile * 100:.10g}"
        of = f" of {self.operation}" if self.operation else ""
        lasting = f" for {self.for_s} s" if self.for_s else ""
        return (
            f"{measured}{of} over {self.over_s} s {self.comparator} {self.limit:g} {self.unit}"
            f"{lasting}"
        )


def in_force(*layers: tuple[AbortRule, ...]) -> tuple[AbortRule, ...]:
    """The rules of a system, a tier and a profile together: of two with one id the later counts."""
    return tuple({rule.id: rule for layer in layers for rule in layer}.values())
