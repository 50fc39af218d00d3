"""The version of an owner's rows: what says whether a kept answer is still true.

PostgreSQL gives the owner a new version in the transaction that changes one of its rows
(``schema/owner_versions``), so rows and version change together, whoever writes. An answer is
kept with the version that was read *before* its rows; it is true for as long as the owner has
that version. Whoever asks after a write was acknowledged reads the new version, and no answer of
an older one can be taken for true, however late it was put into the store (decision 0043).

A version is read for each answer, so the reading is made cheap: one statement at a time in each
process, for everybody who asked while the one before was under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

import psycopg

from reference_app.database import Database

Versions = Mapping[UUID, UUID]
Read = Callable[[Sequence[UUID]], Awaitable[Versions]]


def reading(database: Database, *, timeout_s: float) -> Read:
    """Read versions from ``database``.

    Args:
        database: The primary, or a replica.
        timeout_s: Longest wait. Everybody's versions come through one statement at a time, so a
            connection that died without a word must not keep them all.
    """

    async def read(owners: Sequence[UUID]) -> Versions:
        try:
            async with asyncio.timeout(timeout_s):
                return dict(
                    await database.rows(
                        None,
                        """/* owner_versions */
                        SELECT asked.owner, coalesce(v.version, nobody.version)
                        FROM unnest(%(owners)s::uuid[]) AS asked(owner)
                        JOIN owner_versions nobody
                             ON nobody.owner = '00000000-0000-0000-0000-000000000000'
                        LEFT JOIN owner_versions v ON v.owner = asked.owner""",
                        {"owners": list(owners)},
                        lambda owner, version: (owner, version),
                    )
                )
        except TimeoutError as error:
            raise psycopg.OperationalError(f"no version within {timeout_s:g} s") from error

    return read


class _Batch:
    """Owners whose versions the next statement reads."""

    __slots__ = ("owners", "reading")

    def __init__(self) -> None:
        self.owners: set[UUID] = set()
        self.reading: asyncio.Task[Versions] | None = None


class VersionReader:
    """Reads versions, many with one statement.

    Args:
        read: Reads those of several owners.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._turn = asyncio.Lock()
        self._next: _Batch | None = None

    async def version_of(self, owner: UUID) -> UUID:
        """The version of ``owner`` at some moment between call and return.

        Raises:
            psycopg.Error: It could not be read.
        """
        batch = self._next
        if batch is None:
            batch = self._next = _Batch()
            batch.reading = asyncio.create_task(self._read_in_turn(batch))
            batch.reading.add_done_callback(_look_at)
        batch.owners.add(owner)
        assert batch.reading is not None
        # Shielded: one client that goes away must not take the others' answers along.
        return (await asyncio.shield(batch.reading))[owner]

    async def _read_in_turn(self, batch: _Batch) -> Versions:
        async with self._turn:
            # Whoever asks from here on may have been told of a write this statement cannot see.
            self._next = None
            return await self._read(tuple(batch.owners))


def _look_at(read: asyncio.Task[Versions]) -> None:
    """Everybody who waited may be gone; a failure is theirs, not the event loop's."""
    if not read.cancelled():
        read.exception()
