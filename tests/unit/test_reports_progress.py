"""Progress: a bar for people, a short log for machines, nothing on stdout."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pytest
from rich.console import Console

from reports.progress import ProgressDisplay, load_time, load_words


@dataclass(frozen=True)
class Load:
    at_s: float
    duration_s: float = 60.0
    offered_per_s: float = 33.33
    achieved_per_s: float = 33.1
    p95_s: float | None = 0.041
    errors: int = 0
    in_flight: int = 4


@dataclass(frozen=True)
class Seed:
    rows_done: int
    rows_total: int = 200_000
    rows_per_s: float | None = 84_000.0
    left_s: float | None = 2.0


class Clock:
    """A clock that tests move by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def console(*, terminal: bool) -> Console:
    return Console(
        file=io.StringIO(), force_terminal=terminal, width=80, _environ={"TERM": "xterm"}
    )


def written(to: Console) -> str:
    assert isinstance(to.file, io.StringIO)
    return to.file.getvalue()


def test_a_log_gets_one_plain_line_every_five_seconds() -> None:
    log, clock = console(terminal=False), Clock()

    with ProgressDisplay(log, clock=clock) as display:
        for second in range(12):
            display.load(Load(at_s=second))
            clock.now_s += 1

    assert written(log).splitlines() == [
        f"load {share}  33.3/s offered, 33.1/s sent, p95 41 ms, 0 errors, 4 in flight, {left} left"
        for share, left in (("  0%", "1:00"), ("  8%", "0:55"), (" 17%", "0:50"))
    ]


def test_a_new_stage_is_told_at_once() -> None:
    log = console(terminal=False)

    with ProgressDisplay(log, clock=Clock()) as display:
        display.seed(Seed(rows_done=120_000))
        display.load(Load(at_s=0))

    first, second = written(log).splitlines()
    assert first == "seed  60%  120,000 of 200,000 rows, 84,000 rows/s, 0:02 left"
    assert second.startswith("load   0%")


def test_a_terminal_sees_the_latest_state_and_is_left_clean() -> None:
    screen = console(terminal=True)

    with ProgressDisplay(screen, clock=Clock()) as display:
        display.load(Load(at_s=23, errors=2, achieved_per_s=20))
        display.seed(Seed(rows_done=0, rows_per_s=None, left_s=None))

    text = written(screen)
    assert "0:37 left" in text
    assert "2 error" in text
    assert "0 of 200,000 rows" in text
    assert text.endswith(("\x1b[2K", "\x1b[?25h", "\r"))


def test_nothing_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay() as display:
        display.say("load: 60 s at 33.3 requests/s")
        display.load(Load(at_s=1))

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "load: 60 s at 33.3 requests/s" in captured.err


def test_before_the_first_answer_there_is_no_latency() -> None:
    assert "p95 –" in load_words(Load(at_s=0, p95_s=None))


def test_after_the_window_the_line_says_what_is_waited_for() -> None:
    assert load_time(Load(at_s=61)) == "waiting for the last answers"


def test_the_display_closes_when_the_run_fails() -> None:
    screen = console(terminal=True)

    def failing_run() -> None:
        with ProgressDisplay(screen) as display:
            display.load(Load(at_s=3))
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        failing_run()

    assert "\x1b[?25h" in written(screen)
