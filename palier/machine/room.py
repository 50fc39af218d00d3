"""Free disk for a run directory."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from palier.load.disk import RESERVE_BYTES
from palier.machine.check import Check
from palier.model.plan import RunPlan

LINE_BYTES: Final = 1_500
"""What a loader writes in a second about one operation: four histograms and a ledger row."""

WRITE_BYTES: Final = 400
"""What it writes about one request that changes something; all of them may."""

LOGS_BYTES: Final = 64 * 2**20
"""Logs of the components, telemetry and reports."""


def room_needed(plan: RunPlan) -> int:
    """Bytes that a run may write; an upper estimate."""
    operations = len({step.operation for journey in plan.journeys for step in journey.steps})
    lines = plan.duration_s * plan.workers * operations * LINE_BYTES
    writes = plan.duration_s * plan.requests_per_s * WRITE_BYTES
    return round(lines + writes) + LOGS_BYTES + RESERVE_BYTES


def look_at_room(folder: Path, plan: RunPlan) -> Check:
    """Free disk, against what the run may write."""
    free, needed = shutil.disk_usage(folder).free, room_needed(plan)
    found = f"{_mib(free)} free for the run, which may write {_mib(needed)}"
    fix = "free some, or write elsewhere (--out)"
    if free >= needed:
        return Check(name="room", status="ok", found=found)
    if free < 2 * RESERVE_BYTES:
        # What is held back, and as much to write into: less than that ends before it begins.
        return Check(name="room", status="missing", found=found, fix=fix)
    return Check(name="room", status="warning", found=found, fix=fix)


def _mib(count: int) -> str:
    return f"{count / 2**20:,.0f} MiB"
