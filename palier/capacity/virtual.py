"""Searches in virtual time: many at once, each against its own simulated queue.

Customers of all queues advance in step, so one operation on an array moves every queue by one
customer: a thousand searches of a million requests each take a minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from palier.capacity.answer import Answer
from palier.capacity.evidence import Stretch, Tally
from palier.capacity.log import SearchLog
from palier.capacity.queue import Queue
from palier.capacity.rules import Rules
from palier.capacity.search import (
    Drain,
    Measure,
    ProveHealth,
    drained,
    measured,
    next_step,
    proved,
)

CHUNK: Final = 1000
"""Customers of every queue between two looks at the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """A machine that is now faster, now slower: speed by second, log-normal with a memory.

    Attributes:
        spread: Standard deviation of the logarithm of the time a service takes.
        memory: Correlation of one second with the next.
    """

    spread: float = 0.0
    memory: float = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualSystem:
    """What a search in virtual time is run against.

    Attributes:
        queue: Its law.
        limit_s: Of the response time.
        late: Id of the gate that wrong and late requests miss.
        wrong: Id of the gate that only wrong requests miss.
        weather: How its speed wanders; the closed forms of the queue hold without any.
    """

    queue: Queue
    limit_s: float
    late: str = "late"
    wrong: str = "wrong"
    weather: Weather = Weather()


