"""Where a group pays by itself, and where the provider's messages come in."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date
from http import HTTPStatus

from reference_app.database import Database
from reference_app.payments.provider import (
    CallbackRefusedError,
    Order,
    Provider,
    ProviderError,
)
from reference_app.payments.queries import begin_own_payment, find_payment, settle
from reference_app.payments.values import Payment
from reference_app.problems import Problem, not_found
from reference_app.session import Session

logger = logging.getLogger("reference_app.payments")


class Till:
    """Payments of one deployment.

    Args:
        database: What providers say is written there.
        provider: None when every group pays by invoice.
    """

    def __init__(self, database: Database, provider: Provider | None) -> None:
        self._database = database
        self._provider = provider

    @property
    def provider(self) -> Provider:
        """The deployment's provider.

        Raises:
            Problem: 409; it has none.
        """
        if self._provider is None:
            raise Problem(
                HTTPStatus.CONFLICT, "payments-off", "groups of this deployment pay by invoice"
            )
        return self._provider

    async def close(self) -> None:
        """Close the connections that are kept."""
        if self._provider is not None:
            await self._provider.close()

    async def pay(self, session: Session, today: date) -> Payment:
        """Charge the signed-in group for its next period, once however often it is asked.

        A provider that gives no answer leaves the payment pending: the next one who asks gets it.

        Raises:
            Problem: Nothing is to be paid, or not yet.
        """
        provider = self.provider
        begun = await begin_own_payment(session, today, provider.name)
        if begun.outcome == "not-subscribed":
            raise not_found("subscription")
        if begun.outcome == "not-due":
            raise Problem(
                HTTPStatus.CONFLICT,
                "payment-not-due",
                "a period is paid in the last 30 days of the one before it",
            )
        if begun.outcome == "nothing_due":
            raise Problem(
                HTTPStatus.CONFLICT, "nothing-due", "the plan costs nothing, or there is no card"
            )
        if begun.outcome == "ask":
            order = Order(
                key=begun.key, token=begun.token, cents=begun.cents, currency=begun.currency
            )
            try:
                answer = await provider.charge(order)
            except ProviderError as error:
                logger.warning("a payment stays pending: %s", error)
            else:
                await settle(self._database, provider.name, begun.key, answer)
        found = await find_payment(session, provider.name, begun.key)
        if found is None:
            raise not_found("payment")
        return found

    async def take_callback(self, name: str, headers: Mapping[str, str], body: bytes) -> None:
        """Write down what a provider says by itself; telling it twice changes nothing.

        Raises:
            Problem: 404 for a provider or payment we do not know, 401 for a message that is not the
                provider's, or not of now.
        """
        if self._provider is None or self._provider.name != name:
            raise not_found("provider")
        try:
            callback = self._provider.read_callback(headers, body)
        except CallbackRefusedError as error:
            raise Problem(HTTPStatus.UNAUTHORIZED, "callback-refused", str(error)) from error
        status = await settle(self._database, name, callback.key, callback.answer, callback.id)
        if status is None:
            raise not_found("payment")
