"""Watching a run from outside, once a second, on the run's clock."""

from __future__ import annotations

import dataclasses
import json
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from palier.analysis.facts import Fact
from palier.telemetry.components import ReplicaMeter, meters_of
from palier.telemetry.database import DatabaseMeter, FinalState
from palier.telemetry.facts import facts_of
from palier.telemetry.processes import MachineMeter, UsageMeter, others
from palier.telemetry.samples import TELEMETRY_NAME, Sample, write_samples
from palier.telemetry.watcher import Clock, Watcher

INTERVAL_S = 1.0

PATIENCE_S = 5.0
"""After this long without an answer a reading of a component counts as lost."""

STATEMENTS_SCHEMA = 1
STATEMENTS_NAME = "statements.json"

EVENTS_NAME = "events.jsonl"

ENDED_EVENT = "component"
"""Kind of the line in ``events.jsonl``; drawn into the figure of the run."""


class Observed(Protocol):
    """What telemetry must know of a stack."""

    @property
    def admin_url(self) -> str: ...

    @property
    def addresses(self) -> Mapping[str, str]:
        """Where to ask the components that keep statistics of themselves."""

    def processes(self) -> Mapping[str, Iterable[int]]:
        """Pids of each component at this moment."""

    def ended(self) -> Mapping[str, str]:
        """Components that have ended although nobody ended them, and how."""


class Telemetry:
    """Samples from ``with`` to its end, then writes the files; what does not answer is a gap.

    A thread for processes and one for each component that keeps statistics, so that one that hangs
    costs its own samples only.

    Args:
        stack: What to watch; None when the service is somebody else's.
        loader_pids: Pids of the load generator at this moment.
        t0: Start of the run, an instant of ``time.monotonic``.
        directory: Run directory; gets ``telemetry.parquet``, ``statements.json``, and a line in
            ``events.jsonl`` for each component that ends.
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
        self._directory = directory
        self._samples: list[Sample] = []
        self._clock = Clock(t0, INTERVAL_S)
        self._database: DatabaseMeter | None = None
        self._replica: ReplicaMeter | None = None
        self._watchers: dict[str, Watcher] = {}
        if stack is not None:
            self._database = DatabaseMeter(stack.admin_url)
            meters = {"database": self._database, **meters_of(stack.admin_url, stack.addresses)}
            replica = meters.get("replica")
            self._replica = replica if isinstance(replica, ReplicaMeter) else None
            self._watchers = {
                source: Watcher(
                    source,
                    meter,
                    clock=self._clock,
                    samples=self._samples,
                    patience_s=PATIENCE_S,
                )
                for source, meter in meters.items()
            }
        self._ended: dict[str, str] = {}
        self._thread = threading.Thread(target=self._watch_processes, name="telemetry", daemon=True)

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
        self._thread.start()
        for watcher in self._watchers.values():
            watcher.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._clock.stop()
        self._thread.join(PATIENCE_S)
        for watcher in self._watchers.values():
            watcher.join()
        write_samples(self._directory / TELEMETRY_NAME, list(self._samples))
        self._write_statements()

    @property
    def _final(self) -> FinalState | None:
        """State of the primary, with the statements of all servers."""
        final = None if self._database is None else self._database.final
        if final is None or final.statements is None:
            return final
        on_replica = None if self._replica is None else self._replica.final
        there = () if on_replica is None else on_replica.statements or ()
        return dataclasses.replace(final, statements=(*final.statements, *there))

    def _watch_processes(self) -> None:
        usage = UsageMeter()
        machine = MachineMeter()
        while True:
            now_s = self._clock.now_s()
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
                self._tell_of_ended(now_s, self._stack.ended())
            self._samples.extend(Sample(now_s, *reading) for reading in readings)
            for watcher in self._watchers.values():
                watcher.end_hanging_reading()
            if self._clock.wait_for_next_tick():
                return

    def _tell_of_ended(self, now_s: float, ended: Mapping[str, str]) -> None:
        """Written at once: whatever happens to us later, this is known."""
        for component, how in ended.items():
            if component not in self._ended:
                self._ended[component] = how
                event = {
                    "at_s": round(now_s, 3),
                    "kind": ENDED_EVENT,
                    "name": f"{component} ended with {how}",
                    "component": component,
                }
                with (self._directory / EVENTS_NAME).open("a", encoding="utf-8") as file:
                    file.write(json.dumps(event, ensure_ascii=False) + "\n")

    def _write_statements(self) -> None:
        """The statements of the run, or why they are not known."""
        statements = None if self._final is None else self._final.statements
        problem = None if self._stack is None else self._watchers["database"].problem
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
