"""One connection to a real Redis that many share, and what becomes of it when things go wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st
from redis_support import TestRedis, running_redis

from reference_app.redis_line import (
    Address,
    Line,
    LineError,
    RefusedError,
    connect,
    parse_address,
)

TIMEOUT_S = 1.0
PASSWORD = "p@ss:w/rd"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestRedis]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


def play(url: str, story: Callable[[Line], Awaitable[Any]], timeout_s: float = 20.0) -> Any:
    async def run() -> Any:
        line = await connect(parse_address(url), timeout_s)
        try:
            return await story(line)
        finally:
            await line.close()

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://h", Address("h", 6379, None, None, None, 0, False)),
        ("redis://:p%40w@h:1/3", Address("h", 1, None, None, "p@w", 3, False)),
        ("rediss://u:pw@h", Address("h", 6379, None, "u", "pw", 0, True)),
        ("unix:///tmp/x%20y?db=2", Address("", 6379, "/tmp/x y", None, None, 2, False)),
    ],
)
def test_addresses_are_read_as_everybody_writes_them(url: str, address: Address) -> None:
    assert parse_address(url) == address
    assert "pw" not in repr(address)


@pytest.mark.parametrize("url", ["http://h", "h:6379", "redis://h/zero", ""])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_address(url)


def test_each_of_a_thousand_gets_its_own_answer(server: TestRedis) -> None:
    async def story(line: Line) -> list[bytes]:
        await asyncio.gather(*(line.ask("SET", f"k{n}", n) for n in range(1000)))
        return await asyncio.gather(*(line.ask("GET", f"k{n}") for n in range(1000)))

    assert play(server.url, story) == [str(n).encode() for n in range(1000)]


@given(values=st.lists(st.binary(max_size=300), min_size=1, max_size=20))
def test_bytes_come_back_as_they_went(values: list[bytes]) -> None:
    with_redis = _shared.get("server")
    assert with_redis is not None

    async def story(line: Line) -> list[bytes]:
        for place, value in enumerate(values):
            line.ask("SET", f"b{place}", value)
        return await asyncio.gather(*(line.ask("GET", f"b{n}") for n in range(len(values))))

    assert play(with_redis.url, story) == values


_shared: dict[str, TestRedis] = {}


@pytest.fixture(autouse=True, scope="module")
def share(server: TestRedis) -> Iterator[None]:
    """Hypothesis and fixtures of functions do not mix; this one is of the module."""
    _shared["server"] = server
    yield
    _shared.clear()


def test_a_large_value_arrives_in_pieces(server: TestRedis) -> None:
    large = bytes(range(256)) * 20_000

    async def story(line: Line) -> bytes:
        await line.ask("SET", "large", large)
        return bytes(await line.ask("GET", "large"))

    assert play(server.url, story) == large


def test_a_refused_command_is_an_error_of_its_own_and_of_no_other(server: TestRedis) -> None:
    async def story(line: Line) -> list[Any]:
        commands = [line.ask("SET", "s", "x"), line.ask("INCR", "s"), line.ask("GET", "s")]
        return await asyncio.gather(*commands, return_exceptions=True)

    first, refused, last = play(server.url, story)
    assert (first, last) == (b"OK", b"x")
    assert isinstance(refused, RefusedError)


def test_who_goes_away_leaves_the_order_as_it_was(server: TestRedis) -> None:
    async def story(line: Line) -> list[Any]:
        asked = [line.ask("ECHO", f"{n}") for n in range(10)]
        for place in (0, 3, 9):
            asked[place].cancel()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        return [a if isinstance(a, bytes) else None for a in answers] + [await line.ask("PING")]

    wanted: list[Any] = [None if n in (0, 3, 9) else str(n).encode() for n in range(10)]
    assert play(server.url, story) == [*wanted, b"PONG"]


def test_a_server_that_ends_tells_all_who_wait(tmp_path: Any) -> None:
    with running_redis(tmp_path) as mortal:

        async def story(line: Line) -> list[Any]:
            waiting = [line.ask("BLPOP", "never", 0) for _ in range(5)]
            await asyncio.to_thread(mortal.stop)
            answers = await asyncio.gather(*waiting, return_exceptions=True)
            assert not line.is_open
            return [*answers, *await asyncio.gather(line.ask("PING"), return_exceptions=True)]

        answers = play(mortal.url, story)
        assert [type(answer) for answer in answers] == [LineError] * 6

        with pytest.raises(LineError, match="cannot connect"):
            play(mortal.url, story)


def test_a_server_that_hangs_is_given_up_and_its_connection_not_used_again(
    server: TestRedis,
) -> None:
    async def story(line: Line) -> tuple[str, bool]:
        server.pause()
        try:
            with pytest.raises(LineError) as told:
                await line.ask("PING")
        finally:
            server.resume()
        await asyncio.sleep(0)
        return str(told.value), line.is_open

    assert play(server.url, story, timeout_s=0.2) == ("no answer within 0.2 s", False)


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_process_that_is_busy_past_the_limit_still_takes_the_answer_that_is_there(
    server: TestRedis, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def run() -> Any:
        line = await connect(parse_address(server.url), 0.1)
        asked = line.ask("PING")
        busy_until = time.monotonic() + 0.3
        while time.monotonic() < busy_until:
            pass
        answer = await asked
        await line.close()
        return answer

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(run()) == b"PONG"


def test_a_wrong_password_lets_nobody_in_and_the_right_one_does(server: TestRedis) -> None:
    with server.client() as client:
        client.config_set("requirepass", PASSWORD)
    try:
        host = server.url.removeprefix("redis://")
        with pytest.raises(LineError, match=r"WRONGPASS|invalid"):
            play(f"redis://:wrong@{host}", lambda line: line.ask("PING"))
        right = f"redis://:p%40ss%3Aw%2Frd@{host.replace('/0', '/1')}"
        assert play(right, lambda line: line.ask("PING")) == b"PONG"

        async def elsewhere(line: Line) -> Any:
            await line.ask("SET", "only in one", "x")
            return await line.ask("CONFIG", "SET", "requirepass", "")

        play(right, elsewhere)
    finally:
        with server.client() as client:
            client.config_set("requirepass", "")
    assert play(server.url, lambda line: line.ask("EXISTS", "only in one")) == 0


def test_what_is_no_redis_is_left_at_once() -> None:
    async def run() -> None:
        async def speak_http(reader: Any, writer: Any) -> None:
            await reader.read(10)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        web = await asyncio.start_server(speak_http, "127.0.0.1", 0)
        async with web:
            port = web.sockets[0].getsockname()[1]
            line = await connect(parse_address(f"redis://127.0.0.1:{port}"), TIMEOUT_S)
            with pytest.raises(LineError):
                await line.ask("PING")
            await line.close()

    asyncio.run(run())
