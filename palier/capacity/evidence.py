"""What a probe is judged by: gates as shares, and the seconds in which they were missed.

Every gate of a search is one question: of the requests planned, how many may miss it? "p95 of the
response time < 300 ms" allows 5 % of them to be wrong, unanswered or slower than 300 ms; "errors
< 1 %" allows 1 % to be wrong. Counting planned requests keeps fast failures from hiding slowness.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from palier.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One gate.

    Attributes:
        id: Id of its target, ``"T-52"``.
        allowed: Share of the planned requests that may miss it, in (0, 1).
    """

    id: str
    allowed: float

    def __post_init__(self) -> None:
        if not 0 < self.allowed < 1:
            raise ConfigError(
                what=f"a gate cannot allow a share of {self.allowed:g}",
                where=f"gate {self.id}",
                fix="give a share above 0 and below 1; 0.05 for p95",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Consecutive seconds under one rate, without their warm-up.

    Attributes:
        planned: Requests of each second.
        missed: For each gate, how many of them missed it.
    """

    planned: tuple[int, ...]
    missed: Mapping[str, tuple[int, ...]]

    def __post_init__(self) -> None:
        for gate, missed in self.missed.items():
            if len(missed) != len(self.planned) or any(
                not 0 <= few <= all_ for few, all_ in zip(missed, self.planned, strict=True)
            ):
                raise ConfigError(
                    what="a second misses more requests than it planned, or seconds are missing",
                    where=f"gate {gate} of a stretch of {len(self.planned)} s",
                    fix="count each gate for every second among the requests planned in it",
                )

    def __hash__(self) -> int:
        """A mapping has no hash; the seconds of a measurement are as good as unique."""
        return hash(self.planned)

    @property
    def seconds(self) -> int:
        return len(self.planned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Requests of each second and how many of them missed one gate; shape (seconds,)."""

    planned: NDArray[np.int64]
    missed: NDArray[np.int64]

    @property
    def share(self) -> float:
        planned = int(self.planned.sum())
        return int(self.missed.sum()) / planned if planned else 0.0


def counts_of(stretches: Sequence[Stretch], gate: Gate) -> Counts:
    """The seconds of one gate over the stretches of a probe, in order."""
    planned = [count for stretch in stretches for count in stretch.planned]
    missed = [count for stretch in stretches for count in stretch.missed[gate.id]]
    return Counts(
        planned=np.array(planned, dtype=np.int64), missed=np.array(missed, dtype=np.int64)
    )
