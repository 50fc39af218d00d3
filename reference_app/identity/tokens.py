"""Access tokens: JWT, HS256. Nothing is kept on the server, so signing out is forgetting one."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

import jwt
import msgspec

from reference_app.identity.principal import Principal, Role

ALGORITHM = "HS256"

REMEMBERED_MAX = 10_000
"""Tokens a process knows to be genuine: some megabytes, and more people than it serves at once."""


class InvalidTokenError(Exception):
    """Forged, damaged, expired or not ours."""


class _Claims(msgspec.Struct, frozen=True):
    sub: UUID
    role: Role
    tenant: UUID | None
    exp: float


class Tokens:
    """Makes and reads tokens with one key.

    Args:
        secret: Key, 32 bytes or more.
        ttl_s: Life of a token in seconds.
        now: Seconds since the epoch.
    """

    def __init__(self, secret: str, ttl_s: int, now: Callable[[], float] = time.time) -> None:
        self._secret = secret
        self.ttl_s = ttl_s
        self._now = now
        # The signature of a token does not change, so it is checked once; its end is looked at
        # every time. Oldest first.
        self._genuine: dict[str, tuple[Principal, float]] = {}

    def issue(self, principal: Principal) -> str:
        """Make a token that is valid from now on for ``ttl_s`` seconds."""
        now = int(self._now())
        claims = {
            "sub": str(principal.user_id),
            "role": principal.role,
            "tenant": None if principal.tenant_id is None else str(principal.tenant_id),
            "iat": now,
            "exp": now + self.ttl_s,
        }
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def read(self, token: str) -> Principal:
        """Check a token and say whose it is.

        Raises:
            InvalidTokenError: It proves nothing.
        """
        known = self._genuine.get(token)
        if known is None:
            known = self._decode(token)
            if len(self._genuine) >= REMEMBERED_MAX:
                del self._genuine[next(iter(self._genuine))]
            self._genuine[token] = known
        principal, ends_at = known
        if ends_at <= self._now():
            self._genuine.pop(token, None)
            raise InvalidTokenError("Signature has expired")
        return principal

    def _decode(self, token: str) -> tuple[Principal, float]:
        """Whose a token is, and when it ends in seconds since the epoch."""
        try:
            decoded = jwt.decode(
                token, self._secret, algorithms=[ALGORITHM], options={"require": ["exp", "sub"]}
            )
            claims = msgspec.convert(decoded, _Claims)
        except (jwt.InvalidTokenError, msgspec.ValidationError) as error:
            raise InvalidTokenError(str(error)) from error
        return Principal(claims.sub, claims.role, claims.tenant), claims.exp
