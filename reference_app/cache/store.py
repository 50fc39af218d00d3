"""Where answers are kept: one small protocol, and what is kept under a key."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

import msgspec


class StoreError(Exception):
    """The store cannot answer now; callers go on without it (B-149)."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """An answer as it was sent, and what it was made from.

    Attributes:
        version: Of its owner's rows; see ``reference_app.cache.versions``.
        made_at_s: When, in seconds since the epoch.
        load_s: How long that took.
        etag: Tag of the body.
        body: The bytes: page and total together (B-151, B-218).
    """

    version: UUID
    made_at_s: float
    load_s: float
    etag: str
    body: bytes


class Store(Protocol):
    """Keeps entries for a while, or less."""

    async def get(self, key: str) -> Entry | None:
        """The entry of ``key``, of whatever version.

        Raises:
            StoreError: It could not be asked.
        """

    async def put(self, key: str, entry: Entry, lifetime_s: int) -> None:
        """Keep ``entry`` for ``lifetime_s`` at most, in the place of the one before.

        Raises:
            StoreError: It could not be kept.
        """
