"""Queues whose capacity is known: M/M/c, first come first served, in closed form.

They are what the search is proved against. A response time is the wait, the service and the lag
of the measuring side; a request misses its limit when that sum is longer, or when it goes wrong.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import expm
from scipy.optimize import brentq


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Poisson arrivals, exponential services, ``servers`` alike, one line.

    Attributes:
        servers: 1 for M/M/1.
        service_per_s: Services of one server in a second of work.
        lag_s: Mean of an exponential lag that the measuring side adds; 0 for none.
        error_ratio: Share of the requests that go wrong at any rate.
    """

    servers: int
    service_per_s: float
    lag_s: float = 0.0
    error_ratio: float = 0.0

    @property
    def saturation_per_s(self) -> float:
        """The rate at which the line grows without end."""
        return self.servers * self.service_per_s


def erlang_c(servers: int, load: float) -> float:
    """Probability that an arrival of M/M/c has to wait.

    Args:
        load: Arrival rate over the service rate of one server; below ``servers``.

    Source: the stable recursion of Erlang's B formula; Cooper (1981), Introduction to Queueing
        Theory, section 3.4.
    """
    blocked = 1.0
    for server in range(1, servers + 1):
        blocked = load * blocked / (server + load * blocked)
    busy = load / servers
    return blocked / (1 - busy + busy * blocked)


def share_longer(queue: Queue, rate_per_s: float, limit_s: float) -> float:
    """Share of requests in the steady state whose response time is longer than ``limit_s``.

    The wait is 0 with probability ``1 - C`` and exponential with rate ``c mu - lambda`` otherwise;
    service and lag follow it independently. So the sum is the time that a chain of at most three
    exponential phases takes, and its tail is ``start expm(G t) 1``, which needs no care where two
    rates coincide. For M/M/1 without lag it is ``exp(-(mu - lambda) t)``.

    Source: Neuts (1981), Matrix-Geometric Solutions in Stochastic Models, section 2.2.
    """
    if rate_per_s >= queue.saturation_per_s:
        return 1.0
    waits = erlang_c(queue.servers, rate_per_s / queue.service_per_s)
    phases = [queue.saturation_per_s - rate_per_s, queue.service_per_s]
    if queue.lag_s > 0:
        phases.append(1 / queue.lag_s)
    generator = np.diag([-rate for rate in phases]) + np.diag(phases[:-1], k=1)
    start = np.zeros(len(phases))
    start[0], start[1] = waits, 1 - waits
    return float((start @ expm(generator * limit_s)).sum())


def share_missed(queue: Queue, rate_per_s: float, limit_s: float) -> float:
    """Share of requests that go wrong or take longer than the limit."""
    return queue.error_ratio + (1 - queue.error_ratio) * share_longer(queue, rate_per_s, limit_s)


def capacity(queue: Queue, *, limit_s: float, allowed: float) -> float:
    """The truth of a search: the highest rate whose steady state misses ``allowed`` at most.

    "p95 < 40 ms" is ``limit_s=0.04, allowed=0.05``. 0 when not even an empty queue meets it.
    """

    def excess(rate_per_s: float) -> float:
        return math.log(share_missed(queue, rate_per_s, limit_s) / allowed)

    lowest = 1e-6 * queue.saturation_per_s
    if excess(lowest) > 0:
        return 0.0
    return float(brentq(excess, lowest, queue.saturation_per_s, xtol=1e-12, rtol=1e-12))
