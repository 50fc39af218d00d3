"""What an outage of Redis costs: a question in a while, and a line in the log now and then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from reference_app.redis_line import LineError
from reference_app.remote import LOG_EVERY_S, REST_S, TIMEOUT_S, Remote, RemoteAwayError


class Outage:
    """A clock, and connections that fail, hang or answer as told."""

    is_open = True

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = 0
        self.is_away = True
        self.hangs: asyncio.Event | None = None
        self.remote = Remote(
            "redis://nowhere",
            connecting=self.connect,  # type: ignore[arg-type]
            clock=lambda: self.now,
        )

    async def connect(self) -> Outage:
        self.asked += 1
        if self.hangs is not None:
            await self.hangs.wait()
        if self.is_away:
            raise LineError("gone")
        return self

    def ask(self, *_: Any) -> asyncio.Future[str]:
        answer = asyncio.get_running_loop().create_future()
        answer.set_result("here")
        return answer

    async def close(self) -> None:
        """Nothing is open."""

    async def get(self) -> str | None:
        try:
            return str(await self.remote.ask("GET", "x"))
        except RemoteAwayError:
            return None


def play(story: Callable[[Outage], Awaitable[None]]) -> None:
    async def run() -> None:
        outage = Outage()
        await story(outage)
        await outage.remote.close()

    asyncio.run(run())


@pytest.mark.covers("B-149")
def test_after_a_failure_nobody_asks_for_a_moment() -> None:
    async def story(outage: Outage) -> None:
        assert await outage.get() is None
        outage.now = REST_S - 0.01
        for _ in range(10):
            assert await outage.get() is None
        assert outage.asked == 1

    play(story)


@pytest.mark.covers("B-149")
def test_then_one_finds_out_for_all_and_when_it_is_back_all_ask_again() -> None:
    async def story(outage: Outage) -> None:
        await outage.get()
        outage.now = REST_S
        outage.hangs = asyncio.Event()
        finding_out = asyncio.create_task(outage.get())
        await asyncio.sleep(0)

        assert [await outage.get() for _ in range(10)] == [None] * 10
        outage.is_away = False
        outage.hangs.set()

        assert await finding_out == "here"
        assert [await outage.get() for _ in range(3)] == ["here"] * 3
        assert outage.asked == 2

    play(story)


def test_many_who_find_no_connection_make_one_attempt_and_fail_together() -> None:
    async def story(outage: Outage) -> None:
        outage.hangs = asyncio.Event()
        waiting = [asyncio.create_task(outage.get()) for _ in range(50)]
        await asyncio.sleep(0)
        outage.hangs.set()
        assert await asyncio.gather(*waiting) == [None] * 50
        assert outage.asked == 1

    play(story)


def test_who_was_to_find_out_and_went_away_blocks_nobody_for_long() -> None:
    async def story(outage: Outage) -> None:
        await outage.get()
        outage.now = REST_S
        outage.hangs = asyncio.Event()
        finding_out = asyncio.create_task(outage.get())
        await asyncio.sleep(0)
        finding_out.cancel()
        await asyncio.gather(finding_out, return_exceptions=True)

        outage.is_away = False
        outage.hangs.set()
        outage.now = 2 * REST_S + 2 * TIMEOUT_S
        assert await outage.get() == "here"

    play(story)


def test_an_outage_is_logged_once_in_a_while_with_how_often_it_was_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(outage: Outage) -> None:
        while outage.now <= LOG_EVERY_S:
            await outage.get()
            outage.now += 2.5

    play(story)

    # pytest listens at loggers that do not propagate, too
    lines = [record.getMessage() for record in caplog.records if "redis" in record.getMessage()]
    assert len(lines) == 2
    assert "(0 more" in lines[0]
    assert "(3 more" in lines[1]
