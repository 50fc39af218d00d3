"""Locust's own statistics, brought up to date four times a second instead of with every request.

Locust keeps them by a listener of its request event. While that listener is the only one, firing
the event serves nobody else, and is a tenth of what a request costs the loader. So requests are
kept here and entered together, with the numbers that the listener would have come to. With any
other listener, a plug-in's or the locustfile's, every request is fired as usual.
"""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from typing import Any, Final, NamedTuple

import gevent
from locust import stats as locust_stats
from locust.exception import CatchResponseError

from scenarios.pause import pause

ENTERED_EVERY_S: Final = 0.25
"""Locust prints every two seconds and reports to a master every three."""

AT_ONCE: Final = 250
"""So many are entered before the loop may look for answers and for what is due: that takes some
three tenths of a millisecond."""

_LISTENER: Final = ("locust.runners", "Runner.__init__.<locals>.on_request")
"""Module and name of the listener. If a later Locust calls it otherwise, events are fired."""


class _Kept(NamedTuple):
    """A request that was told.

    Attributes:
        at_s: When it was told, an instant of ``time.time``.
        response_ms: What it took.
        length: Bytes of its answer.
        message: What was wrong with it; empty when nothing was.
        method: Its method.
        name: What Locust calls it.
    """

    at_s: float
    response_ms: float
    length: int
    message: str
    method: str
    name: str


_keep: Final = partial(tuple.__new__, _Kept)
"""As ``make_sent``: one is made for every request."""


class LocustStatistics:
    """Keeps requests until they are entered.

    Args:
        environment: Locust's, with a runner.
    """

    def __init__(self, environment: Any) -> None:
        self._stats = environment.stats
        # Only ever looked at; Locust changes this list in place.
        self._listeners: list[Any] = environment.events.request._handlers
        self._only = [one for one in self._listeners if _is_locusts(one)]
        self._kept: list[_Kept] = []
        """In the order in which they were told."""

    @property
    def suffice(self) -> bool:
        """True while nobody but Locust's statistics listens to requests."""
        return self._listeners == self._only

    def note(self, method: str, name: str, response_ms: float, length: int, message: str) -> None:
        """Keep a request that has just ended; ``message`` is empty when nothing went wrong."""
        self._kept.append(_keep((time.time(), response_ms, length, message, method, name)))

    def enter(self) -> None:
        """Enter what was kept."""
        while self._kept:
            self._enter_some()

    def run(self) -> None:
        """Enter every now and then, until it is killed."""
        while True:
            gevent.sleep(ENTERED_EVERY_S)
            while self._kept:
                self._enter_some()
                pause()

    def _enter_some(self) -> None:
        alike: dict[tuple[int, str, str], list[_Kept]] = {}
        for one in self._kept[:AT_ONCE]:
            key = int(one.at_s), one.method, one.name
            if key in alike:
                alike[key].append(one)
            else:
                alike[key] = [one]
        del self._kept[:AT_ONCE]
        stats = self._stats
        for (second, method, name), requests in alike.items():
            sums = _Sums.of(requests)
            _enter(stats.entries[name, method], second, sums)
            _enter(stats.total, second, sums)
            for message, count in sums.wrong.items():
                _enter_error(stats, method, name, message, count)


class _Sums(NamedTuple):
    """What requests of one second, method and name come to.

    Attributes:
        number: How many they are.
        last_s: When the last one was told.
        length: Bytes of their answers.
        total_ms: What they took together.
        least_ms: What the shortest one took.
        most_ms: What the longest one took.
        buckets: Requests by Locust's bucket of what they took.
        wrong: Requests by what was wrong with them; those that were right are not in it.
    """

    number: int
    last_s: float
    length: int
    total_ms: float
    least_ms: float
    most_ms: float
    buckets: Counter[int]
    wrong: Counter[str]

    @classmethod
    def of(cls, requests: list[_Kept]) -> _Sums:
        _, response_ms, lengths, messages, _, _ = zip(*requests, strict=True)
        return cls(
            number=len(requests),
            last_s=requests[-1].at_s,
            length=sum(lengths),
            total_ms=sum(response_ms),
            least_ms=min(response_ms),
            most_ms=max(response_ms),
            # Asked for now: a locustfile may put other buckets in place.
            buckets=Counter(map(locust_stats.bucket_response_time, response_ms)),
            wrong=Counter(filter(None, messages)),
        )


def _is_locusts(listener: Any) -> bool:
    name = getattr(listener, "__module__", None), getattr(listener, "__qualname__", None)
    return name == _LISTENER


def _enter(entry: Any, second: int, sums: _Sums) -> None:
    """What ``StatsEntry.log`` and ``log_error`` would have done, one request after the other."""
    last_s = entry.last_request_timestamp
    if entry.use_response_times_cache and last_s and second > int(last_s):
        entry._cache_response_times(second - 1)
    entry.last_request_timestamp = max(last_s or 0.0, sums.last_s)
    entry.num_requests += sums.number
    entry.num_reqs_per_sec[second] += sums.number
    entry.total_content_length += sums.length
    entry.total_response_time += sums.total_ms
    least_ms = entry.min_response_time
    entry.min_response_time = sums.least_ms if least_ms is None else min(least_ms, sums.least_ms)
    entry.max_response_time = max(entry.max_response_time, sums.most_ms)
    for bucket, count in sums.buckets.items():
        entry.response_times[bucket] += count
    failures = sums.wrong.total()
    if failures:
        entry.num_failures += failures
        entry.num_fail_per_sec[second] += failures


def _enter_error(stats: Any, method: str, name: str, message: str, count: int) -> None:
    error = CatchResponseError(message)
    key = locust_stats.StatsError.create_key(method, name, error)
    entry = stats.errors.get(key)
    if entry is None:
        entry = stats.errors[key] = locust_stats.StatsError(method, name, error)
    entry.occurrences += count
