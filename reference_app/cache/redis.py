"""Answers kept in Redis, for all processes together."""

from __future__ import annotations

import msgspec

from reference_app.cache.store import Entry, StoreError
from reference_app.remote import Remote, RemoteAwayError

LAYOUT = "page:1:"
"""Before every key; the number changes with the layout of :class:`Entry`."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Entry)


class RedisStore:
    """A store all processes share.

    Args:
        remote: The Redis.
    """

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._prefix = remote.prefix + LAYOUT

    async def get(self, key: str) -> Entry | None:
        """See :class:`reference_app.cache.store.Store`."""
        try:
            found = await self._remote.ask("GET", self._prefix + key)
            return _DECODER.decode(found) if isinstance(found, bytes) else None
        except (RemoteAwayError, msgspec.DecodeError) as error:
            raise StoreError(str(error)) from error

    async def put(self, key: str, entry: Entry, lifetime_s: int) -> None:
        """See :class:`reference_app.cache.store.Store`."""
        value = _ENCODER.encode(entry)
        try:
            await self._remote.ask("SET", self._prefix + key, value, "EX", lifetime_s)
        except RemoteAwayError as error:
            raise StoreError(str(error)) from error
