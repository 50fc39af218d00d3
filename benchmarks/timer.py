"""How late does a loader wake up for an instant, and what does a wake-up cost?

    python benchmarks/timer.py              the table of docs/decisions/0064-one-precise-alarm.md
    python benchmarks/timer.py --seconds 5

Each way is a process of its own on one core: a thousand instants a second, with exponential gaps,
and the loader sleeps until each of them. An instant that has passed already (the wake-up before it
was later than the gap) is late by what it is. The loop of gevent is libev over epoll unless the way
says otherwise; a backend can only be chosen for a whole process.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final

PER_S: Final = 1_000
SECOND_NS: Final = 1_000_000_000
PR_SET_TIMERSLACK: Final = 29
"""Source: prctl(2)."""

Wait = Callable[[int], None]
"""Returns at an instant of ``time.monotonic_ns``, or later."""


def by_sleep() -> Wait:
    import gevent

    def wait(at_ns: int) -> None:
        while (left_ns := at_ns - time.monotonic_ns()) > 0:
            gevent.sleep(left_ns / SECOND_NS)

    return wait


def by_sleep_without_slack() -> Wait:
    """The kernel may wake a thread 50 microseconds late to save power, unless told otherwise."""
    ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)
    return by_sleep()


def by_loop_timer(*, update: bool) -> Wait:
    from gevent.hub import get_hub

    hub = get_hub()

    def wait(at_ns: int) -> None:
        while (left_ns := at_ns - time.monotonic_ns()) > 0:
            timer = hub.loop.timer(left_ns / SECOND_NS)
            if update:
                hub.loop.update_now()
            hub.wait(timer)
            timer.close()

    return wait


def by_thread() -> Wait:
    """A thread sleeps in the kernel, which is exact, and wakes the loop."""
    from gevent.hub import get_hub

    hub = get_hub()
    woken = hub.loop.async_()
    asked = threading.Semaphore(0)
    at: list[int] = []

    def sleep_for_others() -> None:
        while True:
            asked.acquire()
            left_ns = at.pop() - time.monotonic_ns()
            if left_ns > 0:
                time.sleep(left_ns / SECOND_NS)
            woken.send()

    threading.Thread(target=sleep_for_others, daemon=True).start()

    def wait(at_ns: int) -> None:
        if at_ns > time.monotonic_ns():
            at.append(at_ns)
            asked.release()
            hub.wait(woken)

    return wait


def by_alarm() -> Wait:
    """The loader's own: a ``timerfd`` that the loop watches."""
    from gevent import getcurrent
    from gevent.hub import get_hub

    from scenarios.alarm import KernelAlarm

    hub, me = get_hub(), getcurrent()
    never_ns = time.monotonic_ns() + 10**6 * SECOND_NS
    waiting = False

    def ring() -> None:
        alarm.set(never_ns)
        if waiting:
            me.switch()

    alarm = KernelAlarm(ring)

    def wait(at_ns: int) -> None:
        nonlocal waiting
        if at_ns <= time.monotonic_ns():
            return
        alarm.set(at_ns)
        waiting = True
        hub.switch()
        waiting = False

    return wait


WAYS: Final[dict[str, tuple[str, Callable[[], Wait]]]] = {
    "gevent.sleep": ("libev-epoll", by_sleep),
    "gevent.sleep, timer slack 1 ns": ("libev-epoll", by_sleep_without_slack),
    "hub.loop.timer": ("libev-epoll", lambda: by_loop_timer(update=False)),
    "hub.loop.timer, clock renewed": ("libev-epoll", lambda: by_loop_timer(update=True)),
    "gevent.sleep on libev's poll": ("libev-poll", by_sleep),
    "gevent.sleep on libev's select": ("libev-select", by_sleep),
    "gevent.sleep on libev's iouring": ("libev-linux_iouring", by_sleep),
    "gevent.sleep on libuv": ("libuv", by_sleep),
    "a thread that wakes the loop": ("libev-epoll", by_thread),
    "timerfd": ("libev-epoll", by_alarm),
    "timerfd on libuv": ("libuv", by_alarm),
}
"""Each with its loop, a value of ``GEVENT_LOOP`` or, for libev, of ``GEVENT_BACKEND``."""


def measure(way: str, seconds: float) -> dict[str, float]:
    """Be one way."""
    wait = WAYS[way][1]()
    chance = random.Random(1)
    late_ns = []
    began_cpu_s = time.process_time()
    at_ns = time.monotonic_ns() + SECOND_NS // 10
    end_ns = at_ns + round(seconds * SECOND_NS)
    while at_ns < end_ns:
        wait(at_ns)
        late_ns.append(time.monotonic_ns() - at_ns)
        at_ns += round(chance.expovariate(PER_S) * SECOND_NS)
    cpu_s = time.process_time() - began_cpu_s
    late_ms = [one / 1e6 for one in late_ns]
    p99 = statistics.quantiles(late_ms, n=100)[-1]
    return {
        "p50_ms": statistics.median(late_ms),
        "p99_ms": p99,
        "cpu_us": cpu_s / len(late_ns) * 1e6,
        "early": float(sum(one < 0 for one in late_ns)),
    }


def run(way: str, seconds: float, core: int | None) -> dict[str, float] | None:
    """One way in a process of its own; None when gevent was built without its loop."""
    loop = WAYS[way][0]
    kind, _, backend = loop.partition("-")
    environment = {**os.environ, "GEVENT_LOOP": "libuv" if kind == "libuv" else "libev-cext"}
    if backend:
        environment["GEVENT_BACKEND"] = backend
    pin: Any = None if core is None else (lambda: os.sched_setaffinity(0, {core}))
    done = subprocess.run(
        [sys.executable, __file__, "--way", way, "--seconds", str(seconds)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=4 * seconds + 30,
        preexec_fn=pin,
    )
    if done.returncode:
        print(f"{way}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="of each way")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        json.dump(measure(options.way, options.seconds), sys.stdout)
        return
    core = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    print(f"{'':34}{'late p50':>10}{'p99 ms':>10}{'CPU us':>10}")
    for way in WAYS:
        found = run(way, options.seconds, core)
        if found is None:
            print(f"{way:34}{'not here':>10}")
            continue
        early = f"   {found['early']:.0f} early" if found["early"] else ""
        print(
            f"{way:34}{found['p50_ms']:>10.3f}{found['p99_ms']:>10.3f}"
            f"{found['cpu_us']:>10.1f}{early}"
        )


if __name__ == "__main__":
    main()
