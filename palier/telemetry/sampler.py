"""Watching a run from outside, once a second, on the run's clock."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import psycopg

from palier.analysis.facts import Fact
from palier.telemetry.database import DatabaseMeter, FinalState
from palier.telemetry.facts import facts_of
from palier.telemetry.processes import MachineMeter, UsageMeter, others
from palier.telemetry.samples import TELEMETRY_NAME, Sample, write_samples

INTERVAL_S = 1.0

PATIENCE_S = 5.0
"""After this long without an answer a reading of the database counts as lost."""

STATEMENTS_SCHEMA = 1
STATEMENTS_NAME = "statements.json"


class Observed(Protocol):
    """What telemetry must know of a stack."""

    @property
    def admin_url(self) -> str: ...

    def processes(self) -> Mapping[str, Iterable[int]]:
        """Pids of each component at this moment."""


class Telemetry:
    """Samples from ``with`` to its end, then writes the files; a lost database is a gap.

    Two threads: one for processes, one for the database, so that a database that hangs costs its
    own samples only.

    Args:
        stack: What to watch; None when the service is somebody else's.
        loader_pids: Pids of the load generator at this moment.
        t0: Start of the run, an instant of ``time.monotonic``.
        directory: Run directory; gets ``telemetry.parquet`` and ``statements.json``.
    """

    def __init__(
        self,
        stack: Observed | None,
        *,
        loader_pids: Callable[[], Iterable[int]],
        t0: float,
        directory: Path,
    ) -> None:
        self._stack = stack
        self._loader_pids = loader_pids
        self._t0 = t0
        self._directory = directory
        self._meter = None if stack is None else DatabaseMeter(stack.admin_url)
        self._final: FinalState | None = None
        self._final_problem: str | None = None
        self._samples: list[Sample] = []
        self._stopped = threading.Event()
        self._reading_since: float | None = None
        self._threads = [
            threading.Thread(target=self._watch_processes, name="telemetry", daemon=True)
        ]
        if self._meter is not None:
            self._threads.append(
                threading.Thread(
                    target=self._watch_database,
                    args=(self._meter,),
                    name="telemetry-database",
                    daemon=True,
                )
            )

    @property
    def samples(self) -> tuple[Sample, ...]:
        """What was sampled so far, in order of arrival."""
        return tuple(self._samples)

    def facts(self, *, from_s: float, to_s: float, system_cores: int) -> tuple[Fact, ...]:
        """Single numbers of the window, see ``facts_of``; complete after the ``with`` block."""
        return facts_of(
            self._samples, self._final, from_s=from_s, to_s=to_s, system_cores=system_cores
        )

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)
            if thread.is_alive() and self._meter is not None:
                self._meter.cut()
                thread.join(PATIENCE_S)
        write_samples(self._directory / TELEMETRY_NAME, list(self._samples))
        self._write_statements()

    def _watch_processes(self) -> None:
        usage = UsageMeter()
        machine = MachineMeter()
        while True:
            now_s = self._now_s()
            components: dict[str, Iterable[int]] = {
                "loaders": self._loader_pids(),
                "palier": (os.getpid(),),
            }
            if self._stack is not None:
                components.update(self._stack.processes())
            readings = [*usage.read(now_s, components), *machine.read()]
            if self._stack is not None:
                # Somebody's own service may run here, too, and cannot be told from the rest.
                readings += others(readings)
            self._samples.extend(Sample(now_s, *reading) for reading in readings)
            self._end_hanging_reading()
            if self._wait_for_next_tick():
                return

    def _watch_database(self, meter: DatabaseMeter) -> None:
        try:
            self._attempt(meter.start)
            while True:
                now_s = self._now_s()
                lost = self._attempt(
                    lambda at_s=now_s: self._samples.extend(  # type: ignore[misc]
                        Sample(at_s, "database", *reading) for reading in meter.read(at_s)
                    )
                )
                self._samples.append(
                    Sample(now_s, "database", "unavailable", 0.0 if lost is None else 1.0)
                )
                if self._wait_for_next_tick():
                    break
            self._final_problem = self._attempt(lambda: self._finish(meter))
        finally:
            meter.close()

    def _finish(self, meter: DatabaseMeter) -> None:
        self._final = meter.finish()

    def _attempt(self, action: Callable[[], None]) -> str | None:
        """Run it; a database that does not answer is an observation, not a failure of ours.

        Returns:
            None, or what the database (or its absence) said.
        """
        self._reading_since = time.monotonic()
        try:
            action()
        except psycopg.Error as error:
            return str(error).strip()
        finally:
            self._reading_since = None
        return None

    def _end_hanging_reading(self) -> None:
        since = self._reading_since
        if since is not None and time.monotonic() - since > PATIENCE_S and self._meter:
            self._meter.cut()

    def _wait_for_next_tick(self) -> bool:
        """Wait for the next whole second of the run; True when it is over."""
        tick = math.floor(self._now_s() / INTERVAL_S) + 1
        return self._stopped.wait(max(0.0, self._t0 + tick * INTERVAL_S - time.monotonic()))

    def _now_s(self) -> float:
        return time.monotonic() - self._t0

    def _write_statements(self) -> None:
        """The statements of the run, or why they are not known."""
        statements = None if self._final is None else self._final.statements
        problem = self._final_problem
        if self._stack is None:
            problem = "the service is not ours to look into"
        elif statements is None and problem is None:
            problem = "the extension pg_stat_statements is not active in this database"
        document = {
            "schema": STATEMENTS_SCHEMA,
            "problem": problem,
            "statements": [dataclasses.asdict(found) for found in statements or ()],
        }
        path = self._directory / STATEMENTS_NAME
        path.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
