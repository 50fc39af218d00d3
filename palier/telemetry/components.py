"""Statistics that Redis, the replica, PgBouncer, nginx and the calendars keep of themselves."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import redis
from psycopg.rows import dict_row
from redis.backoff import NoBackoff
from redis.retry import Retry

from palier.telemetry.database import DatabaseMeter, FinalState
from palier.telemetry.link import Link
from palier.telemetry.meter import Meter, Rates

PATIENCE_S = 2.0
"""For one answer on the same machine; the next second brings another chance."""

_LAG = """
SELECT greatest(0, pg_wal_lsn_diff(%s::pg_lsn, pg_last_wal_replay_lsn()))::float8,
       coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0)::float8
"""

_CONSOLE = "pgbouncer"
"""PgBouncer's own database among those it tells of."""


class RedisMeter(Meter):
    """``INFO``; on somebody's own server all of its users are in it."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=PATIENCE_S,
            socket_connect_timeout=PATIENCE_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._rates = Rates()

    def read(self, now_s: float) -> Iterator[tuple[str, float]]:
        info: dict[str, Any] = self._client.info()
        yield "data_bytes", float(info["used_memory"])
        # Without our own.
        yield "connections", float(info["connected_clients"]) - 1
        yield "keys", float(sum(info[name]["keys"] for name in info if re.match(r"db\d", name)))
        yield from self._rates.of(
            now_s,
            {
                "hits_per_s": float(info["keyspace_hits"]),
                "misses_per_s": float(info["keyspace_misses"]),
                "evicted_per_s": float(info["evicted_keys"]),
                "commands_per_s": float(info["total_commands_processed"]),
            },
        )

    def close(self) -> None:
        self._client.close()


class ReplicaMeter(Meter):
    """How far the replica is behind, and what a database tells of itself.

    Args:
        primary_url: The database on the primary.
        replica_url: The same on the replica.
    """

    def __init__(self, primary_url: str, replica_url: str) -> None:
        self._primary = Link(primary_url)
        self._replica = Link(replica_url)
        self._database = DatabaseMeter(replica_url)

    @property
    def final(self) -> FinalState | None:
        """What stands at the end: reports that are read here appear in its statements alone."""
        return self._database.final

    def start(self) -> None:
        self._database.start()

    def finish(self) -> None:
        self._database.finish()

    def read(self, now_s: float) -> Iterator[tuple[str, float]]:
        # Asked first: what the replica has replayed beyond that is no lag.
        written = self._primary.connection().execute("SELECT pg_current_wal_lsn()::text").fetchone()
        if written is None:
            raise AssertionError("a SELECT without FROM always has a row")
        lag = self._replica.connection().execute(_LAG, written).fetchone()
        if lag is None:
            raise AssertionError("a SELECT without FROM always has a row")
        behind_bytes, since_s = lag
        yield "lag_bytes", behind_bytes
        # A replica that has all of it is not late, however long ago the last change was.
        yield "lag_s", since_s if behind_bytes else 0.0
        yield from self._database.read(now_s)

    def cut(self) -> None:
        for one in (self._primary, self._replica, self._database):
            one.cut()

    def close(self) -> None:
        for one in (self._primary, self._replica, self._database):
            one.close()


class PoolerMeter(Meter):
    """``SHOW POOLS`` and ``SHOW STATS`` of PgBouncer's console.

    Source: PgBouncer documentation, "Admin console".
    """

    def __init__(self, console_url: str) -> None:
        self._console = Link(console_url)
        self._rates = Rates()

    def read(self, now_s: float) -> Iterator[tuple[str, float]]:
        pools = self._rows("SHOW POOLS")
        yield "clients", _sum(pools, "cl_active") + _sum(pools, "cl_waiting")
        yield "clients_waiting", _sum(pools, "cl_waiting")
        servers = ("sv_active", "sv_idle", "sv_used", "sv_tested", "sv_login")
        yield "servers", sum(_sum(pools, name) for name in servers)
        yield "servers_active", _sum(pools, "sv_active")
        yield (
            "longest_wait_s",
            max(
                (float(row["maxwait"]) + float(row["maxwait_us"]) / 1e6 for row in pools), default=0
            ),
        )
        totals = self._rows("SHOW STATS")
        yield from self._rates.of(
            now_s,
            {
                "transactions_per_s": _sum(totals, "total_xact_count"),
                # Seconds that clients waited for a server connection, in a second.
                "clients_waiting_mean": _sum(totals, "total_wait_time") / 1e6,
            },
        )

    def cut(self) -> None:
        self._console.cut()

    def close(self) -> None:
        self._console.close()

    def _rows(self, command: str) -> list[dict[str, Any]]:
        connection = self._console.connection()
        with connection.cursor(row_factory=dict_row) as cursor:
            # Bytes: the console speaks the simple protocol, which takes no parameters.
            rows = cursor.execute(command.encode()).fetchall()
        return [row for row in rows if row["database"] != _CONSOLE]


class WebCacheMeter(Meter):
    """nginx's counters. Source: its documentation, ngx_http_stub_status_module."""

    def __init__(self, status_url: str) -> None:
        self._url = status_url
        self._rates = Rates()

    def read(self, now_s: float) -> Iterator[tuple[str, float]]:
        numbers = [float(number) for number in re.findall(r"\d+", _fetched(self._url))]
        connections, _accepted, _handled, requests, _reading, _writing, idle = numbers
        # Without our own, which is not idle now.
        yield "connections", connections - 1
        yield "connections_active", connections - idle - 1
        yield from self._rates.of(now_s, {"requests_per_s": requests})


class CalendarMeter(Meter):
    """What was asked of the outside world."""

    def __init__(self, address: str) -> None:
        self._url = f"{address}/counts"
        self._rates = Rates()

    def read(self, now_s: float) -> Iterator[tuple[str, float]]:
        counts = json.loads(_fetched(self._url))
        # Addresses that nobody should ever have asked for.
        yield "strangers", float(sum(counts["strangers"].values()))
        yield from self._rates.of(now_s, {"requests_per_s": float(counts["requests"])})


def meters_of(admin_url: str, addresses: Mapping[str, str]) -> dict[str, Meter]:
    """A meter for each component that has one.

    Args:
        admin_url: The database on the primary.
        addresses: Where to ask, by component.
    """
    made: dict[str, Callable[[str], Meter]] = {
        "redis": RedisMeter,
        "replica": lambda address: ReplicaMeter(admin_url, address),
        "pgbouncer": PoolerMeter,
        "web_cache": WebCacheMeter,
        "calendar_platform": CalendarMeter,
    }
    return {name: made[name](address) for name, address in addresses.items()}


def _sum(rows: list[dict[str, Any]], name: str) -> float:
    return float(sum(int(row[name]) for row in rows))


def _fetched(url: str) -> str:
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
        return str(answer.read().decode())
