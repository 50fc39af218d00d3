"""Payments over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from reference_app.identity.admission import only
from reference_app.pages import After, Page, PageNumber
from reference_app.payments.queries import METHOD, METHODS, PAYMENTS, add_method
from reference_app.payments.till import Till
from reference_app.payments.values import NewPaymentMethod, Payment, PaymentMethod
from reference_app.session import Session


class PaymentMethodsController(Controller):
    """Cards of the signed-in administrator's group; without one it pays by invoice."""

    path = METHODS.path
    tags = ("payments",)
    opt = only("group_admin")

    @get("/", summary="List cards")
    async def list(
        self, session: NamedDependency[Session], page: PageNumber = None, after: After = None
    ) -> Page[PaymentMethod]:
        """Newest first."""
        return await METHODS.page(session, page=page, after=after)

    @post("/", summary="Add a card")
    async def add(
        self,
        data: JSONBody[NewPaymentMethod],
        session: NamedDependency[Session],
        till: NamedDependency[Till],
    ) -> Response[PaymentMethod]:
        """It is the one that is charged from now on; 409 where groups pay by invoice."""
        added = await add_method(session, till.provider.name, data.token, data.label)
        return Response(added, status_code=HTTPStatus.CREATED)

    @delete("/{method_id:uuid}", summary="Remove a card")
    async def remove(self, method_id: FromPath[UUID], session: NamedDependency[Session]) -> None:
        """The newest of those that are left is charged then."""
        await METHOD.delete(session, method_id)


class PaymentsController(Controller):
    """Payments of the signed-in administrator's group."""

    path = PAYMENTS.path
    tags = ("payments",)
    opt = only("group_admin")

    @get("/", summary="List payments")
    async def list(
        self, session: NamedDependency[Session], page: PageNumber = None, after: After = None
    ) -> Page[Payment]:
        """Newest first."""
        return await PAYMENTS.page(session, page=page, after=after)

    @post("/", summary="Pay the next period now", status_code=HTTPStatus.OK)
    async def pay(self, session: NamedDependency[Session], till: NamedDependency[Till]) -> Payment:
        """Charges once, however often it is asked; what is declined is tried anew tomorrow."""
        return await till.pay(session, datetime.now(UTC).date())


class CallbacksController(Controller):
    """What providers tell by themselves. Public: what counts is their signature."""

    path = "/api/payments/callbacks"
    tags = ("payments",)
    opt = {"public": True}  # noqa: RUF012 - Litestar's own attribute

    @post("/{provider:str}", summary="A provider's message", status_code=HTTPStatus.NO_CONTENT)
    async def take(
        self,
        provider: FromPath[str],
        request: Request[Any, Any, Any],
        till: NamedDependency[Till],
    ) -> None:
        """401 for what the provider has not signed, or not now; told twice, it changes nothing."""
        await till.take_callback(provider, request.headers, await request.body())
