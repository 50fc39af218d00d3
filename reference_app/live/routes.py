"""Live changes of a group's plan: over a socket, or by asking now and then (B-23, B-29)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
import psycopg
from litestar import Controller, Request, WebSocket, get, websocket
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from reference_app.identity.admission import only
from reference_app.identity.principal import Principal
from reference_app.live.events import AUDIENCE, Told, told
from reference_app.live.live import Live
from reference_app.live.sending import TOO_OLD, TRY_LATER, end, send_to
from reference_app.problems import Problem

PROTOCOL = "palier.v1"
"""The subprotocol of the messages."""

POLL_AFTER_S = 5
"""How often who cannot keep a socket open should ask: half of it is the mean delay."""

Since = Annotated[int | None, QueryParameter(ge=0, le=2**63 - 1)]

logger = logging.getLogger("reference_app.live")


class Events(msgspec.Struct, frozen=True):
    """What came after the number that was named.

    Attributes:
        events: In order.
        last: The number to name next time.
        poll_after_s: When that should be.
    """

    events: Sequence[Told]
    last: int
    poll_after_s: int


class LiveController(Controller):
    """What happens to the signed-in administrator's plan."""

    path = "/api/live"
    tags = ("plans",)
    opt = only(*AUDIENCE)

    @get("/events", summary="What happened to the plan since an event")
    async def events(
        self,
        request: Request[Principal, str, Any],
        live: NamedDependency[Live],
        since: Since = None,
    ) -> Events:
        """The same events as over the socket; without ``since`` only the number to begin with."""
        standing = await live.standing(request.user, since)
        return Events([told(event) for event in standing.missed], standing.last, POLL_AFTER_S)

    @websocket("/")
    async def listen(
        self,
        socket: WebSocket[Principal, str, Any],
        live: NamedDependency[Live],
        since: Since = None,
    ) -> None:
        """First where the group stands, then each event as it is committed."""
        await socket.accept(PROTOCOL if PROTOCOL in socket.scope["subprotocols"] else None)
        with live.hub.listening(_tenant(socket.user)) as listener:
            try:
                await live.begin()
                standing = await live.standing(socket.user, since)
            except Problem as problem:
                await end(socket, TOO_OLD, f"{problem.slug}: {problem.detail}")
                return
            except psycopg.OperationalError as error:
                logger.warning("no socket: %s: %s", type(error).__name__, error)
                await end(socket, TRY_LATER, "the database cannot answer at the moment")
                return
            listener.begin(
                since=since,
                last=standing.last,
                plan_id=standing.plan_id,
                missed=standing.missed,
            )
            await send_to(socket, listener, live.hub, live.admits(socket.auth))


def _tenant(who: Principal) -> UUID:
    if who.tenant_id is None:
        raise AssertionError("every administrator of a group has one")
    return who.tenant_id
