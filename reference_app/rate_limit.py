"""No more than so many requests a minute from one owner (B-146, X-59).

An exact sliding window: in no sixty seconds, wherever they begin, does an owner get more than the
limit. It keeps the times of the requests it let through, which a limit of 100 can afford; what it
refuses is not counted, so who keeps asking is served again as soon as there is room.

With Redis one window for all processes, on Redis's clock. Without, or while it is away, each
process has its own, and each allows the whole limit (decision 0044 says why not a share of it).

Headers: draft-ietf-httpapi-ratelimit-headers-10 (RateLimit-Policy, RateLimit), RFC 9110 section
10.2.3 (Retry-After).
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from http import HTTPStatus
from uuid import UUID

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from reference_app.identity.principal import Principal
from reference_app.problems import Problem
from reference_app.remote import Remote, RemoteAwayError

WINDOW_S = 60

USERS_MAX = 10_000
"""Owners a process keeps windows of. Beyond, the one who has been away longest starts anew."""

_STATE = "rate_limit"
"""Where what is left waits for the headers of the answer."""

_SCRIPT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]) * 1000000
local oldest = redis.call('LINDEX', KEYS[1], -1)
while oldest and now - oldest >= window do
    redis.call('RPOP', KEYS[1])
    oldest = redis.call('LINDEX', KEYS[1], -1)
end
local used = redis.call('LLEN', KEYS[1])
local allowed = 0
if used < limit then
    allowed = 1
    used = used + 1
    redis.call('LPUSH', KEYS[1], now)
    redis.call('PEXPIRE', KEYS[1], ARGV[2] * 1000)
    oldest = oldest or now
end
return {allowed, limit - used, oldest + window - now}
"""


class Allowance(msgspec.Struct, frozen=True):
    """What an owner may still do.

    Attributes:
        allowed: Whether this request may go on.
        remaining: Requests left now.
        reset_s: Until one more is free again, in seconds.
    """

    allowed: bool
    remaining: int
    reset_s: float


class LocalWindows:
    """Windows of this process, bounded.

    Args:
        limit: Requests in a window.
        clock: Seconds that only go forward.
        users_max: Windows kept.
    """

    def __init__(
        self,
        limit: int,
        clock: Callable[[], float] = time.monotonic,
        users_max: int = USERS_MAX,
    ) -> None:
        self._limit = limit
        self._clock = clock
        self._users_max = users_max
        self._windows: OrderedDict[UUID, deque[float]] = OrderedDict()

    def take(self, user: UUID) -> Allowance:
        """Count one request of ``user`` if it is within the limit."""
        now = self._clock()
        window = self._windows.setdefault(user, deque())
        self._windows.move_to_end(user)
        while window and now - window[0] >= WINDOW_S:
            window.popleft()
        allowed = len(window) < self._limit
        if allowed:
            window.append(now)
        while len(self._windows) > self._users_max:
            self._windows.popitem(last=False)
        return Allowance(allowed, self._limit - len(window), window[0] + WINDOW_S - now)

    def __len__(self) -> int:
        return len(self._windows)


class RateLimit:
    """The limit of one deployment.

    Args:
        limit: Requests a minute and owner, at least 1.
        remote: Where all processes count together; None counts here.
    """

    def __init__(self, limit: int, remote: Remote | None = None) -> None:
        self.limit = limit
        self._remote = remote
        self._local = LocalWindows(limit)

    async def take(self, user: UUID) -> Allowance:
        """Count one request of ``user`` if it is within the limit."""
        remote = self._remote
        if remote is not None:
            try:
                allowed, remaining, reset_us = await remote.run_script(
                    _SCRIPT, f"rate:{user}", self.limit, WINDOW_S
                )
                return Allowance(bool(allowed), remaining, reset_us / 1_000_000)
            except RemoteAwayError:
                pass  # counted and logged there; the limit goes on here
        return self._local.take(user)

    async def admit(self, scope: Scope, principal: Principal) -> None:
        """Count a request, and note for its answer what is left.

        Raises:
            Problem: 429; there is no room for it.
        """
        # The stated number is for owners; others have none (decision 0044).
        if principal.role != "owner":
            return
        allowance = await self.take(principal.user_id)
        scope["state"][_STATE] = self._headers(allowance)
        if not allowance.allowed:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too-many-requests",
                f"more than {self.limit} requests in {WINDOW_S} seconds",
                headers={"Retry-After": str(_seconds(allowance.reset_s))},
            )

    def _headers(self, allowance: Allowance) -> list[tuple[bytes, bytes]]:
        return [
            (b"ratelimit-policy", f'"user";q={self.limit};w={WINDOW_S}'.encode()),
            (
                b"ratelimit",
                f'"user";r={allowance.remaining};t={_seconds(allowance.reset_s)}'.encode(),
            ),
        ]


def announced(application: ASGIApp) -> ASGIApp:
    """Wrap ``application``: answers to whom the limit is for say how much of it is left."""

    async def announce(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_announced(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = scope["state"].get(_STATE)
                if headers is not None:
                    message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        await application(
            scope, receive, send_announced if scope["type"] == ScopeType.HTTP else send
        )

    return announce


def _seconds(reset_s: float) -> int:
    """Whole seconds, at least one: who comes back after them is served."""
    return max(1, math.ceil(reset_s))
