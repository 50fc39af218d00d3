"""Every order in which readers, writers and the store may take turns.

The real cache runs; the database and the time are a model. Each thing a reader does outside its
own process (read the version, ask the store, read the rows, put into the store) waits until
Hypothesis lets it go on, so a reader can load old rows and keep them long after a write. The
promise: a read that begins after a write was acknowledged shows that write, or a later one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from reference_app.cache.families import RESERVATIONS
from reference_app.cache.memory import MemoryStore
from reference_app.cache.pages import PageCache
from reference_app.cache.store import Entry, StoreError
from reference_app.cache.versions import VersionReader
from reference_app.metrics import CacheCounters

OWNERS = (UUID(int=1), UUID(int=2))
SETTLING_TURNS = 12
"""Turns of the event loop until everybody who can go on waits for the next gate."""


@dataclass
class Rows:
    """The rows of one owner, as the number of writes they have seen."""

    writes: int = 0
    version: UUID = field(default_factory=uuid4)

    def write(self) -> None:
        """Commit: rows and version change together."""
        self.writes += 1
        self.version = uuid4()


class World:
    """Some processes, one store each or one for all, and a list of who waits at a gate."""

    def __init__(self, *, processes: int, shared: bool) -> None:
        self.rows = {owner: Rows() for owner in OWNERS}
        self.gates: list[asyncio.Future[bool]] = []
        common = MemoryStore(1_000_000, clock=lambda: 0.0)
        self.caches = [
            PageCache(
                Gated(self, common if shared else MemoryStore(1_000_000, clock=lambda: 0.0)),
                VersionReader(self.read_versions),
                CacheCounters(CollectorRegistry()),
                clock=lambda: 0.0,
                chance=lambda: 0.0,
            )
            for _ in range(processes)
        ]
        self.shown: list[tuple[int, int]] = []

    async def gate(self) -> bool:
        """Wait to be let on; False when what follows is to fail."""
        opened: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.gates.append(opened)
        return await opened

    async def read_versions(self, owners: Sequence[UUID]) -> dict[UUID, UUID]:
        await self.gate()
        found = {owner: self.rows[owner].version for owner in owners}
        await self.gate()  # the way back takes time as well
        return found

    async def read(self, process: int, owner: UUID) -> None:
        acknowledged = self.rows[owner].writes

        async def load() -> int:
            await self.gate()
            writes = self.rows[owner].writes
            await self.gate()
            return writes

        key = RESERVATIONS.key(owner, "page", 1)
        found, _ = await self.caches[process].find(RESERVATIONS, owner, key, load)
        self.shown.append((msgspec.json.decode(found.body), acknowledged))


class Gated:
    """A store at the other end of a slow line, which sometimes breaks."""

    def __init__(self, world: World, store: MemoryStore) -> None:
        self._world = world
        self._store = store

    async def get(self, key: str) -> Entry | None:
        if not await self._world.gate():
            raise StoreError("away")
        entry = await self._store.get(key)
        await self._world.gate()
        return entry

    async def put(self, key: str, entry: Entry, lifetime_s: int) -> None:
        if not await self._world.gate():
            raise StoreError("away")
        await self._store.put(key, entry, lifetime_s)
        await self._world.gate()


async def play(world: World, data: st.DataObject, moves: int) -> None:
    """Let one thing happen after the other, as drawn; then let everybody finish."""
    tasks: list[asyncio.Task[None]] = []

    def start(work: Coroutine[Any, Any, None]) -> None:
        tasks.append(asyncio.create_task(work))

    for _ in range(moves):
        choices = ["read", "write", *(["go", "go", "go", "fail"] if world.gates else [])]
        choice = data.draw(st.sampled_from(choices))
        if choice == "read":
            process = data.draw(st.integers(0, len(world.caches) - 1))
            start(world.read(process, data.draw(st.sampled_from(OWNERS))))
        elif choice == "write":
            world.rows[data.draw(st.sampled_from(OWNERS))].write()
        else:
            place = data.draw(st.integers(0, len(world.gates) - 1))
            world.gates.pop(place).set_result(choice == "go")
        await settle()
    while world.gates:
        world.gates.pop().set_result(True)
        await settle()
    await asyncio.gather(*tasks)


async def settle() -> None:
    for _ in range(SETTLING_TURNS):
        await asyncio.sleep(0)


@pytest.mark.covers("B-150", "B-151", "X-69")
@given(
    data=st.data(),
    processes=st.integers(1, 3),
    shared=st.booleans(),
    moves=st.integers(5, 60),
)
def test_a_read_that_begins_after_a_write_shows_it_in_every_interleaving(
    data: st.DataObject, processes: int, shared: bool, moves: int
) -> None:
    async def run() -> list[tuple[int, int]]:
        world = World(processes=processes, shared=shared)
        await play(world, data, moves)
        return world.shown

    for shown, acknowledged in asyncio.run(run()):
        assert shown >= acknowledged


def test_the_way_readers_take_has_gates_and_a_second_reader_can_hit() -> None:
    """The test above would also pass if nothing were ever kept."""

    async def run() -> tuple[list[tuple[int, int]], int]:
        world = World(processes=1, shared=True)
        steps = []
        for _ in range(2):
            reading = asyncio.create_task(world.read(0, OWNERS[0]))
            count = 0
            while not reading.done():
                await settle()
                while world.gates:
                    world.gates.pop().set_result(True)
                    count += 1
            steps.append(count)
        return world.shown, steps[0] - steps[1]

    shown, saved = asyncio.run(run())
    assert shown == [(0, 0), (0, 0)]
    assert saved == 4  # two for the rows, two for putting
