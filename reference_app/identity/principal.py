"""Who makes a request."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

Role = Literal["owner", "group_admin", "super_admin", "support", "learner"]


class Principal(msgspec.Struct, frozen=True):
    """The signed-in account, as its token says.

    Attributes:
        user_id: Account.
        role: What it may do.
        tenant_id: Whose rows it works on: an owner's own id, an administrator's school group;
            None for a super administrator, for support and for a learner.
    """

    user_id: UUID
    role: Role
    tenant_id: UUID | None


class Guest(msgspec.Struct, frozen=True):
    """Somebody without an account who shows the token of a sheet (B-80).

    Attributes:
        token_sha256: SHA-256 of the token, in hex: the token itself goes no further.
    """

    token_sha256: str
