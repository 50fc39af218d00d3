"""Charging a group for a period: written down, asked for, written down again.

Killed between any two of these, it asks again with the same key the next time, and the provider
gives the answer it gave.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, cast
from uuid import UUID

import psycopg

from reference_app.automation.charging import Charge
from reference_app.automation.rules import Charged
from reference_app.payments.provider import Order, Provider

_BEGIN: LiteralString = """/* begin_payment */
SELECT outcome, key, token, cents, currency
FROM begin_payment(%(subscription)s, %(period)s, %(day)s, %(provider)s)"""

_SETTLE: LiteralString = """/* settle_payment */
SELECT settle_payment(%(provider)s, %(key)s, %(status)s, %(reference)s, %(reason)s)"""


@dataclass(frozen=True, slots=True)
class Charging:
    """Charges through a provider."""

    provider: Provider

    def by(self, clock: Callable[[], datetime]) -> Charge:
        """The charge of :mod:`reference_app.automation`, with this clock's day as today.

        A card that was declined is asked once a day.
        """

        async def charge(
            connection: psycopg.AsyncConnection[Any], subscription_id: UUID, period: int, /
        ) -> Charged:
            begun = await connection.execute(
                _BEGIN,
                {
                    "subscription": subscription_id,
                    "period": period,
                    "day": clock().date(),
                    "provider": self.provider.name,
                },
            )
            ((outcome, key, token, cents, currency),) = await begun.fetchall()
            if outcome != "ask":
                return cast("Charged", outcome)
            answer = await self.provider.charge(
                Order(key=key, token=token, cents=cents, currency=currency)
            )
            settled = await connection.execute(
                _SETTLE,
                {
                    "provider": self.provider.name,
                    "key": key,
                    "status": answer.status,
                    "reference": answer.reference,
                    "reason": answer.reason,
                },
            )
            ((status,),) = await settled.fetchall()
            return cast("Charged", status)

        return charge
