"""Latencies by operation as lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from palier.analysis.findings import Findings, OperationFinding, Percentiles
from reports import format as fmt
from reports.text import one_line, shortened

SHOWN: Final = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A percentile: the number and, below it, its interval or why there is none."""

    value: str
    interval: str
    refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRow:
    """One operation, formatted; cells in the order of ``SHOWN``."""

    name: str
    all_requests: bool
    requests: str
    errors: str
    errors_interval: str
    has_errors: bool
    goodput: str
    response: tuple[Cell, ...]
    response_max: str
    service: tuple[Cell, ...]


def operation_rows(findings: Findings) -> list[OperationRow]:
    """All requests together, then each operation, slowest p95 first."""

    def slowness(operation: OperationFinding) -> tuple[float, str]:
        values = [e.value for at, e in operation.response.points if at == 0.95]
        return (-(values[0] or 0.0) if values else 0.0, operation.operation)

    each = sorted(findings.operations, key=slowness)
    return [_row(findings.overall, all_requests=True)] + [_row(operation) for operation in each]


def cell(percentiles: Percentiles, fraction: float) -> Cell:
    """One percentile; "not measured" with its reason when there is none."""
    for at, estimate in percentiles.points:
        if at == fraction:
            return Cell(
                value=fmt.estimate(estimate),
                interval=one_line(fmt.estimate_interval(estimate)),
                refused=fmt.estimate(estimate) == fmt.NOT_MEASURED,
            )
    return Cell(value=fmt.NOT_MEASURED, interval="not computed", refused=True)


def cells(percentiles: Percentiles, fractions: Sequence[float] = SHOWN) -> tuple[Cell, ...]:
    """Several percentiles of one clock."""
    return tuple(cell(percentiles, fraction) for fraction in fractions)


def refusals(rows: Sequence[OperationRow]) -> dict[str, int]:
    """Why percentiles are missing: each reason once, with the number of its note."""
    reasons = dict.fromkeys(
        cell.interval for row in rows for cell in (*row.response, *row.service) if cell.refused
    )
    return {reason: number for number, reason in enumerate(reasons, start=1)}


def _row(operation: OperationFinding, *, all_requests: bool = False) -> OperationRow:
    return OperationRow(
        name="all requests" if all_requests else shortened(one_line(operation.operation), 80),
        all_requests=all_requests,
        requests=fmt.count(operation.ledger.planned),
        errors=fmt.estimate(operation.error_ratio, fmt.ratio),
        errors_interval=one_line(fmt.estimate_interval(operation.error_ratio, fmt.ratio)),
        has_errors=bool(operation.error_ratio.value),
        goodput=fmt.rate(operation.goodput_per_s),
        response=cells(operation.response),
        response_max=fmt.duration(operation.response.max_s),
        service=cells(operation.service),
    )
