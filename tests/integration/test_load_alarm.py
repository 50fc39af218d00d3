"""Alarms in a real event loop: never early, once for each setting, replaced by setting again.

In a process of its own: importing gevent is harmless, but its hub would live on in ours.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

RINGS = """
import json, random, sys, time
import gevent
from gevent.event import Event
from scenarios import alarm as alarms

kind = getattr(alarms, sys.argv[1])
rung = []
event = Event()

def ring():
    rung.append(time.monotonic_ns())
    alarm.set(time.monotonic_ns() + 10**18)
    event.set()

alarm = kind(ring)
chance = random.Random(1)
asked = []
for _ in range(100):
    event.clear()
    at_ns = time.monotonic_ns() + chance.randrange(-1_000_000, 3_000_000)
    # Replaced before it can ring: only the second counts.
    alarm.set(time.monotonic_ns() + 10**12)
    alarm.set(at_ns)
    asked.append(at_ns)
    assert event.wait(20)
alarm.close()
alarm.close()
print(json.dumps([asked, rung]))
"""


@pytest.mark.parametrize("kind", ["KernelAlarm", "LoopAlarm"])
def test_an_alarm_rings_once_for_each_setting_and_never_early(kind: str) -> None:
    if kind == "KernelAlarm" and sys.platform != "linux":
        pytest.skip("timerfd is Linux's")
    argv = [sys.executable, "-c", RINGS, kind]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)

    asked, rung = json.loads(done.stdout)
    assert len(rung) == len(asked) == 100
    assert all(r >= a for a, r in zip(asked, rung, strict=True))
