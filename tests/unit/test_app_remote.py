"""What an outage of Redis costs: a question in a while, and a line in the log now and then."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from reference_app.remote import LOG_EVERY_S, REST_S, TIMEOUT_S, Remote, RemoteAwayError


class Outage:
    """A clock, and questions that fail or are answered as told."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = 0
        self.is_away = True
        # nothing listens on port 1, and nothing is sent there
        self.remote = Remote("redis://127.0.0.1:1/0", clock=lambda: self.now)

    async def question(self, _: Any) -> str:
        self.asked += 1
        if self.is_away:
            raise ConnectionRefusedError("gone")
        return "here"

    async def ask(self) -> str | None:
        try:
            return await self.remote.ask(self.question)
        except RemoteAwayError:
            return None


def play(story: Callable[[Outage], Awaitable[None]]) -> None:
    async def run() -> None:
        outage = Outage()
        try:
            await story(outage)
        finally:
            await outage.remote.close()

    asyncio.run(run())


@pytest.mark.covers("B-149")
def test_after_a_failure_nobody_asks_for_a_moment() -> None:
    async def story(outage: Outage) -> None:
        assert await outage.ask() is None
        outage.now = REST_S - 0.01
        for _ in range(10):
            assert await outage.ask() is None
        assert outage.asked == 1

    play(story)


@pytest.mark.covers("B-149")
def test_then_one_finds_out_for_all_and_when_it_is_back_all_ask_again() -> None:
    async def story(outage: Outage) -> None:
        await outage.ask()
        outage.now = REST_S
        hanging = asyncio.Event()

        async def slow(_: Any) -> str:
            outage.asked += 1
            await hanging.wait()
            return "here"

        finding_out = asyncio.create_task(outage.remote.ask(slow))
        await asyncio.sleep(0)
        assert [await outage.ask() for _ in range(10)] == [None] * 10
        assert outage.asked == 2

        hanging.set()
        assert await finding_out == "here"
        outage.is_away = False
        assert [await outage.ask() for _ in range(3)] == ["here"] * 3

    play(story)


def test_who_was_to_find_out_and_went_away_blocks_nobody_for_long() -> None:
    async def story(outage: Outage) -> None:
        await outage.ask()
        outage.now = REST_S

        async def forever(_: Any) -> str:
            await asyncio.Event().wait()
            return "never"

        finding_out = asyncio.create_task(outage.remote.ask(forever))
        await asyncio.sleep(0)
        finding_out.cancel()
        await asyncio.gather(finding_out, return_exceptions=True)

        outage.is_away = False
        outage.now = REST_S + TIMEOUT_S + REST_S
        assert await outage.ask() == "here"

    play(story)


def test_an_outage_is_logged_once_in_a_while_with_how_often_it_was_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(outage: Outage) -> None:
        while outage.now < LOG_EVERY_S:
            await outage.ask()
            outage.now += 2 * REST_S + TIMEOUT_S
        await outage.ask()

    logger = logging.getLogger("reference_app")
    before, logger.propagate = logger.propagate, True
    try:
        play(story)
    finally:
        logger.propagate = before
    lines = [record.getMessage() for record in caplog.records if "redis" in record.getMessage()]
    assert len(lines) == 2
    assert "(0 more" in lines[0]
    assert "(3 more" in lines[1]
