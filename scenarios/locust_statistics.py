"""Locust's own statistics, brought up to date four times a second instead of with every request.

Locust keeps them by a listener of its request event. While that listener is the only one, firing
the event serves nobody else, and is a tenth of what a request costs the loader. So requests are
kept here and entered together, with the numbers that the listener would have come to. With any
other listener, a plug-in's or the locustfile's, every request is fired as usual.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any, Final, NamedTuple

import gevent
import numpy as np
from locust import stats as locust_stats
from locust.exception import CatchResponseError
from numpy.typing import NDArray

ENTERED_EVERY_S: Final = 0.25
"""Locust prints every two seconds and reports to a master every three. Entering the requests of a
second at once would hold up the loop for milliseconds."""

_LISTENER: Final = ("locust.runners", "Runner.__init__.<locals>.on_request")
"""Module and name of the listener. If a later Locust calls it otherwise, events are fired."""

_USUAL_BUCKETS: Final = locust_stats.bucket_response_time
_WHOLE_MS_BELOW: Final = 100
"""Below, the usual bucket of a time is the nearest millisecond."""

_Kept = tuple[float, float, int, str]
"""When a request was told, its milliseconds, the bytes of its answer, and what was wrong."""


class _Block(NamedTuple):
    """Requests in the order in which they were told; attributes as the parts of ``_Kept``."""

    at_s: NDArray[np.float64]
    response_ms: NDArray[np.float64]
    length: NDArray[np.int64]
    wrong: NDArray[np.bool_]

    @classmethod
    def of(cls, kept: list[_Kept]) -> _Block:
        at_s, response_ms, length, message = zip(*kept, strict=True)
        return cls(
            np.array(at_s, dtype=np.float64),
            np.array(response_ms, dtype=np.float64),
            np.array(length, dtype=np.int64),
            np.array([text != "" for text in message], dtype=np.bool_),
        )

    def at(self, where: NDArray[Any]) -> _Block:
        return _Block(*(column[where] for column in self))


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
        self._kept: dict[tuple[str, str], list[_Kept]] = {}

    @property
    def suffice(self) -> bool:
        """True while nobody but Locust's statistics listens to requests."""
        return self._listeners == self._only

    def note(self, method: str, name: str, response_ms: float, length: int, message: str) -> None:
        """Keep a request that has just ended; ``message`` is empty when nothing went wrong."""
        kept = self._kept.get((name, method))
        if kept is None:
            kept = self._kept[name, method] = []
        kept.append((time.time(), response_ms, length, message))

    def enter(self) -> None:
        """Enter what was kept."""
        kept, self._kept = self._kept, {}
        stats = self._stats
        blocks = []
        for (name, method), requests in kept.items():
            block = _Block.of(requests)
            blocks.append(block)
            _enter(stats.entries[name, method], block)
            if block.wrong.any():
                for message, count in Counter(one[3] for one in requests if one[3]).items():
                    _enter_error(stats, method, name, message, count)
        if len(blocks) > 1:
            every = _Block(*map(np.concatenate, zip(*blocks, strict=True)))
            blocks = [every.at(np.argsort(every.at_s, kind="stable"))]
        for block in blocks:
            _enter(stats.total, block)

    def run(self) -> None:
        """Enter every now and then, until it is killed."""
        while True:
            gevent.sleep(ENTERED_EVERY_S)
            self.enter()


def _is_locusts(listener: Any) -> bool:
    name = getattr(listener, "__module__", None), getattr(listener, "__qualname__", None)
    return name == _LISTENER


def _enter(entry: Any, block: _Block) -> None:
    """What ``StatsEntry.log`` and ``log_error`` would have done, one request after the other."""
    seconds = block.at_s.astype(np.int64)
    for second in map(int, np.unique(seconds)):
        last_s = entry.last_request_timestamp
        if entry.use_response_times_cache and last_s and second > int(last_s):
            entry._cache_response_times(second - 1)
        here = block.at(seconds == second)
        entry.num_requests += len(here.at_s)
        entry.num_reqs_per_sec[second] += len(here.at_s)
        entry.last_request_timestamp = float(here.at_s[-1])
        entry.total_content_length += int(here.length.sum())
        _enter_times(entry, here.response_ms)
        failures = int(here.wrong.sum())
        if failures:
            entry.num_failures += failures
            entry.num_fail_per_sec[second] += failures


def _enter_times(entry: Any, response_ms: NDArray[np.float64]) -> None:
    entry.total_response_time += float(response_ms.sum())
    least, most = float(response_ms.min()), float(response_ms.max())
    known = entry.min_response_time
    entry.min_response_time = least if known is None else min(known, least)
    entry.max_response_time = max(entry.max_response_time, most)
    bucket_of = locust_stats.bucket_response_time
    if bucket_of is _USUAL_BUCKETS:
        short = response_ms < _WHOLE_MS_BELOW
        # Both round halves to the even neighbour.
        buckets, counts = np.unique(np.rint(response_ms[short]), return_counts=True)
        for bucket, count in zip(buckets, counts, strict=True):
            entry.response_times[int(bucket)] += int(count)
        response_ms = response_ms[~short]
    for one_ms in response_ms:
        entry.response_times[bucket_of(float(one_ms))] += 1


def _enter_error(stats: Any, method: str, name: str, message: str, count: int) -> None:
    error = CatchResponseError(message)
    key = locust_stats.StatsError.create_key(method, name, error)
    entry = stats.errors.get(key)
    if entry is None:
        entry = stats.errors[key] = locust_stats.StatsError(method, name, error)
    entry.occurrences += count
