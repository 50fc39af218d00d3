"""Is this process alive, can it do its work, and how has it been doing?"""

from __future__ import annotations

import psycopg
from litestar import Router, get
from litestar.di import NamedDependency
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from reference_app.database import Database
from reference_app.metrics import Metrics
from reference_app.problems import unavailable

READY_TIMEOUT_S = 2.0
"""A readiness check that waits longer than its caller says nothing."""


@get("/health/live", summary="The process runs", sync_to_thread=False)
def live() -> dict[str, str]:
    """Says nothing about the database: restarting us would not bring it back."""
    return {"status": "ok"}


@get("/health/ready", summary="The process can answer requests", raises=[])
async def ready(database: NamedDependency[Database]) -> dict[str, str]:
    """Asks the database; 503 while it is gone, 200 as soon as it is back."""
    try:
        await database.ping(READY_TIMEOUT_S)
    except psycopg.OperationalError as error:
        raise unavailable() from error
    return {"status": "ok"}


@get(
    "/metrics",
    summary="Prometheus metrics of this process",
    media_type=CONTENT_TYPE_LATEST,
    sync_to_thread=False,
)
def show_metrics(metrics: NamedDependency[Metrics]) -> bytes:
    """See reference_app.metrics for what one process's numbers mean."""
    return generate_latest(metrics.registry)


router = Router(
    "/", route_handlers=[live, ready, show_metrics], opt={"public": True}, tags=["operations"]
)
