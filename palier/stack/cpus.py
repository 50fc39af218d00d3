"""Which cores send the load and which serve it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from palier.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuPlan:
    """A division of the cores this process may use.

    Attributes:
        generator: Cores of the load generator.
        system: Cores of the system under test.
        shared: True when both use the same core, which bends every number.
        why: One sentence for the report.
    """

    generator: tuple[int, ...]
    system: tuple[int, ...]
    shared: bool
    why: str


def plan_cpus(cores: Sequence[int], *, generator_cores: int | None = None) -> CpuPlan:
    """Divide ``cores``; the generator gets the last quarter of them, rounded up.

    The share is what a Python generator needs to offer what a Python service of the remaining
    cores can answer, with room to spare: one core sends several thousand requests a second
    (docs/method.md).

    Args:
        cores: Usable cores; neighbours in the sequence share caches.
        generator_cores: Overrides the share.

    Raises:
        ConfigError: The override leaves nothing for one of the two.
    """
    count = len(cores)
    if count < 2:
        return CpuPlan(
            generator=tuple(cores),
            system=tuple(cores),
            shared=True,
            why="one core: generator and system share it and slow each other down",
        )
    wanted = math.ceil(count / 4) if generator_cores is None else generator_cores
    if not 0 < wanted < count:
        raise ConfigError(
            what=f"{wanted} of {count} cores for the load generator leaves none for one side",
            where="generator cores",
            fix=f"choose 1 to {count - 1}",
        )
    system = tuple(cores[: count - wanted])
    generator = tuple(cores[count - wanted :])
    return CpuPlan(
        generator=generator,
        system=system,
        shared=False,
        why=(
            f"{count} cores: the load comes from {_listed(generator)}, "
            f"the system runs on {_listed(system)}"
        ),
    )


def usable_cores() -> tuple[int, ...]:
    """Cores this process may use, hardware threads of one core side by side."""
    if not hasattr(os, "sched_getaffinity"):
        return tuple(range(os.cpu_count() or 1))
    cores = os.sched_getaffinity(0)
    return side_by_side(cores, {core: _siblings(core) for core in cores})


def side_by_side(cores: Iterable[int], siblings: Mapping[int, str]) -> tuple[int, ...]:
    """Order cores so that those with the same siblings follow each other."""
    first_of: dict[str, int] = {}
    ordered = sorted(cores)
    for core in ordered:
        first_of.setdefault(siblings[core], core)
    return tuple(sorted(ordered, key=lambda core: (first_of[siblings[core]], core)))


def _siblings(core: int) -> str:
    path = Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
    try:
        return path.read_text().strip()
    except OSError:
        # Some virtual machines and containers do not tell.
        return str(core)


def _listed(cores: Sequence[int]) -> str:
    return ("core " if len(cores) == 1 else "cores ") + ", ".join(map(str, cores))
