"""When figures are counted: a rule over a clock."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from reference_app.statistics.refresh import EVERY_S, RETRY_S, keep_counting, main


class Day:
    """A clock that waits forward, and counts that take some time or fail."""

    def __init__(self, *durations_s: float | None) -> None:
        self.now = 0.0
        self.starts: list[float] = []
        self._durations_s = iter(durations_s)

    async def count(self) -> None:
        self.starts.append(self.now)
        duration_s = next(self._durations_s)
        if duration_s is None:
            raise psycopg.OperationalError("away")
        self.now += duration_s

    async def wait(self, pause_s: float) -> bool:
        self.now += pause_s
        return self.starts_left() == 0

    def starts_left(self) -> int:
        left = list(self._durations_s)
        self._durations_s = iter(left)
        return len(left)

    def run(self, every_s: float) -> list[float]:
        asyncio.run(keep_counting(self.count, every_s, self.wait, clock=lambda: self.now))
        return self.starts


@pytest.mark.covers("B-56")
def test_counts_begin_an_hour_apart_whatever_they_take() -> None:
    assert Day(10, 200, 1).run(EVERY_S) == [0, 3600, 7200]


def test_a_count_that_takes_too_long_is_followed_at_once_and_none_is_made_up_for() -> None:
    assert Day(25, 1, 1).run(10) == [0, 25, 35]


def test_while_the_database_is_away_it_tries_each_second() -> None:
    assert Day(1, None, None, 1, 1).run(10) == [0, 10, 10 + RETRY_S, 10 + 2 * RETRY_S, 22]


@pytest.mark.parametrize("arguments", [["--every", "0"], ["--once", "--every", "5"], ["--twice"]])
def test_a_call_that_makes_no_sense_is_refused(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APP_DATABASE_URL", "postgresql://nowhere")
    with pytest.raises(SystemExit) as told:
        main(arguments)
    assert told.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_without_a_database_it_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("APP_DATABASE_URL", raising=False)
    with pytest.raises(SystemExit):
        main([])
    assert "APP_DATABASE_URL is not set" in capsys.readouterr().err
