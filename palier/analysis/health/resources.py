"""Did the generator run out of files, ports, names or disk?"""

from __future__ import annotations

from palier.analysis.findings import HealthCheck
from palier.analysis.health.lag import lag_budget_s
from palier.analysis.health.limits import LATE_SHARE, SLOW_LOOKUP_S
from palier.analysis.health.measured import NOT_MEASURED, Measured, told

DISK_FULL = "disk_full"
"""Name of the event of kind ``fault`` that the driver writes."""


def check_files(measured: Measured) -> HealthCheck:
    """Open files (a connection is one) against the limit, and what the system refused."""
    lines = measured.health
    files, limit = told(lines, "files"), told(lines, "files_limit")
    errors, sockets = told(lines, "own_error"), told(lines, "tcp_sockets")
    seen = NOT_MEASURED
    full = False
    if files is not None:
        of = "" if limit is None else f" of {int(limit.min()):,}"
        seen = f"{int(files.max()):,}{of} open at most"
        full = limit is not None and int(files.max()) >= int(limit.min())
    if sockets is not None:
        seen += f"; {int(sockets.max()):,} TCP sockets on the machine"
    if errors is not None:
        seen += f"; refused: {errors.iloc[0]}"
    return HealthCheck(
        name="open files",
        ok=errors is None and not full,
        measured=seen,
        limit="below the limit, nothing refused",
        why="A connection is an open file and holds a port; a generator that has no more of them "
        "cannot send. If not ok: raise the limit (`ulimit -n`, or nofile in limits.conf), widen "
        "net.ipv4.ip_local_port_range, or use more loader processes (--workers).",
    )


def check_names(measured: Measured) -> HealthCheck:
    """Requests that waited for a name server."""
    waits = told(measured.health, "lookup_waits_ms")
    longest_ms = told(measured.health, "lookup_max_ms")
    budget_s = lag_budget_s(measured.plan)
    before_s = max(
        (float(event["lookup_s"]) for event in measured.events if event.get("lookup_s")),
        default=None,
    )
    waited = [] if waits is None else [ms / 1000 for one in waits for ms in one]
    late = sum(wait_s > budget_s for wait_s in waited)
    share = late / max(measured.totals.planned, 1)
    seen = NOT_MEASURED if waits is None else "nothing was to be resolved"
    if before_s is not None:
        slow = ": the name server is slow" if before_s > SLOW_LOOKUP_S else ""
        seen = f"{before_s * 1000:,.0f} ms before the start{slow}"
    if waited:
        seen = f"{before_s * 1000:,.0f} ms before the start; " if before_s is not None else ""
        seen += (
            f"{late:,} requests waited more than {budget_s * 1000:.0f} ms for a name ({share:.2%})"
        )
        seen += f", {max(waited) * 1000:,.0f} ms at most"
    elif before_s is not None and longest_ms is not None and longest_ms.max() > 0:
        seen += f"; again in the background, {float(longest_ms.max()):,.0f} ms at most"
    if before_s is not None and not waited:
        seen += "; no request waited"
    return HealthCheck(
        name="name resolution",
        ok=share <= LATE_SHARE,
        measured=seen,
        limit=f"at most {LATE_SHARE:.0%} of the requests wait for a name",
        why="A slow name server makes requests slow that the service answered at once. The name of "
        "the service is asked for once, before the start; only names that a scenario makes up "
        "later are waited for. If not ok: run a caching name server on this machine, or write the "
        "names into /etc/hosts.",
    )


def check_disk(measured: Measured) -> HealthCheck:
    """The disk of the run directory held everything that was to be written."""
    full = [
        f"full at {float(event['at_s']):.0f} s: {event.get('why', 'no space left')}"
        for event in measured.events
        if event.get("kind") == "fault" and event.get("name") == DISK_FULL
    ]
    return HealthCheck(
        name="disk",
        ok=not full,
        measured="; ".join(full) or "everything was written",
        limit="everything is written",
        why="What cannot be written cannot be judged, so a run ends when the disk of its directory "
        "is full. If not ok: free space there, or name another place with --out.",
    )
