"""Events of a run: what happened when, counted from its start."""

from __future__ import annotations

import time
from typing import Any

from palier.load.events import Events
from palier.selftest.trial import trial_plan


def told(events: Events) -> list[dict[str, Any]]:
    return list(events)


def test_what_happens_now_is_told_in_seconds_from_the_start() -> None:
    events = Events()
    events.t0 = time.monotonic() - 3.0
    events.tell("fault", "disk_full", why="no space left")
    latest_s = round(time.monotonic() - events.t0, 3)
    events.tell("phase", "window", at_s=0.0)
    now, window = told(events)
    assert 3.0 <= now.pop("at_s") <= latest_s
    assert now == {"kind": "fault", "name": "disk_full", "why": "no space left"}
    assert window == {"at_s": 0.0, "kind": "phase", "name": "window"}


def test_a_plan_has_a_window_a_judged_part_and_a_drain() -> None:
    plan = trial_plan(rate_per_s=10, duration_s=20)
    events = Events()
    events.tell_of_plan(plan)
    assert [(one["name"], one["at_s"]) for one in told(events)] == [
        ("window", 0.0),
        ("judged", plan.warmup_s),
        ("drain", 20.0),
    ]


def test_a_note_of_the_master_is_told_at_its_instant_and_a_clock_in_milliseconds() -> None:
    events = Events()
    events.t0 = 100.0
    clock = {"kind": "clock", "worker": 1, "at_ns": 99_500_000_000, "offset_ns": 2_500_000}
    events.tell_of_note(clock, local_workers=1)
    gone = {"kind": "left", "worker": 0, "at_ns": 101_000_000_000, "why": "asked to"}
    events.tell_of_note(gone, local_workers=1)
    of_worker = {"kind": "worker"}
    assert told(events) == [
        {"at_s": -0.5, **of_worker, "name": "clock", "worker": 1, "local": False, "offset_ms": 2.5},
        {"at_s": 1.0, **of_worker, "name": "left", "worker": 0, "why": "asked to"},
    ]
