"""Why an event loop stood still: told from where the time went."""

from __future__ import annotations

import gc

import pytest

from scenarios.vitals.collector import CollectorWatch
from scenarios.vitals.kernel import Kernel, Spent
from scenarios.vitals.stalls import cause_of
from scenarios.vitals.wall_clock import WallClock

BEFORE = Spent(running_s=10.0, waiting_s=2.0)


@pytest.mark.parametrize(
    ("ran_s", "waited_s", "collected_s", "stolen_s", "cause"),
    [
        (0.09, 0.0, 0.0, 0.0, "own_code"),
        (0.09, 0.0, 0.08, 0.0, "collector"),
        (0.01, 0.09, 0.0, 0.0, "core"),
        (0.01, 0.09, 0.0, 0.08, "host"),
        (0.01, 0.01, 0.0, 0.0, "stopped"),
    ],
)
def test_what_took_most_of_a_stand_still_is_its_cause(
    ran_s: float, waited_s: float, collected_s: float, stolen_s: float, cause: str
) -> None:
    after = Spent(running_s=10.0 + ran_s, waiting_s=2.0 + waited_s)
    assert cause_of(0.1, BEFORE, after, collected_s, stolen_s) == cause


def test_without_the_kernels_word_a_wait_has_no_cause() -> None:
    before, after = Spent(10.0, None), Spent(10.01, None)
    assert cause_of(0.1, before, after, 0.0, 0.0) == "unknown"


def test_collections_are_counted_and_timed_whoever_asks_for_them() -> None:
    watch = CollectorWatch()
    watch.begin()
    try:
        gc.collect()
        gc.collect()
    finally:
        watch.end()
    pauses = watch.since_last()
    assert pauses.number == 2
    assert 0 < pauses.longest_s <= pauses.total_s
    assert watch.since_last().number == 0


def test_a_wall_clock_that_nobody_sets_does_not_move() -> None:
    clock = WallClock()
    assert abs(clock.moved_s()) < 0.1


def test_what_the_kernel_tells_only_grows() -> None:
    kernel = Kernel()
    try:
        before = kernel.spent()
        sum(range(100_000))
        after = kernel.spent()
        assert after.running_s > before.running_s
        if before.waiting_s is not None and after.waiting_s is not None:
            assert after.waiting_s >= before.waiting_s
        memory_mib = kernel.memory_mib()
        assert memory_mib is None or memory_mib > 1
    finally:
        kernel.close()
