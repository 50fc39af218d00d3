"""What was found in a run: values that reports draw and the verdict is read from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FINDINGS_SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A measured number with its 95 % confidence interval.

    Attributes:
        value: Point estimate in the unit of the context; None when refused.
        low: Lower limit; None when the sample cannot give one.
        high: Upper limit; None when the sample cannot give one (for example censored tails).
        samples: Number of observations behind it.
        effective: How many independent observations they are worth, after dividing by the design
            effect; None when the number has no sampling error.
        censored: True when the value is a lower bound (``>= value``).
        refused: Why there is no number; None when there is one.
    """

    value: float | None
    low: float | None
    high: float | None
    samples: int
    censored: bool = False
    refused: str | None = None
    effective: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTotals:
    """planned = started + skipped; started = succeeded + failed + timed_out + abandoned."""

    planned: int
    started: int
    skipped: int
    succeeded: int
    failed: int
    timed_out: int
    abandoned: int
    skipped_reasons: tuple[tuple[str, int], ...] = ()

    @property
    def closes(self) -> bool:
        """True when both identities hold exactly."""
        return (
            self.planned == self.started + self.skipped
            and self.started == self.succeeded + self.failed + self.timed_out + self.abandoned
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """Percentiles of one clock; each Estimate in seconds."""

    clock: Literal["response", "service", "lag"]
    mean_s: float | None
    max_s: float | None
    points: tuple[tuple[float, Estimate], ...]
    """(fraction, estimate) in rising order: 0.5, 0.9, 0.95, 0.99, 0.999."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFinding:
    """One operation inside the judged window (or ``"all"``)."""

    operation: str
    ledger: LedgerTotals
    response: Percentiles
    service: Percentiles
    error_ratio: Estimate
    """Fraction in [0, 1]: failed, timed out, abandoned and skipped of planned."""
    goodput_per_s: float
    """Succeeded / judged window."""
    right_within: tuple[tuple[float, float], ...] = ()
    """(limit in seconds, share of the planned requests that were answered right within it), for
    every limit that a response-time target states."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondPoint:
    """One second of the planned window, for the figures. Offsets from the start of the run."""

    second: int
    planned: int
    started: int
    succeeded: int
    failed: int
    timed_out: int
    abandoned: int
    skipped: int
    response_p50_s: float | None
    response_p95_s: float | None
    response_max_s: float | None
    service_p95_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """One question about the measurement itself, e.g. "was the generator late?"."""

    name: str
    ok: bool
    measured: str
    limit: str
    why: str
    """What it means, and what to do when it is not ok."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steadiness:
    """Whether the judged window was the same from its start to its end.

    Attributes:
        steady: True or False when the test decides; None when the window cannot tell.
        why: The answer in words, with its numbers.
        change: Relative change of the median response time over the judged window along the
            fitted trend, e.g. 0.25 for a quarter slower; None when it was not fitted.
        p_value: Of the trend test that decided; None when it was not made.
        warmup_found_s: End of the warm-up as found, in seconds from the start of the run.
        moves_by_plan: True when the load itself was to move, so that steadiness is not asked for.
    """

    steady: bool | None
    why: str
    change: float | None = None
    p_value: float | None = None
    warmup_found_s: float | None = None
    moves_by_plan: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFinding:
    """A stage of a load that moves, in which the same load is offered.

    Attributes:
        from_s: Its start, in seconds from the start of the run.
        to_s: Its end.
        level: Factor of the tier's rate, or of the users of a loop.
        steadiness: Of its part after the response times have settled.
    """

    from_s: float
    to_s: float
    level: float
    steadiness: Steadiness


@dataclass(frozen=True, slots=True, kw_only=True)
class Aborted:
    """A run that one of its own rules stopped.

    Attributes:
        rule: Id of the abort rule.
        at_s: When, in seconds from the start of the run.
        why: The rule with the numbers that broke it.
    """

    rule: str
    at_s: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything the verdict and the reports need about a run."""

    run: str
    interrupted: bool
    window_s: float
    """Planned window in seconds."""
    judged_from_s: float
    judged_to_s: float
    offered_per_s: float
    achieved_per_s: float
    """Started requests / planned window."""
    throughput_per_s: float
    """Succeeded requests / planned window."""
    ledger: LedgerTotals
    """The whole run, warm-up included: this is where the identity must close."""
    overall: OperationFinding
    operations: tuple[OperationFinding, ...]
    lag: Percentiles
    seconds: tuple[SecondPoint, ...]
    health: tuple[HealthCheck, ...]
    notes: tuple[str, ...]
    """Sentences for the reader, e.g. what a shortened profile cannot prove."""
    errors_left_out: int = 0
    """Requests that went wrong in seconds that were found to be warm-up, beyond the planned one."""
    steadiness: Steadiness | None = None
    """None only in findings that were not made by ``analyse``: then the run cannot pass."""
    stages: tuple[StageFinding, ...] = ()
    """Level stages of a load that moves, as far as they are long enough to be judged."""
    aborted: Aborted | None = None
    """The abort rule that stopped the run; None when none did."""
