"""What a report is made from, and where it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from palier.analysis.findings import Findings
from palier.analysis.verdict import Verdict
from palier.model.plan import RunPlan

Record = Mapping[str, Any]
"""One JSON object of ``exemplars.jsonl`` or ``events.jsonl``."""


def _no_telemetry() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "at_s": pd.Series(dtype="float64"),
            "source": pd.Series(dtype="str"),
            "name": pd.Series(dtype="str"),
            "value": pd.Series(dtype="float64"),
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReportInputs:
    """One run, read from its files.

    Attributes:
        plan: What the run was to do.
        findings: What was found.
        verdict: What it means.
        environment: ``environment.json``: any nested object; shown as it is.
        exemplars: Slowest and failed requests. Keys used: ``operation``, ``outcome``,
            ``intended_s``, ``started_s``, ``ended_s`` (offsets in seconds), ``status``,
            ``request_id``, ``message``; absent ones are shown as a dash.
        telemetry: Columns ``at_s``, ``source``, ``name``, ``value``. Rows named ``cpu_cores``
            (processor cores in use) are drawn by source.
        events: Keys used: ``at_s``, ``kind``, ``name``, ``message``.
    """

    plan: RunPlan
    findings: Findings
    verdict: Verdict
    environment: Record = field(default_factory=dict)
    exemplars: Sequence[Record] = ()
    telemetry: pd.DataFrame = field(default_factory=_no_telemetry)
    events: Sequence[Record] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPaths:
    """The files that were written."""

    html: Path
    markdown: Path
    junit: Path
    figures: tuple[Path, ...]
