"""Settings of the worker, from environment variables only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reference_app.settings import Reader, SettingsError

PARALLEL = 2

LEASE_S = 30
"""Far longer than a chunk takes; each renews it."""

ITEMS_PER_S = 500
"""Of one worker: 500 items are through in a second, far below the 5 s of T-04, and an import costs
the others a small part of what PostgreSQL can insert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkSettings:
    """What a worker needs to know.

    Attributes:
        database_url: ``APP_DATABASE_URL``: a login that acts as ``app_worker``.
        parallel: ``APP_BULK_PARALLEL``: operations at a time, each of another tenant.
        items_per_s: ``APP_BULK_ITEMS_PER_S``: over all of them.
        lease_s: ``APP_BULK_LEASE_S``: after this long without a sign of life an operation is
            another worker's.
    """

    database_url: str = field(repr=False)
    parallel: int = PARALLEL
    items_per_s: int = ITEMS_PER_S
    lease_s: int = LEASE_S


def read_bulk_settings(environment: Mapping[str, str]) -> BulkSettings:
    """Read the settings of a process.

    Raises:
        SettingsError: Something is missing or wrong; the message names every such variable.
    """
    reader = Reader(environment)
    settings = BulkSettings(
        database_url=reader.required("APP_DATABASE_URL", "postgresql://app_worker@host/database"),
        parallel=reader.whole("APP_BULK_PARALLEL", default=PARALLEL, low=1, high=100),
        items_per_s=reader.whole(
            "APP_BULK_ITEMS_PER_S", default=ITEMS_PER_S, low=1, high=1_000_000
        ),
        lease_s=reader.whole("APP_BULK_LEASE_S", default=LEASE_S, low=1, high=3600),
    )
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings
