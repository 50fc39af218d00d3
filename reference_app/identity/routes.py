"""Sign in, and see who is signed in (B-52, B-212, B-213)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta

from reference_app.identity.principal import Role
from reference_app.identity.queries import Account, find_account
from reference_app.identity.sign_in import SignIn
from reference_app.problems import Problem
from reference_app.session import Session


class SignInRequest(msgspec.Struct, frozen=True):
    """Address and password."""

    email: Annotated[str, Meta(min_length=1, max_length=320)]
    password: Annotated[str, Meta(min_length=1, max_length=1000)]


class SignedInUser(msgspec.Struct, frozen=True):
    """The account a token is for."""

    id: UUID
    email: str
    role: Role
    tenant_id: UUID | None


class AccessToken(msgspec.Struct, frozen=True):
    """A token and how long it is good for, in seconds."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    user: SignedInUser


class IdentityController(Controller):
    """Accounts and sign-in."""

    path = "/api"
    tags = ("identity",)

    @post("/auth", summary="Sign in", status_code=HTTPStatus.OK, opt={"public": True})
    async def sign_in(
        self, data: JSONBody[SignInRequest], sign_in: NamedDependency[SignIn]
    ) -> AccessToken:
        """Give a token for an address and a password.

        An unknown address and a wrong password get the same answer after the same work.
        Signing out is forgetting the token: the server keeps no sessions.
        """
        known = await sign_in.check(data.email, data.password)
        if known is None:
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                "wrong-credentials",
                "address and password do not belong together",
                headers={"WWW-Authenticate": "Bearer"},
            )
        principal, account = known
        return AccessToken(
            sign_in.tokens.issue(principal),
            "Bearer",
            sign_in.tokens.ttl_s,
            SignedInUser(account.id, account.email, account.role, principal.tenant_id),
        )

    @get("/session", summary="Who is signed in")
    async def session(self, session: NamedDependency[Session]) -> Account:
        """The account behind the token."""
        account = await find_account(session)
        if account is None:
            raise Problem(HTTPStatus.UNAUTHORIZED, "account-gone", "this account does not exist")
        return account
