"""The parts of the cache: keys, the bounded store, one load for all, renewing before the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from reference_app.cache.families import DASHBOARD, RESERVATIONS, STATISTICS, TAX, UNITS
from reference_app.cache.memory import OVERHEAD_BYTES, MemoryStore
from reference_app.cache.pages import PageCache
from reference_app.cache.store import Entry
from reference_app.cache.versions import VersionReader
from reference_app.conditional import Representation
from reference_app.metrics import CacheCounters

OWNER = UUID(int=7)
VERSION = UUID(int=1)


def entry(body: bytes = b"", **more: float) -> Entry:
    return Entry(VERSION, more.get("made_at_s", 0.0), more.get("load_s", 0.0), '"x"', body)


# keys and lifetimes -------------------------------------------------------------------------


@pytest.mark.covers("B-147", "T-97", "T-165")
def test_lifetimes_are_the_stated_ones() -> None:
    assert (STATISTICS.lifetime_s, TAX.lifetime_s) == (3600, 3600)
    assert (RESERVATIONS.lifetime_s, UNITS.lifetime_s, DASHBOARD.lifetime_s) == (300, 1800, 3600)


@pytest.mark.covers("B-148")
def test_keys_are_the_stated_ones_and_filters_follow_in_order() -> None:
    assert RESERVATIONS.key(OWNER, "page", 2) == f"reservations:{OWNER}:page:2"
    assert STATISTICS.key(OWNER, 2026) == f"stats:{OWNER}:2026"
    assert TAX.key(OWNER, 2026) == f"fiscalite:{OWNER}:2026"
    filters = {"to": "2026-01-01", "q": "a:b&c", "from": None}
    assert RESERVATIONS.key(OWNER, "page", 1, filters=filters) == (
        f"reservations:{OWNER}:page:1:q=a%3Ab%26c&to=2026-01-01"
    )


# the store of one process -------------------------------------------------------------------


def test_what_was_used_longest_ago_goes_first() -> None:
    async def run() -> list[bool]:
        store = MemoryStore(3 * (OVERHEAD_BYTES + 101))
        for key in "abc":
            await store.put(key, entry(bytes(100)), 60)
        await store.get("a")
        await store.put("d", entry(bytes(100)), 60)
        return [await store.get(key) is not None for key in "abcd"]

    assert asyncio.run(run()) == [True, False, True, True]


def test_an_entry_ends_with_its_lifetime() -> None:
    async def run() -> list[bool]:
        times = iter([0.0, 299.9, 300.0])
        store = MemoryStore(10_000, clock=lambda: next(times))
        await store.put("a", entry(), 300)
        found = [await store.get("a") is not None for _ in range(2)]
        return [*found, store.used_bytes == 0]

    assert asyncio.run(run()) == [True, False, True]


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 1500)), max_size=40))
def test_whatever_is_put_the_store_keeps_its_bound_and_its_books(
    puts: list[tuple[str, int]],
) -> None:
    async def run() -> None:
        store = MemoryStore(4_000)
        for key, size in puts:
            await store.put(key, entry(bytes(size)), 60)
            assert store.used_bytes <= 4_000
        kept = [await store.get(key) for key in "abcde"]
        sizes = [1 + len(e.body) + OVERHEAD_BYTES for e in kept if e is not None]
        assert store.used_bytes == sum(sizes)
        assert len(store) == len(sizes)
        if puts:
            assert kept["abcde".index(puts[-1][0])] is not None

    asyncio.run(run())


def test_what_is_larger_than_the_store_is_not_kept_and_pushes_nothing_out() -> None:
    async def run() -> tuple[bool, bool]:
        store = MemoryStore(2_000)
        await store.put("small", entry(), 60)
        await store.put("large", entry(bytes(5_000)), 60)
        return await store.get("small") is not None, await store.get("large") is None

    assert asyncio.run(run()) == (True, True)


# one load for all ---------------------------------------------------------------------------


class Desk:
    """A cache over one fixed version, and a loader that counts and waits to be let go."""

    def __init__(self, *, now: float = 0.0, chance: float = 0.0) -> None:
        self.loads = 0
        self.version_reads: list[int] = []
        self.may_end = asyncio.Event()
        self.now = now
        self.chance = chance
        self.store = MemoryStore(100_000, clock=lambda: 0.0)
        self.registry = CollectorRegistry()
        self.cache = PageCache(
            self.store,
            VersionReader(self._versions),
            CacheCounters(self.registry),
            clock=lambda: self.now,
            chance=lambda: self.chance,
        )

    async def _versions(self, owners: Sequence[UUID]) -> dict[UUID, UUID]:
        self.version_reads.append(len(owners))
        return dict.fromkeys(owners, VERSION)

    async def load(self) -> int:
        self.loads += 1
        number = self.loads
        await self.may_end.wait()
        return number

    async def fail(self) -> int:
        self.loads += 1
        await self.may_end.wait()
        raise ValueError("the loader fails")

    def find(
        self, load: Callable[[], Awaitable[int]] | None = None, key: str = "k"
    ) -> asyncio.Task[tuple[Representation, bool]]:
        return asyncio.create_task(self.cache.find(RESERVATIONS, OWNER, key, load or self.load))


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_a_hundred_who_want_the_same_cost_one_load() -> None:
    async def run() -> tuple[int, set[bytes]]:
        desk = Desk()
        waiting = [desk.find() for _ in range(100)]
        await settle()
        desk.may_end.set()
        found = await asyncio.gather(*waiting)
        return desk.loads, {representation.body for representation, _ in found}

    assert asyncio.run(run()) == (1, {b"1"})


def test_one_who_goes_away_does_not_take_the_others_answers_along() -> None:
    async def run() -> tuple[int, bool]:
        desk = Desk()
        first, second = desk.find(), desk.find()
        await settle()
        first.cancel()
        await settle()
        desk.may_end.set()
        await second
        return desk.loads, first.cancelled()

    assert asyncio.run(run()) == (1, True)


def test_a_failing_load_blocks_nobody_and_the_next_one_begins_anew() -> None:
    async def run() -> tuple[list[str], int, bytes]:
        desk = Desk()
        failing = [desk.find(desk.fail) for _ in range(3)]
        other = desk.find(key="another")
        await settle()
        desk.may_end.set()
        await other
        told = [str(error) for error in await asyncio.gather(*failing, return_exceptions=True)]
        again, _ = await desk.find()
        return told, desk.loads, again.body

    assert asyncio.run(run()) == (["the loader fails"] * 3, 3, b"3")


def test_closing_waits_for_the_loads_under_way() -> None:
    async def run() -> tuple[bool, bool]:
        desk = Desk()
        asked = desk.find()
        await settle()
        asked.cancel()
        closing = asyncio.create_task(desk.cache.close())
        await settle()
        waits = not closing.done()
        desk.may_end.set()
        await closing
        return waits, await desk.store.get("k") is not None

    assert asyncio.run(run()) == (True, True)


def test_who_asks_while_a_version_is_read_is_served_by_the_next_statement_together() -> None:
    async def run() -> list[int]:
        sizes: list[int] = []
        may_end = asyncio.Event()

        async def read(owners: Sequence[UUID]) -> dict[UUID, UUID]:
            sizes.append(len(owners))
            await may_end.wait()
            return dict.fromkeys(owners, VERSION)

        reader = VersionReader(read)
        waiting = [asyncio.create_task(reader.version_of(OWNER))]
        await settle()
        waiting += [asyncio.create_task(reader.version_of(uuid4())) for _ in range(40)]
        waiting += [asyncio.create_task(reader.version_of(OWNER)) for _ in range(40)]
        await settle()
        may_end.set()
        await asyncio.gather(*waiting)
        return sizes

    assert asyncio.run(run()) == [1, 41]


def test_a_version_that_cannot_be_read_fails_for_those_who_asked_and_no_longer() -> None:
    async def run() -> tuple[str, UUID]:
        fails = True

        async def read(owners: Sequence[UUID]) -> dict[UUID, UUID]:
            if fails:
                raise OSError("away")
            return dict.fromkeys(owners, VERSION)

        reader = VersionReader(read)
        with pytest.raises(OSError, match="away") as told:
            await reader.version_of(OWNER)
        fails = False
        return str(told.value), await reader.version_of(OWNER)

    assert asyncio.run(run()) == ("away", VERSION)


# renewing before the end --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "load_s", "chance", "is_hit"),
    [
        (1.0, 0.05, 0.999999, True),  # fresh: no chance is high enough
        (299.9, 0.05, 0.5, True),
        (299.9, 0.05, 0.9, False),  # 0.05 * -ln(0.1) = 0.115 s before the end
        (299.99, 0.05, 0.5, False),
        (290.0, 20.0, 0.5, False),  # the longer the load, the earlier
        (299.9, 0.0, 0.999999, True),
    ],
)
def test_near_its_end_an_answer_is_renewed_by_few_rather_than_missed_by_all(
    now: float, load_s: float, chance: float, is_hit: bool
) -> None:
    async def run() -> bool:
        desk = Desk(now=now, chance=chance)
        desk.may_end.set()
        await desk.store.put("k", entry(made_at_s=0.0, load_s=load_s), 300)
        _, hit = await desk.find()
        return hit

    assert asyncio.run(run()) == is_hit


def test_of_a_crowd_near_the_end_only_some_renew() -> None:
    async def run() -> int:
        desk = Desk(now=299.0)
        desk.may_end.set()
        renewed = 0
        for place in range(1000):
            await desk.store.put("k", entry(made_at_s=0.0, load_s=0.3), 300)
            desk.chance = place / 1000
            renewed += not (await desk.find())[1]
        return renewed

    # exp(-1 s / 0.3 s) = 3.57 %
    assert asyncio.run(run()) == 35


@pytest.mark.covers("B-149")
def test_hits_and_misses_are_counted_by_family() -> None:
    async def run() -> str:
        desk = Desk()
        desk.may_end.set()
        for _ in range(3):
            await desk.find()
        return generate_latest(desk.registry).decode()

    text = asyncio.run(run())
    assert 'app_cache_hits_total{family="reservations"} 2.0' in text
    assert 'app_cache_misses_total{family="reservations"} 1.0' in text
