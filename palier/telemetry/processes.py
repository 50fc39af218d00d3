"""CPU and memory of the machine and of the components' processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import psutil

CORES = psutil.cpu_count() or 1

Reading = tuple[str, str, float]
"""Source, name, value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a component had used up to one moment.

    Attributes:
        cpu_s: CPU seconds of its processes, those included that have ended since it started.
        memory_bytes: Private memory of all its processes, and the largest shared part once:
            adding up resident sizes would count PostgreSQL's buffers once for each connection.
        processes: How many run.
    """

    cpu_s: float
    memory_bytes: int
    processes: int


def usage_of(pids: Iterable[int]) -> Usage:
    """Look at the processes now; those that have just ended count nothing.

    A process that ended passes its CPU time on to its parent once that has taken notice, and the
    parents are among ``pids``: PostgreSQL's backends come and go without a second being lost.
    """
    cpu_s = 0.0
    private_bytes = 0
    shared_bytes = 0
    processes = 0
    for pid in pids:
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                times = process.cpu_times()
                memory = process.memory_info()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        cpu_s += times.user + times.system + times.children_user + times.children_system
        # Linux alone tells how much is shared.
        shared = getattr(memory, "shared", 0)
        private_bytes += memory.rss - shared
        shared_bytes = max(shared_bytes, shared)
        processes += 1
    return Usage(cpu_s=cpu_s, memory_bytes=private_bytes + shared_bytes, processes=processes)


class UsageMeter:
    """Turns what components have used into what they use per second."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[float, Usage]] = {}

    def read(self, now_s: float, components: Mapping[str, Iterable[int]]) -> Iterator[Reading]:
        """Yield (source, name, value) for every component; CPU from the second reading on.

        Args:
            now_s: Time on any steady clock, in seconds.
            components: Pids of each component at this moment.
        """
        for source, pids in components.items():
            usage = usage_of(pids)
            last = self._last.get(source)
            self._last[source] = (now_s, usage)
            yield source, "memory_bytes", usage.memory_bytes
            yield source, "processes", usage.processes
            # Less than before: it was started again, and there is nothing to compare with.
            if last is not None and now_s > last[0] and usage.cpu_s >= last[1].cpu_s:
                yield source, "cpu_cores", (usage.cpu_s - last[1].cpu_s) / (now_s - last[0])


class MachineMeter:
    """CPU and memory of the whole machine, whoever uses them."""

    def __init__(self) -> None:
        self._last = psutil.cpu_times()

    def read(self) -> Iterator[Reading]:
        """Yield (source, name, value); CPU as shares of the time since the reading before."""
        times = psutil.cpu_times()
        spent = {
            name: getattr(times, name) - getattr(self._last, name)
            # Guest time is part of user time already.
            for name in times._fields
            if not name.startswith("guest")
        }
        self._last = times
        total = sum(spent.values())
        if total > 0:
            waiting = spent["idle"] + spent.get("iowait", 0.0)
            steal = spent.get("steal", 0.0)
            # Time another virtual machine took is neither ours to use nor idle.
            yield "machine", "cpu_ratio", min(1.0, max(0.0, (total - waiting - steal) / total))
            yield "machine", "steal_ratio", min(1.0, max(0.0, steal / total))
        yield "machine", "cores", float(CORES)
        memory = psutil.virtual_memory()
        yield "machine", "memory_used_ratio", 1 - memory.available / memory.total


def others(readings: Iterable[Reading]) -> Iterator[Reading]:
    """Cores used by what is none of ours: work on the same machine that takes from what we measure.

    Args:
        readings: One look at the machine and at every component of ours.
    """
    busy = None
    ours = 0.0
    for source, name, value in readings:
        if (source, name) == ("machine", "cpu_ratio"):
            busy = value * CORES
        elif name == "cpu_cores":
            ours += value
    if busy is not None and ours > 0:
        # Both are rounded to clock ticks, so the difference may come out just below nothing.
        yield "others", "cpu_cores", max(0.0, busy - ours)
