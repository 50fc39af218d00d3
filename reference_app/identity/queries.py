"""Accounts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from reference_app.database import Database
from reference_app.identity.principal import Role
from reference_app.session import Session


class Credentials(msgspec.Struct, frozen=True):
    """What sign-in needs to know of an account."""

    id: UUID
    email: str
    password_hash: str
    role: Role
    school_group_id: UUID | None


class Account(msgspec.Struct, frozen=True):
    """An account as its owner sees it."""

    id: UUID
    email: str
    role: Role
    school_group_id: UUID | None
    created_at: datetime


async def find_credentials(database: Database, email: str) -> Credentials | None:
    """The account of an address, whatever its case."""
    return await database.first(
        None,
        """/* find_credentials */
        SELECT id, email, password_hash, role, school_group_id
        FROM find_credentials(%(email)s)""",
        {"email": email},
        Credentials,
    )


async def find_account(session: Session) -> Account | None:
    """The signed-in account; None when it was deleted since."""
    return await session.first(
        """/* find_account */
        SELECT id, email, role, school_group_id, created_at
        FROM users WHERE id = %(user_id)s""",
        {"user_id": session.user_id},
        Account,
    )
