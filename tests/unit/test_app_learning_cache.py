"""The caches of the phases: lifetimes, sizes, who goes first, and their levels."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from prometheus_client import CollectorRegistry

from reference_app.fluide.cache import SIMPLE_LIFETIME_S, Kind, LearningCache, Mode
from reference_app.fluide.keeping import Shelf
from reference_app.fluide.study import CORRECTIONS, EXERCISES, EXPLANATIONS
from reference_app.metrics import CacheCounters
from reference_app.settings import SettingsError, read_settings

KINDS = (CORRECTIONS, EXERCISES, EXPLANATIONS)


class Clock:
    """Seconds that go on when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Asked:
    """A cache on a clock, and how often something had to be made."""

    def __init__(self, mode: Mode, kinds: tuple[Kind, ...] = KINDS) -> None:
        self.clock = Clock()
        self.made = 0
        self.cache = LearningCache(
            mode, kinds, CacheCounters(CollectorRegistry()), clock=self.clock
        )

    async def ask(self, kind: Kind, key: str) -> str:
        async def make() -> str:
            self.made += 1
            return f"{kind.name} {key}"

        value, level = await self.cache.find(kind, key, make)
        assert value == f"{kind.name} {key}"
        return level


@pytest.mark.covers("B-191", "B-192", "B-193", "T-210", "T-211", "T-212")
def test_lifetimes_and_sizes_of_phase_2_are_the_stated_ones() -> None:
    assert [(kind.name, kind.lifetime_s / 60, kind.entries_max) for kind in KINDS] == [
        ("corrections", 30, 1000),
        ("exercises", 60, 500),
        ("explanations", 24 * 60, 200),
    ]


@pytest.mark.covers("B-191", "B-192", "B-193")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.name))
def test_an_entry_of_phase_2_lives_as_long_as_stated_and_no_longer(kind: Kind) -> None:
    async def run() -> list[str]:
        asked = Asked("bounded")
        levels = [await asked.ask(kind, "x")]
        asked.clock.now = kind.lifetime_s - 0.001
        levels.append(await asked.ask(kind, "x"))
        asked.clock.now = kind.lifetime_s
        levels.append(await asked.ask(kind, "x"))
        return levels

    assert asyncio.run(run()) == ["origin", "process", "origin"]


@pytest.mark.covers("B-194")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.name))
def test_a_full_cache_of_phase_2_lets_the_least_recently_used_go(kind: Kind) -> None:
    async def run() -> tuple[list[str], int]:
        asked = Asked("bounded")
        for number in range(kind.entries_max):
            await asked.ask(kind, str(number))
        await asked.ask(kind, "0")  # used again, so "1" has waited longest
        await asked.ask(kind, "one more")
        found = [await asked.ask(kind, key) for key in ("0", "one more", "1")]
        return found, asked.made

    assert asyncio.run(run()) == (["process", "process", "origin"], kind.entries_max + 2)


@pytest.mark.covers("B-190", "T-209", "X-43")
def test_the_map_of_phase_1_keeps_everything_for_five_minutes() -> None:
    async def run() -> tuple[int, list[str]]:
        asked = Asked("simple")
        for number in range(1_500):
            await asked.ask(CORRECTIONS, str(number))
        asked.clock.now = SIMPLE_LIFETIME_S - 0.001
        for number in range(1_500):
            assert await asked.ask(CORRECTIONS, str(number)) == "process"
        levels = [await asked.ask(EXPLANATIONS, "0")]
        asked.clock.now = SIMPLE_LIFETIME_S
        levels.append(await asked.ask(CORRECTIONS, "0"))
        levels.append(await asked.ask(EXPLANATIONS, "0"))
        return asked.made, levels

    assert SIMPLE_LIFETIME_S == 5 * 60
    assert asyncio.run(run()) == (1_502, ["origin", "origin", "process"])


def test_what_has_ended_makes_room_in_the_map_without_a_limit() -> None:
    clock = Clock()
    shelf = Shelf(10, clock=clock)
    for number in range(100):
        shelf.put(number, "x")
    clock.now = 10

    shelf.put("new", "x")

    assert len(shelf) == 1


def test_without_a_cache_everything_is_made_each_time() -> None:
    async def run() -> list[str]:
        asked = Asked("none")
        return [await asked.ask(CORRECTIONS, "x") for _ in range(2)]

    assert asyncio.run(run()) == ["origin", "origin"]


def test_what_is_not_there_is_not_kept() -> None:
    async def run() -> list[str | None]:
        cache = LearningCache("bounded", KINDS, CacheCounters(CollectorRegistry()))
        answers: list[str | None] = [None, "there now"]

        async def make() -> str | None:
            return answers.pop(0)

        return [(await cache.find(EXPLANATIONS, "x", make))[0] for _ in range(2)]

    assert asyncio.run(run()) == [None, "there now"]


def test_64_who_want_the_same_have_it_made_once() -> None:
    async def run() -> int:
        asked = Asked("bounded")
        await asyncio.gather(*(asked.ask(EXERCISES, "x") for _ in range(64)))
        return asked.made

    assert asyncio.run(run()) == 1


def environment(**more: str) -> Mapping[str, str]:
    return {
        "APP_DATABASE_URL": "postgresql://app_user@host/database",
        "APP_JWT_SECRET": "x" * 32,
        **more,
    }


def test_levels_need_a_redis_and_the_settings_say_so() -> None:
    with pytest.raises(SettingsError, match="learning_cache: levels"):
        read_settings(environment(APP_VARIANT='{"learning_cache": "levels"}'))
    with pytest.raises(ValueError, match="redis_url"):
        LearningCache("levels", KINDS, CacheCounters(CollectorRegistry()))


@pytest.mark.covers("B-196", "T-206", "T-208")
def test_pool_and_retries_are_settings_of_the_deployment() -> None:
    plain = read_settings(environment())
    phase_2 = read_settings(
        environment(APP_POOL_SIZE="20", APP_POOL_MIN="5", APP_STATEMENT_RETRIES="3")
    )

    assert (plain.pool_min, plain.pool_size, plain.statement_retries) == (8, 8, 0)
    assert (phase_2.pool_min, phase_2.pool_size, phase_2.statement_retries) == (5, 20, 3)
    with pytest.raises(SettingsError, match="APP_POOL_MIN"):
        read_settings(environment(APP_POOL_SIZE="4", APP_POOL_MIN="5"))
