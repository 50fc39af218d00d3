"""Webhooks over HTTP, for group administrators."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from reference_app.bodies import sent_fields
from reference_app.identity.admission import only
from reference_app.outbound.address import AddressRefusedError, checked_public
from reference_app.outbound.client import look_up
from reference_app.pages import After, Page, PageNumber
from reference_app.problems import FieldError, Problem, invalid, not_found
from reference_app.session import Session
from reference_app.webhooks.keys import Keys
from reference_app.webhooks.queries import (
    DELIVERIES,
    ENDPOINT,
    ENDPOINTS,
    ENDPOINTS_MAX,
    create_endpoint,
    find_delivery,
    list_attempts,
    log_test,
    redeliver,
    renew_secret,
)
from reference_app.webhooks.sender import Sender
from reference_app.webhooks.values import (
    Attempt,
    Delivery,
    Endpoint,
    EndpointChange,
    EndpointTest,
    EndpointWithSecret,
    Message,
    NewEndpoint,
    Status,
)

LOOK_UP_S = 5.0
"""A name that is not found by then is refused; the group tries again."""

TEST_EVENT = "test"


class WebhooksController(Controller):
    """Addresses of the signed-in administrator's group that are told of events."""

    path = ENDPOINTS.path
    tags = ("webhooks",)
    opt = only("group_admin")

    @get("/", summary="List webhook endpoints")
    async def list(
        self, session: NamedDependency[Session], page: PageNumber = None, after: After = None
    ) -> Page[Endpoint]:
        """Newest first."""
        return await ENDPOINTS.page(session, page=page, after=after)

    @post("/", summary="Register a webhook endpoint")
    async def create(
        self,
        data: JSONBody[NewEndpoint],
        session: NamedDependency[Session],
        webhook_keys: NamedDependency[Keys],
    ) -> Response[EndpointWithSecret]:
        """The secret is shown here and never again; 409 with too many endpoints."""
        _check_is_on(webhook_keys)
        await _check_address(data.url, webhook_keys)
        created = await create_endpoint(session, data.url, data.types)
        if created is None:
            raise Problem(
                HTTPStatus.CONFLICT,
                "too-many-endpoints",
                f"a group has at most {ENDPOINTS_MAX} webhook endpoints",
            )
        return Response(
            _with_secret(created, webhook_keys),
            status_code=HTTPStatus.CREATED,
            headers={"Location": f"{ENDPOINTS.path}/{created.id}"},
        )

    @get("/{endpoint_id:uuid}", summary="One webhook endpoint")
    async def find(
        self, endpoint_id: FromPath[UUID], session: NamedDependency[Session]
    ) -> Endpoint:
        """404 for one of somebody else."""
        return await ENDPOINT.find(session, endpoint_id)

    @patch("/{endpoint_id:uuid}", summary="Change a webhook endpoint")
    async def change(
        self,
        endpoint_id: FromPath[UUID],
        data: JSONBody[EndpointChange],
        session: NamedDependency[Session],
        webhook_keys: NamedDependency[Keys],
    ) -> Endpoint:
        """Only the fields that are sent. What is on its way to one that is off waits."""
        changes = sent_fields(data)
        if "url" in changes:
            await _check_address(changes["url"], webhook_keys)
            changes["verified_at"] = None  # that was another address
        if "types" in changes:
            changes["types"] = [*changes["types"]]
        return await ENDPOINT.change(session, endpoint_id, changes)

    @delete("/{endpoint_id:uuid}", summary="Remove a webhook endpoint")
    async def remove(self, endpoint_id: FromPath[UUID], session: NamedDependency[Session]) -> None:
        """What is on its way to it goes with it."""
        await ENDPOINT.delete(session, endpoint_id)

    @post("/{endpoint_id:uuid}/secret", summary="Replace the secret", status_code=HTTPStatus.OK)
    async def replace_secret(
        self,
        endpoint_id: FromPath[UUID],
        session: NamedDependency[Session],
        webhook_keys: NamedDependency[Keys],
    ) -> EndpointWithSecret:
        """The new one is shown here and never again; the old one signs nothing any more."""
        await ENDPOINT.find(session, endpoint_id)
        _check_is_on(webhook_keys)
        renewed = await renew_secret(session, endpoint_id)
        if renewed is None:
            raise not_found("webhook endpoint")
        return _with_secret(renewed, webhook_keys)

    @post("/{endpoint_id:uuid}/test", summary="Test an endpoint", status_code=HTTPStatus.OK)
    async def test(
        self,
        endpoint_id: FromPath[UUID],
        session: NamedDependency[Session],
        webhook_keys: NamedDependency[Keys],
        webhook_sender: NamedDependency[Sender],
    ) -> EndpointTest:
        """Sends an event of type ``test``, signed as any other, and says what came of it."""
        endpoint = await ENDPOINT.find(session, endpoint_id)
        _check_is_on(webhook_keys)
        delivery_id = uuid.uuid4()
        outcome = await webhook_sender.send(
            Message(delivery_id, TEST_EVENT, datetime.now(UTC), {}),
            url=endpoint.url,
            secret=webhook_keys.secret_of(endpoint.id, endpoint.secret_version),
            delivery_id=delivery_id,
        )
        await log_test(session, endpoint_id, outcome)
        return EndpointTest(outcome.is_taken, outcome.status, outcome.duration_ms, outcome.error)


