"""Asking a group for the price of its next period."""

from __future__ import annotations

from typing import Any, Protocol
from uuid import UUID

import psycopg

from reference_app.automation.rules import Charged


class Charge(Protocol):
    """Charges a period once, however often it is called; called outside of any transaction."""

    async def __call__(
        self, connection: psycopg.AsyncConnection[Any], subscription_id: UUID, period: int, /
    ) -> Charged:
        """What has become of the charge by now.

        ``nothing_due`` when the period costs nothing or the group pays by invoice.
        """
        ...


async def by_invoice(
    _connection: psycopg.AsyncConnection[Any], _subscription_id: UUID, _period: int, /
) -> Charged:
    """Every group pays by invoice: nothing stands in the way of its renewal."""
    return "nothing_due"
