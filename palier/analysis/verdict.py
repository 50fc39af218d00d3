"""The verdict of a run: values; the rules are in ``judge.py``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from palier.analysis.findings import LedgerTotals
from palier.analysis.invariants import Invariant
from palier.errors import ExitCode

VERDICT_SCHEMA = 1

TargetState = Literal["pass", "fail", "inconclusive", "not_measured"]
RunState = Literal["PASS", "FAIL", "INCONCLUSIVE", "INVALID"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetVerdict:
    """One target judged. ``measured``, ``low`` and ``high`` are in ``unit``."""

    id: str
    role: str
    kind: str
    title: str
    metric: str | None
    operation: str | None
    percentile: float | None
    comparator: str
    limit: float | None
    limit_high: float | None
    unit: str
    source: str
    measured: float | None
    low: float | None
    high: float | None
    samples: int
    verdict: TargetState
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The run judged: INVALID, else FAIL, else INCONCLUSIVE, else PASS. Only PASS is green."""

    run: str
    verdict: RunState
    reasons: tuple[str, ...]
    ledger: LedgerTotals
    targets: tuple[TargetVerdict, ...]
    interrupted: bool
    """Somebody stopped it; a run whose disk was full was stopped by nobody."""
    invariants: tuple[Invariant, ...] = ()
    """What had to hold in the data; a violated one fails the run."""
    aborted: str | None = None
    """Id of the abort rule that stopped the run; None when none did."""

    @property
    def exit_code(self) -> ExitCode:
        if self.interrupted:
            return ExitCode.INTERRUPTED
        return {
            "PASS": ExitCode.PASS,
            "FAIL": ExitCode.GATE_FAILED,
            "INCONCLUSIVE": ExitCode.UNDECIDED,
            "INVALID": ExitCode.UNDECIDED,
        }[self.verdict]
