"""The ``health`` of a line: everything the loader knows of itself since the line before."""

from __future__ import annotations

import os
import time
from typing import Any

import gevent

from scenarios.names import Names
from scenarios.vitals.collector import CollectorWatch
from scenarios.vitals.kernel import Kernel, forced_switches, open_file_limit, open_files
from scenarios.vitals.stalls import StallWatch
from scenarios.vitals.wall_clock import WallClock


class Vitals:
    """Measures between two lines."""

    def __init__(self) -> None:
        self._kernel = Kernel()
        self._collector = CollectorWatch()
        self._stalls = StallWatch(self._kernel, self._collector)
        self._own_error = ""
        self._begin()

    def _begin(self) -> None:
        self._clock = WallClock()
        self._cpu_s = time.process_time()
        self._waited_s = self._kernel.spent().waiting_s
        self._stolen_s = self._kernel.stolen_s()
        self._forced_switches = forced_switches()

    def watch_loop(self) -> None:
        """Watch until it is killed."""
        self._begin()
        self._collector.begin()
        try:
            self._stalls.watch()
        finally:
            self._collector.end()

    def note_own_error(self, what: str) -> None:
        """This machine, not the service, was the reason that a request could not be sent."""
        self._own_error = what

    def since_last(self, *, sessions: int) -> dict[str, Any]:
        """The ``health`` of a line; starts afresh. What the system does not tell is absent.

        Args:
            sessions: Sessions in progress.
        """
        longest_s, stalls = self._stalls.since_last()
        pauses = self._collector.since_last()
        health: dict[str, Any] = {
            "loop_delay_max_ms": _ms(longest_s),
            "stalls": [[_ms(stall.late_s), stall.cause] for stall in stalls],
            "gc_pauses": pauses.number,
            "gc_max_ms": _ms(pauses.longest_s),
            "gc_total_ms": _ms(pauses.total_s),
            "wall_moved_ms": _ms(self._clock.moved_s()),
            "sessions": sessions,
            **self._processor(),
            **self._resources(),
            **self._lookups(),
        }
        if self._own_error:
            health["own_error"] = self._own_error
        return {name: value for name, value in health.items() if value is not None}

    def _processor(self) -> dict[str, Any]:
        cpu_s, waited_s = time.process_time(), self._kernel.spent().waiting_s
        stolen_s, switches = self._kernel.stolen_s(), forced_switches()
        told = {
            "cpu_s": round(cpu_s - self._cpu_s, 6),
            "core_wait_s": _since(waited_s, self._waited_s),
            "stolen_s": _since(stolen_s, self._stolen_s),
            "cores": os.cpu_count(),
            "forced_switches": switches - self._forced_switches,
        }
        self._cpu_s, self._waited_s = cpu_s, waited_s
        self._stolen_s, self._forced_switches = stolen_s, switches
        return told

    def _resources(self) -> dict[str, Any]:
        memory_mib = self._kernel.memory_mib()
        return {
            "files": open_files(),
            "files_limit": open_file_limit(),
            "tcp_sockets": self._kernel.sockets(),
            "memory_mib": None if memory_mib is None else round(memory_mib, 1),
        }

    @staticmethod
    def _lookups() -> dict[str, Any]:
        names = gevent.get_hub().resolver
        if not isinstance(names, Names):
            return {}
        told = names.since_last()
        return {
            "lookups": told.number,
            "lookup_max_ms": _ms(told.longest_s),
            "lookup_waits_ms": [_ms(wait_s) for wait_s in told.waits_s],
        }


def _since(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else round(now - before, 6)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
