"""Queues in closed form, and simulated ones against them and against a plain loop."""

from __future__ import annotations

import heapq
import math

import numpy as np
import pytest

from palier.capacity.queue import Queue, capacity, erlang_c, share_longer, share_missed
from palier.capacity.virtual import Lanes, VirtualSystem, wait_in_line


def test_erlangs_formula_gives_its_known_values() -> None:
    assert erlang_c(1, 0.7) == pytest.approx(0.7)
    assert erlang_c(2, 1.0) == pytest.approx(1 / 3)
    assert erlang_c(4, 3.0) == pytest.approx(0.5094, abs=1e-4)


@pytest.mark.parametrize("rate", [1.0, 50.0, 99.0])
def test_the_response_time_of_one_server_is_exponential(rate: float) -> None:
    queue = Queue(servers=1, service_per_s=100)
    for limit in (0.001, 0.05, 1.0):
        assert share_longer(queue, rate, limit) == pytest.approx(math.exp(-(100 - rate) * limit))


def test_the_tail_of_many_servers_is_that_of_wait_and_service() -> None:
    queue, rate, limit = Queue(servers=4, service_per_s=10), 33.0, 0.3
    waits, faster = erlang_c(4, 3.3), 40 - 33.0
    both = (faster * math.exp(-10 * limit) - 10 * math.exp(-faster * limit)) / (faster - 10)
    expected = (1 - waits) * math.exp(-10 * limit) + waits * both
    assert share_longer(queue, rate, limit) == pytest.approx(expected)


def test_equal_rates_of_wait_and_service_need_no_care() -> None:
    queue = Queue(servers=2, service_per_s=10)
    near = [share_longer(queue, 10 + shift, 0.2) for shift in (-1e-7, 0.0, 1e-7)]
    assert near[0] == pytest.approx(near[1], rel=1e-6)
    assert near[2] == pytest.approx(near[1], rel=1e-6)


def test_a_saturated_queue_is_always_late() -> None:
    assert share_longer(Queue(servers=2, service_per_s=10), 20.0, 60.0) == 1.0


@pytest.mark.parametrize("lag_s", [0.0, 0.002])
def test_the_capacity_is_the_rate_that_misses_exactly_what_is_allowed(lag_s: float) -> None:
    queue = Queue(servers=3, service_per_s=50, lag_s=lag_s, error_ratio=0.002)
    rate = capacity(queue, limit_s=0.1, allowed=0.05)
    assert share_missed(queue, rate, 0.1) == pytest.approx(0.05)


def test_the_capacity_of_one_server_is_that_of_the_textbook() -> None:
    queue = Queue(servers=1, service_per_s=1000)
    assert capacity(queue, limit_s=0.01, allowed=0.05) == pytest.approx(1000 - math.log(20) / 0.01)


def test_a_limit_below_the_service_time_is_met_at_no_rate() -> None:
    assert capacity(Queue(servers=4, service_per_s=1), limit_s=0.1, allowed=0.05) == 0.0


@pytest.mark.parametrize("servers", [1, 2, 5])
def test_queues_side_by_side_wait_as_each_does_alone(servers: int) -> None:
    rng = np.random.default_rng(servers)
    arrivals = np.cumsum(rng.exponential(1.0, size=(400, 3)), axis=0)
    services = rng.exponential(0.9 * servers, size=(400, 3))
    free = np.zeros((servers, 3))
    waits = wait_in_line(free, arrivals, services)
    for queue in range(3):
        plain = [0.0] * servers
        for customer in range(400):
            begin = max(arrivals[customer, queue], heapq.heappop(plain))
            heapq.heappush(plain, begin + services[customer, queue])
            assert waits[customer, queue] == pytest.approx(begin - arrivals[customer, queue])
        assert sorted(plain) == pytest.approx(free[:, queue].tolist())


@pytest.mark.parametrize("servers", [1, 4])
def test_simulated_queues_miss_the_share_of_the_closed_form(servers: int) -> None:
    queue = Queue(servers=servers, service_per_s=400 / servers, lag_s=2e-4, error_ratio=0.01)
    system, rate = VirtualSystem(queue=queue, limit_s=0.05), 300.0
    lanes = Lanes(system, 60, 100, np.random.default_rng(servers))
    for lane in range(60):
        lanes.restart(lane, rate)
    while lanes.now_s.min() < 90:
        lanes.advance(np.arange(60))
    seen = lanes.missed[:, 5:90].sum() / lanes.planned[:, 5:90].sum()
    wrong = lanes.wrong[:, 5:90].sum() / lanes.planned[:, 5:90].sum()
    assert seen == pytest.approx(share_missed(queue, rate, 0.05), rel=0.05)
    assert wrong == pytest.approx(0.01, rel=0.05)
