"""Prometheus metrics of one process.

Each application process has its own and answers ``/metrics`` with them; which process answered is
in ``app_process_info``. A scraper that wants the sum scrapes until it has seen every process, or
runs one process. A registry of our own keeps two applications in one test process apart.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The stated targets (200, 300, 500 ms, 1 s, 10 s) are bucket edges, so they can be read off."""

_GAUGES = ("pool_min", "pool_max", "pool_size", "pool_available", "requests_waiting")


class Metrics:
    """Counters of requests, and the pool's own numbers read when asked.

    Args:
        pool_statistics: Gives ``psycopg_pool``'s counters by name.
    """

    def __init__(self, pool_statistics: Callable[[], Mapping[str, int]]) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "app_requests",
            "Requests answered",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._duration_s = Histogram(
            "app_request_duration_seconds",
            "Time from request to last byte",
            ["method", "route"],
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "app_requests_in_flight", "Requests being answered", registry=self.registry
        )
        Gauge(
            "app_process_info",
            "1; the label says which process this is",
            ["pid"],
            registry=self.registry,
        ).labels(str(os.getpid())).set(1)
        self.cache = CacheCounters(self.registry)
        self.registry.register(_PoolCollector(pool_statistics))

    def record(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Count one answered request."""
        self._requests.labels(method, route, str(status)).inc()
        self._duration_s.labels(method, route).observe(duration_s)


class CacheCounters:
    """What the page cache did, by family of answers (``reference_app.cache.families``)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._hits = Counter(
            "app_cache_hits", "Answers that were kept and still true", ["family"], registry=registry
        )
        self._misses = Counter(
            "app_cache_misses", "Answers that had to be made", ["family"], registry=registry
        )
        self._errors = Counter(
            "app_cache_errors", "Times the cache could not be asked", ["family"], registry=registry
        )

    def hit(self, family: str) -> None:
        self._hits.labels(family).inc()

    def miss(self, family: str) -> None:
        self._misses.labels(family).inc()

    def error(self, family: str) -> None:
        self._errors.labels(family).inc()


class ReplicaMetrics(Collector):
    """Where reports were read, and how late the replica is; what is not known is not shown.

    Attributes:
        is_up: Whether it answered last; None before it was asked.
        lag_bytes: Log of the primary that it has not replayed.
        lag_s: How old its state is.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.is_up: bool | None = None
        self.lag_bytes: int | None = None
        self.lag_s: float | None = None
        self._reads = Counter(
            "app_report_reads",
            "Reports by the server they were read from, and why",
            ["server", "reason"],
            registry=registry,
        )
        registry.register(self)

    def read(self, server: str, reason: str) -> None:
        """Count one choice."""
        self._reads.labels(server, reason).inc()

    def collect(self) -> Iterable[Metric]:
        gauges = (
            ("app_replica_up", "1 while the replica answers", self.is_up),
            ("app_replica_lag_bytes", "Log that the replica has not replayed", self.lag_bytes),
            ("app_replica_lag_seconds", "How old the replica's state is", self.lag_s),
        )
        for name, text, value in gauges:
            if value is not None and (self.is_up or name == "app_replica_up"):
                yield GaugeMetricFamily(name, text, value=float(value))

    def describe(self) -> Iterable[Metric]:
        return ()


class _PoolCollector(Collector):
    def __init__(self, statistics: Callable[[], Mapping[str, int]]) -> None:
        self._statistics = statistics

    def collect(self) -> Iterable[Metric]:
        for name, value in self._statistics().items():
            kind = GaugeMetricFamily if name in _GAUGES else CounterMetricFamily
            yield kind(f"app_pool_{name}", "See psycopg_pool, statistics", value=value)

    def describe(self) -> Iterable[Metric]:
        return ()
