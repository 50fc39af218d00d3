"""Was the system whole until the end of the judged window?"""

from __future__ import annotations

from typing import Final

from palier.analysis.findings import HealthCheck
from palier.analysis.health.measured import Measured

SEEN_BY_REQUESTS: Final = frozenset({"app", "postgres", "pgbouncer", "web_cache"})
"""Components that every request passes: when one ends, requests fail, and those are judged."""


def check_components(measured: Measured) -> HealthCheck:
    """The system was whole until the end of the judged window."""
    ended = [
        f"{event.get('name')} at {float(event['at_s']):.0f} s"
        for event in measured.events
        if event.get("component") is not None
        and event["component"] not in SEEN_BY_REQUESTS
        and float(event["at_s"]) <= measured.to_s
    ]
    return HealthCheck(
        name="components",
        ok=not ended,
        measured="; ".join(ended) or "none ended",
        limit="none ends before the load does",
        why="Requests can succeed without a cache, a replica or a worker, and then the numbers are "
        "those of another architecture than the tier's. If not ok: see the component's log in the "
        "run directory for why it ended; what every request needs is counted as failed requests "
        "instead.",
    )