class DeliveriesController(Controller):
    """Events on their way, and what became of them."""

    path = DELIVERIES.path
    tags = ("webhooks",)
    opt = only("group_admin")

    @get("/", summary="List deliveries")
    async def list(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        endpoint_id: FromQuery[UUID | None] = None,
        event_id: FromQuery[UUID | None] = None,
        status: FromQuery[Status | None] = None,
    ) -> Page[Delivery]:
        """Newest first."""
        filters = {"endpoint_id": endpoint_id, "event_id": event_id, "status": status}
        return await DELIVERIES.page(session, page=page, after=after, filters=filters)

    @get("/{delivery_id:uuid}", summary="One delivery")
    async def find(
        self, delivery_id: FromPath[UUID], session: NamedDependency[Session]
    ) -> Delivery:
        """404 for one of somebody else."""
        return await _delivery(session, delivery_id)

    @get("/{delivery_id:uuid}/attempts", summary="Attempts of a delivery")
    async def attempts(
        self, delivery_id: FromPath[UUID], session: NamedDependency[Session]
    ) -> Sequence[Attempt]:
        """Oldest first; at most three."""
        found = await list_attempts(session, delivery_id)
        if not found:
            await _delivery(session, delivery_id)  # not tried yet, or no such delivery
        return found

    @post(
        "/{delivery_id:uuid}/redeliver",
        summary="Deliver once more",
        status_code=HTTPStatus.ACCEPTED,
    )
    async def redeliver(
        self, delivery_id: FromPath[UUID], session: NamedDependency[Session]
    ) -> Response[Delivery]:
        """A delivery of its own, with three attempts; 409 while this one is on its way."""
        again = await redeliver(session, delivery_id)
        if again is None:
            await _delivery(session, delivery_id)
            raise Problem(
                HTTPStatus.CONFLICT, "still-on-its-way", "this delivery has not ended yet"
            )
        return Response(
            again,
            status_code=HTTPStatus.ACCEPTED,
            headers={"Location": f"{DELIVERIES.path}/{again.id}"},
        )


async def _delivery(session: Session, delivery_id: UUID) -> Delivery:
    found = await find_delivery(session, delivery_id)
    if found is None:
        raise not_found("delivery")
    return found


def _check_is_on(keys: Keys) -> None:
    if keys.root is None:
        raise Problem(
            HTTPStatus.CONFLICT, "webhooks-off", "this deployment has no secret for webhooks"
        )


async def _check_address(address: str, keys: Keys) -> None:
    """Refuse what may not be asked; looked at again with every request, for names move."""
    try:
        url = checked_public(address)
        if keys.proxy is None:
            async with asyncio.timeout(LOOK_UP_S):
                await look_up(url)
    except AddressRefusedError as error:
        raise invalid(FieldError("url", str(error))) from error
    except OSError as error:  # a TimeoutError is an OSError
        raise invalid(FieldError("url", "there is no such host")) from error


def _with_secret(endpoint: Endpoint, keys: Keys) -> EndpointWithSecret:
    return EndpointWithSecret(endpoint, keys.secret_of(endpoint.id, endpoint.secret_version))
