"""Fewer points for drawing; statistics never see this.

A column of the drawing shows the *worst* second it covers (and the mean rate), so nothing bad
disappears between two pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from palier.analysis.findings import SecondPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One x position of the figure over time: ``width_s`` seconds from ``at_s``.

    Latencies are those of the worst second, in seconds; None without a request.
    Rates are means over the column, per second.
    """

    at_s: float
    width_s: float
    response_p50_s: float | None
    response_p95_s: float | None
    response_max_s: float | None
    service_p95_s: float | None
    planned_per_s: float
    succeeded_per_s: float
    failed_per_s: float
    skipped_per_s: float


def columns(seconds: Sequence[SecondPoint], *, most: int) -> tuple[Column, ...]:
    """At most ``most`` columns of equal width that cover all ``seconds``."""
    if not seconds:
        return ()
    ordered = sorted(seconds, key=lambda point: point.second)
    first = ordered[0].second
    length = ordered[-1].second - first + 1
    width = math.ceil(length / most)
    groups: dict[int, list[SecondPoint]] = {}
    for point in ordered:
        groups.setdefault((point.second - first) // width, []).append(point)
    return tuple(
        _column(first + index * width, min(width, length - index * width), group)
        for index, group in groups.items()
    )


def _column(at_s: int, width: int, group: list[SecondPoint]) -> Column:
    def worst(read: Callable[[SecondPoint], float | None]) -> float | None:
        return max((value for point in group if (value := read(point)) is not None), default=None)

    def mean(read: Callable[[SecondPoint], int]) -> float:
        return sum(read(point) for point in group) / width

    return Column(
        at_s=at_s,
        width_s=width,
        response_p50_s=worst(lambda point: point.response_p50_s),
        response_p95_s=worst(lambda point: point.response_p95_s),
        response_max_s=worst(lambda point: point.response_max_s),
        service_p95_s=worst(lambda point: point.service_p95_s),
        planned_per_s=mean(lambda point: point.planned),
        succeeded_per_s=mean(lambda point: point.succeeded),
        failed_per_s=mean(lambda point: point.failed + point.timed_out + point.abandoned),
        skipped_per_s=mean(lambda point: point.skipped),
    )
