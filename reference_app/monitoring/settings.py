"""Settings of the monitoring, from environment variables only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reference_app.settings import Reader, SettingsError
from reference_app.webhooks.keys import SECRET_BYTES_MIN, SECRET_VARIABLE
from reference_app.webhooks.settings import BACKOFF_S, read_backoff

_SWITCH = {"": True, "1": True, "true": True, "on": True, "0": False, "false": False, "off": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringSettings:
    """What the monitoring needs to know.

    Attributes:
        is_enabled: ``MONITORING_ENABLED`` (B-211); true by default.
        database_url: ``APP_DATABASE_URL``: a login that acts as ``app_worker``.
        replica_url: ``APP_REPLICA_URL``, if there is one.
        redis_url: ``APP_REDIS_URL``, if there is one.
        application_url: ``APP_MONITORED_URL``: where the application answers; None asks nobody.
        alert_url: ``APP_ALERT_WEBHOOK_URL``: who is told; None writes alerts down only.
        secret: ``WEBHOOK_SECRET``: root key of the signatures.
        pauses_s: ``APP_WEBHOOK_BACKOFF_S``: before each further attempt to tell.
    """

    is_enabled: bool = True
    database_url: str = field(repr=False)
    replica_url: str | None = field(default=None, repr=False)
    redis_url: str | None = field(default=None, repr=False)
    application_url: str | None = None
    alert_url: str | None = field(default=None, repr=False)
    secret: str = field(default="", repr=False)
    pauses_s: tuple[float, ...] = BACKOFF_S


def read_monitoring_settings(environment: Mapping[str, str]) -> MonitoringSettings:
    """Read the settings of a process.

    Raises:
        SettingsError: Something is missing or wrong; the message names every such variable.
    """
    reader = Reader(environment)
    switch = environment.get("MONITORING_ENABLED", "").lower()
    if switch not in _SWITCH:
        reader.problems.append(f"MONITORING_ENABLED is {switch!r}; it must be true or false")
    web = ("http", "https")
    alert_url = reader.address("APP_ALERT_WEBHOOK_URL", web, "https://hooks.example/alerts")
    secret = environment.get(SECRET_VARIABLE, "")
    if alert_url is not None and len(secret.encode()) < SECRET_BYTES_MIN:
        reader.problems.append(
            f"{SECRET_VARIABLE} is {len(secret.encode())} bytes long; to sign what is told it needs"
            f" at least {SECRET_BYTES_MIN}"
        )
    settings = MonitoringSettings(
        is_enabled=_SWITCH.get(switch, True),
        database_url=reader.required("APP_DATABASE_URL", "postgresql://app_worker@host/database"),
        replica_url=environment.get("APP_REPLICA_URL") or None,
        redis_url=reader.address(
            "APP_REDIS_URL", ("redis", "rediss", "unix"), "redis://host:6379/0"
        ),
        application_url=reader.address("APP_MONITORED_URL", web, "http://host:8000"),
        alert_url=alert_url,
        secret=secret,
        pauses_s=read_backoff(environment, reader.problems),
    )
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings
