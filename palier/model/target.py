"""A target: one stated number of the requirements, with its id and its role in the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from palier.model.bounds import Quantile, check_bounds
from palier.model.metric import METRICS
from palier.model.words import OneOf

Role = Literal["gate", "goal", "info"]
"""gate decides the verdict; goal is judged and shown; info is shown only."""

Comparator = Literal["<", "<=", ">", ">=", "=", "range", "approx"]

Kind = Literal["slo", "capacity", "kpi", "alert", "critical", "test", "baseline", "parameter"]
"""What the source means by the number (docs/requirements/targets.md, column Kind)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One row T-nnn of the requirements.

    Attributes:
        id: ``"T-52"``.
        role: Part it plays in the verdict.
        kind: What the source means by it.
        title: The metric in the source's words.
        metric: Name of a measured metric (``METRICS`` of palier.analysis.metrics), or ``None``
            when no run of ours can measure it; then ``not_measured`` says why.
        operation: Operation it is about; ``None`` for all requests together.
        percentile: Fraction in (0, 1) for response times; ``None`` when the metric has none.
        comparator: How ``measured`` must stand to ``limit``; ``range`` uses ``limit_high`` too.
        limit: The number, in ``unit``; ``None`` when the source gives no single number.
        stated: The value in the source's words when one number does not say it.
        limit_high: Upper end of a range.
        unit: Unit of ``limit``: ``"ms"``, ``"s"``, ``"%"``, ``"requests/s"`` ...
        source: Number of the source document, e.g. ``"002"``.
        condition: Condition or place in the source; may be empty.
        not_measured: Why no run measures it; ``None`` when ``metric`` is set.
        contradictions: X-ids this row takes part in.
    """

    id: str
    role: Role
    kind: Kind = "slo"
    title: str
    metric: Annotated[str, OneOf(tuple(METRICS))] | None = None
    operation: str | None = None
    percentile: Quantile | None = None
    comparator: Comparator
    limit: float | None = None
    limit_high: float | None = None
    stated: str = ""
    unit: str
    source: str = ""
    condition: str = ""
    not_measured: str | None = None
    contradictions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_bounds(self)

    @property
    def is_alarm(self) -> bool:
        """True when the comparison describes a state to avoid.

        "Storage > 450 MB: migrate" (T-112) holds as an alarm when it is reached, so the tier is
        fine as long as it does *not* hold.
        """
        return self.kind in ("alert", "critical")
