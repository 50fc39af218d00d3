"""Access tokens: JWT, HS256. Nothing is kept on the server, so signing out is forgetting one."""

from __future__ import annotations

import time
from uuid import UUID

import jwt
import msgspec

from reference_app.identity.principal import Principal, Role

ALGORITHM = "HS256"


class InvalidTokenError(Exception):
    """Forged, damaged, expired or not ours."""


class _Claims(msgspec.Struct, frozen=True):
    sub: UUID
    role: Role
    tenant: UUID | None


class Tokens:
    """Makes and reads tokens with one key.

    Args:
        secret: Key, 32 bytes or more.
        ttl_s: Life of a token in seconds.
    """

    def __init__(self, secret: str, ttl_s: int) -> None:
        self._secret = secret
        self.ttl_s = ttl_s

    def issue(self, principal: Principal) -> str:
        """Make a token that is valid from now on for ``ttl_s`` seconds."""
        now = int(time.time())
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
        try:
            decoded = jwt.decode(
                token, self._secret, algorithms=[ALGORITHM], options={"require": ["exp", "sub"]}
            )
            claims = msgspec.convert(decoded, _Claims)
        except (jwt.InvalidTokenError, msgspec.ValidationError) as error:
            raise InvalidTokenError(str(error)) from error
        return Principal(claims.sub, claims.role, claims.tenant)