class Lanes:
    """Queues side by side, each with its own rate and its own clock.

    Attributes:
        planned: Requests by lane and second.
        wrong: Requests of them that went wrong.
        missed: Requests of them that did either.
        now_s: How far each lane has come.
    """

    def __init__(
        self, system: VirtualSystem, lanes: int, seconds: int, rng: np.random.Generator
    ) -> None:
        self._system, self._rng, self._seconds = system, rng, seconds
        self._rate_per_s = np.ones(lanes)
        self._free_s = np.zeros((system.queue.servers, lanes))
        self._slowness = np.ones((lanes, seconds))
        self.now_s = np.zeros(lanes)
        self.planned = np.zeros((lanes, seconds), dtype=np.int64)
        self.wrong = np.zeros((lanes, seconds), dtype=np.int64)
        self.missed = np.zeros((lanes, seconds), dtype=np.int64)

    def restart(self, lane: int, rate_per_s: float) -> None:
        """An empty queue at second 0."""
        self._rate_per_s[lane] = rate_per_s
        self._free_s[:, lane] = 0.0
        self.now_s[lane] = 0.0
        for counts in (self.planned, self.wrong, self.missed):
            counts[lane] = 0
        if self._system.weather.spread:
            self._slowness[lane] = self._draw_weather()

    def advance(self, lanes: NDArray[np.int64]) -> None:
        """``CHUNK`` customers more in each of ``lanes``."""
        queue, shape = self._system.queue, (CHUNK, len(lanes))
        gaps = self._rng.exponential(size=shape) / self._rate_per_s[lanes]
        arrivals = self.now_s[lanes] + np.cumsum(gaps, axis=0)
        second = np.minimum(arrivals.astype(np.int64), self._seconds - 1)
        services = self._rng.exponential(1 / queue.service_per_s, size=shape)
        if self._system.weather.spread:
            services *= self._slowness[lanes, second]
        free = self._free_s[:, lanes]
        responses = wait_in_line(free, arrivals, services)
        responses += services
        if queue.lag_s > 0:
            responses += self._rng.exponential(queue.lag_s, size=shape)
        self._free_s[:, lanes] = free
        self.now_s[lanes] = arrivals[-1]

        self._count(lanes, second, responses > self._system.limit_s)

    def _count(
        self, lanes: NDArray[np.int64], second: NDArray[np.int64], late: NDArray[np.bool_]
    ) -> None:
        first = second[0]
        width = int((second - first).max()) + 1
        cell = (second - first + np.arange(len(lanes)) * width).ravel()
        planned = np.bincount(cell, minlength=len(lanes) * width)
        slow = np.bincount(cell[late.ravel()], minlength=len(planned))
        at = np.flatnonzero(planned)
        planned, slow = planned[at], slow[at]
        where = lanes[at // width], first[at // width] + at % width
        ratio = self._system.queue.error_ratio
        slow_and_wrong = self._rng.binomial(slow, ratio)
        only_wrong = self._rng.binomial(planned - slow, ratio)
        self.planned[where] += planned
        self.wrong[where] += slow_and_wrong + only_wrong
        self.missed[where] += slow + only_wrong

    def _draw_weather(self) -> NDArray[np.float64]:
        weather = self._system.weather
        shocks = self._rng.normal(size=self._seconds)
        shocks[1:] *= np.sqrt(1 - weather.memory**2)
        wander = lfilter([1.0], [1.0, -weather.memory], shocks)
        return np.exp(weather.spread * np.asarray(wander))


def wait_in_line(
    free_s: NDArray[np.float64], arrivals_s: NDArray[np.float64], services_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Waits of customers of many first-come-first-served queues, exactly.

    A customer waits for the server that is free first. That server's new instant is put in order
    among the others by one comparison with each row and its neighbour.

    Args:
        free_s: When each server is free, the first one first; shape (servers, queues); changed to
            what it is after the last customer.
        arrivals_s: Rising along axis 0; shape (customers, queues).
        services_s: The same shape.

    Source: Kiefer and Wolfowitz (1955), Trans. AMS 78, 1-18; for one server Lindley (1952), Proc.
        Cambridge Phil. Soc. 48, 277-289.
    """
    servers = len(free_s)
    begins = np.empty_like(arrivals_s)
    leaves = np.empty_like(free_s[0])
    never = np.full((1, free_s.shape[1]), np.inf)
    now, after = np.concatenate([free_s, never]), np.concatenate([free_s, never])
    for arrival, service, begin in zip(arrivals_s, services_s, begins, strict=True):
        np.maximum(arrival, now[0], out=begin)
        np.add(begin, service, out=leaves)
        np.maximum(leaves, now[:servers], out=after[:servers])
        np.minimum(after[:servers], now[1:], out=after[:servers])
        now, after = after, now
    free_s[:] = now[:servers]
    begins -= arrivals_s
    return begins


def run_searches(
    system: VirtualSystem, rules: Sequence[Rules], rng: np.random.Generator
) -> list[SearchLog]:
    """One search for each of ``rules``, to its end."""
    warmup = max(rule.warmup_s for rule in rules)
    slowest = min(rule.lowest_per_s for rule in rules)
    longest = max(rule.longest_probe_s for rule in rules)
    lanes = Lanes(system, len(rules), int(warmup + longest + 2 * CHUNK / slowest + 60), rng)
    logs = [SearchLog(rules=rule) for rule in rules]
    wanted_s = np.zeros(len(rules))
    for lane, log in enumerate(logs):
        logs[lane], wanted_s[lane] = _begin(log, lanes, lane)
    while (running := np.flatnonzero(np.isfinite(wanted_s))).size:
        lanes.advance(running)
        for lane in running[lanes.now_s[running] >= wanted_s[running]]:
            logs[lane], wanted_s[lane] = _look(system, logs[lane], lanes, int(lane))
    return logs


def answers_of(logs: Sequence[SearchLog]) -> list[Answer]:
    """The answers of searches that have ended."""
    answers = [next_step(log) for log in logs]
    return [answer for answer in answers if isinstance(answer, Answer)]


def _look(
    system: VirtualSystem, log: SearchLog, lanes: Lanes, lane: int
) -> tuple[SearchLog, float]:
    """Give the search the seconds that it asked for, and see how far the lane is to go."""
    while isinstance(step := next_step(log), Measure):
        before = log.probes[-1].stretches if log.probes else ()
        going_on = bool(before) and log.decisions()[-1].outcome == "go_on"
        start = int(step.warmup_s) + (sum(one.seconds for one in before) if going_on else 0)
        end = start + step.seconds
        if lanes.now_s[lane] < end:
            return log, float(end)
        log = measured(log, _stretch(system, lanes, lane, start, end))
        if log.decisions()[-1].outcome != "go_on":
            return _begin(log, lanes, lane)
    return _begin(log, lanes, lane)


def _begin(log: SearchLog, lanes: Lanes, lane: int) -> tuple[SearchLog, float]:
    """The next probe, on an empty queue; infinite when the search has ended."""
    while not isinstance(step := next_step(log), (Answer, Measure)):
        if isinstance(step, Drain):
            log = drained(log)
        elif isinstance(step, ProveHealth):
            log = proved(log, healthy=True)
    if isinstance(step, Answer):
        return log, float("inf")
    lanes.restart(lane, step.rate_per_s)
    return log, step.warmup_s + step.seconds


def _stretch(system: VirtualSystem, lanes: Lanes, lane: int, start: int, end: int) -> Stretch:
    def seconds(counts: NDArray[np.int64]) -> tuple[int, ...]:
        return tuple(counts[lane, start:end].tolist())

    planned = seconds(lanes.planned)
    return Stretch(
        tallies={
            system.late: Tally(planned=planned, missed=seconds(lanes.missed)),
            system.wrong: Tally(planned=planned, missed=seconds(lanes.wrong)),
        }
    )
