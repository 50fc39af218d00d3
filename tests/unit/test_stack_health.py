"""Waiting for a component: bounded, and telling why it failed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from palier.errors import StackError
from palier.stack.health import last_lines, wait_until


@dataclass
class FakeProcess:
    """Ends with ``code`` before the ``ends_at_question``-th time it is asked."""

    log_path: Path
    code: int | None = None
    ends_at_question: int = 1
    questions: int = 0

    def exit_code(self) -> int | None:
        self.questions += 1
        return self.code if self.questions >= self.ends_at_question else None


def test_a_component_that_is_ready_is_not_waited_for():
    calls: list[int] = []

    wait_until(lambda: calls.append(1), deadline_s=60, component="app")

    assert calls == [1]


def test_it_asks_until_the_component_is_ready():
    answers = iter(["starting", "starting", None])

    wait_until(lambda: next(answers), deadline_s=60, component="app")

    assert list(answers) == []


def test_a_passed_deadline_is_an_error_that_says_what_was_still_missing():
    with pytest.raises(StackError) as caught:
        wait_until(lambda: "answered 503", deadline_s=0.02, component="app")

    assert "app was not ready after 0.02 s: answered 503" in caught.value.what


def test_a_process_that_ended_ends_the_wait_long_before_the_deadline(tmp_path):
    log = tmp_path / "postgres.log"
    log.write_text("starting\nFATAL: no space left\n")
    process = FakeProcess(log, code=1, ends_at_question=2)

    with pytest.raises(StackError) as caught:
        wait_until(lambda: "not yet", deadline_s=3600, component="postgres", process=process)

    assert "ended with exit code 1" in caught.value.what
    assert "FATAL: no space left" in caught.value.what
    assert caught.value.where == str(log)


def test_a_process_killed_by_a_signal_is_said_to_be(tmp_path):
    process = FakeProcess(tmp_path / "none.log", code=-9)

    with pytest.raises(StackError) as caught:
        wait_until(lambda: "not yet", deadline_s=3600, component="app", process=process)

    assert "signal 9" in caught.value.what
    assert "(it wrote nothing)" in caught.value.what


def test_readiness_counts_even_when_the_process_has_ended_since(tmp_path):
    """A program that does its work and ends is no failure; whoever needs it alive asks again."""
    wait_until(
        lambda: None,
        deadline_s=1,
        component="job",
        process=FakeProcess(tmp_path / "job.log", code=0),
    )


def test_only_the_last_lines_of_a_long_log_are_shown(tmp_path):
    log = tmp_path / "app.log"
    log.write_text("".join(f"line {number}\n" for number in range(100_000)))

    assert last_lines(log, 2) == ("line 99998", "line 99999")


def test_a_log_with_broken_characters_is_still_shown(tmp_path):
    log = tmp_path / "app.log"
    log.write_bytes(b"caf\xe9\n")

    assert last_lines(log) == ("caf\ufffd",)
