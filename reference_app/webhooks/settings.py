"""Settings of the worker, from environment variables only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reference_app.settings import Reader, SettingsError
from reference_app.webhooks.keys import SECRET_VARIABLE, Keys, read_keys
from reference_app.webhooks.sender import TIMEOUT_S

PARALLEL = 8
"""Deliveries at a time, each of another endpoint: most of the time they wait for an answer."""

BACKOFF_S = (2.0, 8.0)
"""B-47: 3 attempts. The sources give no delays; within ten seconds a restart is over."""

_BACKOFF = "APP_WEBHOOK_BACKOFF_S"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """What a worker needs to know.

    Attributes:
        database_url: ``APP_DATABASE_URL``: a login that acts as ``app_worker``.
        keys: ``WEBHOOK_SECRET`` and ``APP_OUTBOUND_PROXY``.
        parallel: ``APP_WEBHOOK_PARALLEL``: deliveries at a time.
        backoff_s: ``APP_WEBHOOK_BACKOFF_S``: before the second attempt, the third ...
        timeout_s: ``APP_WEBHOOK_TIMEOUT_S``: for one attempt.
    """

    database_url: str = field(repr=False)
    keys: Keys
    parallel: int = PARALLEL
    backoff_s: tuple[float, ...] = BACKOFF_S
    timeout_s: float = TIMEOUT_S

    @property
    def lease_s(self) -> float:
        """An attempt is over long before, so nobody takes a delivery from a worker that lives."""
        return 3 * self.timeout_s


def read_webhook_settings(environment: Mapping[str, str]) -> WebhookSettings:
    """Read the settings of a process.

    Raises:
        SettingsError: Something is missing or wrong; the message names every such variable.
    """
    reader = Reader(environment)
    database_url = reader.required("APP_DATABASE_URL", "postgresql://app_worker@host/database")
    reader.required(SECRET_VARIABLE, "32 random bytes or more")
    settings = WebhookSettings(
        database_url=database_url,
        keys=read_keys(environment, reader.problems),
        parallel=reader.whole("APP_WEBHOOK_PARALLEL", default=PARALLEL, low=1, high=100),
        backoff_s=read_backoff(environment, reader.problems),
        timeout_s=float(
            reader.whole("APP_WEBHOOK_TIMEOUT_S", default=int(TIMEOUT_S), low=1, high=600)
        ),
    )
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


def read_backoff(environment: Mapping[str, str], problems: list[str]) -> tuple[float, ...]:
    """Read ``APP_WEBHOOK_BACKOFF_S``, adding to ``problems`` what is wrong with it."""
    text = environment.get(_BACKOFF, "")
    if not text:
        return BACKOFF_S
    try:
        delays = tuple(float(part) for part in text.split(","))
    except ValueError:
        delays = (-1.0,)
    if not all(0 <= delay <= 86_400 for delay in delays):
        problems.append(f"{_BACKOFF} is {text!r}; it must be like 2,8: seconds before each retry")
        return BACKOFF_S
    return delays
