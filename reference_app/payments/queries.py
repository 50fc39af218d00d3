"""Cards and payments of a group."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Literal, LiteralString

import msgspec

from reference_app.database import Database
from reference_app.identity.principal import Guest
from reference_app.listing import Listing, NewestFirst
from reference_app.own_rows import OwnRows
from reference_app.payments.provider import Answer
from reference_app.payments.values import Payment, PaymentMethod
from reference_app.session import Session

METHODS = Listing(
    name="payment_methods",
    path="/api/payment-methods",
    source="payment_methods r",
    scope="r.school_group_id = %(group)s",
    columns="r.id, r.provider, r.label, r.is_default, r.created_at",
    row=PaymentMethod,
    order=NewestFirst("created_at", datetime),
)

METHOD = OwnRows(
    name="payment_method",
    table="payment_methods",
    scope="school_group_id = %(group)s",
    columns="id, provider, label, is_default, created_at",
    row=PaymentMethod,
    spoken="payment method",
)

PAYMENTS = Listing(
    name="payments",
    path="/api/payments",
    source="payments r",
    scope="r.school_group_id = %(group)s",
    columns="""r.id, r.subscription_id, r.period, r.provider, r.cents, r.currency, r.status,
       r.reason, r.created_at, r.settled_at""",
    row=Payment,
    order=NewestFirst("created_at", datetime),
)

_ADD_METHOD: LiteralString = """/* add_payment_method */
SELECT id, provider, label, is_default, created_at
FROM add_payment_method(%(id)s, %(group)s, %(provider)s, %(token)s, %(label)s)"""

_BEGIN: LiteralString = """/* begin_own_payment */
SELECT outcome, key, token, cents, currency
FROM begin_own_payment(%(group)s, %(today)s, %(provider)s)"""

_SETTLE: LiteralString = """/* settle_payment */
SELECT settle_payment(%(provider)s, %(key)s, %(status)s, %(reference)s, %(reason)s, %(callback)s)"""

_FIND: LiteralString = """/* find_payment */
SELECT id, subscription_id, period, provider, cents, currency, status, reason, created_at,
       settled_at
FROM payments
WHERE provider = %(provider)s AND idempotency_key = %(key)s AND school_group_id = %(group)s"""

PROVIDERS_VOICE = Guest("")
"""What a provider says, nobody says who signed in: it is not written as one of them."""


class Begun(msgspec.Struct, frozen=True):
    """What is to be paid, and how it stands (schema/353_payments.sql).

    Attributes:
        key: Idempotency key.
        token: The card's, with its provider.
    """

    outcome: Literal["not-subscribed", "not-due", "nothing_due", "succeeded", "declined", "ask"]
    key: str
    token: str
    cents: int
    currency: str


async def add_method(session: Session, provider: str, token: str, label: str) -> PaymentMethod:
    """A new card, which is charged from now on."""
    (added,) = await session.rows(
        _ADD_METHOD,
        {
            "id": uuid.uuid4(),
            "group": session.tenant_id,
            "provider": provider,
            "token": token,
            "label": label,
        },
        PaymentMethod,
    )
    return added


async def begin_own_payment(session: Session, today: date, provider: str) -> Begun:
    """Write down that the signed-in group's next period is to be paid."""
    (begun,) = await session.rows(
        _BEGIN, {"group": session.tenant_id, "today": today, "provider": provider}, Begun
    )
    return begun


async def find_payment(session: Session, provider: str, key: str) -> Payment | None:
    """A payment of the signed-in group, by its key."""
    return await session.first(
        _FIND, {"provider": provider, "key": key, "group": session.tenant_id}, Payment
    )


async def settle(
    database: Database, provider: str, key: str, answer: Answer, callback: str | None = None
) -> str | None:
    """Write down what a provider says; the payment's status then, None when there is none."""
    (status,) = await database.rows(
        PROVIDERS_VOICE,
        _SETTLE,
        {
            "provider": provider,
            "key": key,
            "status": answer.status,
            "reference": answer.reference,
            "reason": answer.reason,
            "callback": callback,
        },
        _status,
    )
    return status


def _status(status: str | None) -> str | None:
    return status
