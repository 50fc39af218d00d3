"""Settings of the worker and the scheduler, from environment variables only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reference_app.settings import SettingsError
from reference_app.sync.calendars import Calendars, read_calendars
from reference_app.sync.fetch import TIMEOUT_S
from reference_app.sync.policy import PARALLEL
from reference_app.variant import Variant, parse_variant

LEASE_S = 30.0
"""Three times the longest fetch; renewed at a third of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSettings:
    """What a worker or scheduler needs to know.

    Attributes:
        database_url: ``APP_DATABASE_URL``: a login that acts as ``app_worker``.
        variant: ``APP_VARIANT``: the switches; ``sync`` decides about retries and slots.
        calendars: ``APP_CALENDAR_HOSTS`` and ``APP_OUTBOUND_PROXY``.
        parallel: ``APP_SYNC_PARALLEL``: tasks at a time (B-125).
        pause_s: ``APP_SYNC_PAUSE_S``: after a task; None leaves it to the variant (B-130).
        timeout_s: ``APP_SYNC_TIMEOUT_S``: for a whole fetch (B-127).
        lease_s: ``APP_SYNC_LEASE_S``: after this long without a sign of life a worker's tasks are
            another's.
    """

    database_url: str = field(repr=False)
    variant: Variant = field(default_factory=Variant)
    calendars: Calendars = field(default_factory=Calendars)
    parallel: int = PARALLEL
    pause_s: float | None = None
    timeout_s: float = TIMEOUT_S
    lease_s: float = LEASE_S


def read_sync_settings(environment: Mapping[str, str]) -> SyncSettings:
    """Read the settings of a process.

    Raises:
        SettingsError: Something is missing or wrong; the message names every such variable.
    """
    problems: list[str] = []
    database_url = environment.get("APP_DATABASE_URL", "")
    if not database_url:
        problems.append(
            "APP_DATABASE_URL is not set; it should be like: postgresql://app_worker@host/database"
        )
    variant = Variant()
    try:
        variant = parse_variant(environment.get("APP_VARIANT", "{}"))
    except ValueError as error:
        problems.append(f"APP_VARIANT: {error}")
    calendars = read_calendars(environment, problems)
    parallel = _number(environment, problems, "APP_SYNC_PARALLEL", low=1, high=100)
    pause_s = _number(environment, problems, "APP_SYNC_PAUSE_S", low=0, high=3600)
    timeout_s = _number(environment, problems, "APP_SYNC_TIMEOUT_S", low=0.1, high=600)
    lease_s = _number(environment, problems, "APP_SYNC_LEASE_S", low=1, high=3600)
    if problems:
        raise SettingsError(problems)
    return SyncSettings(
        database_url=database_url,
        variant=variant,
        calendars=calendars,
        parallel=PARALLEL if parallel is None else int(parallel),
        pause_s=pause_s,
        timeout_s=TIMEOUT_S if timeout_s is None else timeout_s,
        lease_s=LEASE_S if lease_s is None else lease_s,
    )


def _number(
    environment: Mapping[str, str], problems: list[str], name: str, *, low: float, high: float
) -> float | None:
    text = environment.get(name, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        problems.append(f"{name} is {text!r}; it must be a number from {low:g} to {high:g}")
        return None
    return value
