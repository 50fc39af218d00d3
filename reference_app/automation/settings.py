"""Settings of the automation, from environment variables only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reference_app.payments.account import Account, read_account
from reference_app.settings import Reader, SettingsError

GRACE_DAYS = 7
"""B-41 gives no length; a week has five working days to pay in."""

CHUNK = 50
"""B-43, T-21: 500 groups are 10 chunks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AutomationSettings:
    """What the automation needs to know.

    Attributes:
        database_url: ``APP_DATABASE_URL``: a login that acts as ``app_worker``.
        grace_days: ``APP_GRACE_DAYS``: after the end of a period, before the suspension.
        payments: ``APP_PAYMENT_URL`` and ``PAYMENT_SECRET``; None when every group pays by invoice.
        chunk: ``APP_AUTOMATION_CHUNK``: groups that are looked at in one go.
    """

    database_url: str = field(repr=False)
    payments: Account | None = None
    grace_days: int = GRACE_DAYS
    chunk: int = CHUNK


def read_automation_settings(environment: Mapping[str, str]) -> AutomationSettings:
    """Read the settings of a process.

    Raises:
        SettingsError: Something is missing or wrong; the message names every such variable.
    """
    reader = Reader(environment)
    settings = AutomationSettings(
        database_url=reader.required("APP_DATABASE_URL", "postgresql://app_worker@host/database"),
        payments=read_account(environment, reader.problems),
        grace_days=reader.whole("APP_GRACE_DAYS", default=GRACE_DAYS, low=0, high=365),
        chunk=reader.whole("APP_AUTOMATION_CHUNK", default=CHUNK, low=1, high=1000),
    )
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings
