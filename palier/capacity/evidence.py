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
class Tally:
    """One gate, second by second.

    Attributes:
        planned: Requests that the gate is about: all of them, or those of one operation.
        missed: How many of them missed it.
    """

    planned: tuple[int, ...]
    missed: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.planned) != len(self.missed) or any(
            not 0 <= missed <= planned
            for planned, missed in zip(self.planned, self.missed, strict=True)
        ):
            raise ConfigError(
                what="a second misses more requests than it planned, or seconds are missing",
                where=f"tally of {len(self.planned)} s",
                fix="count the gate for every second, among the requests planned in it",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Consecutive seconds under one rate, without their warm-up.

    Attributes:
        tallies: By id of the gate; all of the same seconds.
        run: Name of the run that measured it; empty in virtual time.
    """

    tallies: Mapping[str, Tally]
    run: str = ""

    def __post_init__(self) -> None:
        lengths = {len(tally.planned) for tally in self.tallies.values()}
        if len(lengths) != 1:
            raise ConfigError(
                what=f"the gates of a stretch cover {sorted(lengths)} seconds",
                where="gates " + (", ".join(self.tallies) or "none"),
                fix="tally every gate for the same seconds",
            )

    def __hash__(self) -> int:
        """A mapping has no hash of its own."""
        return hash(tuple(self.tallies.items()))

    @property
    def seconds(self) -> int:
        return len(next(iter(self.tallies.values())).planned)


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
    tallies = [stretch.tallies[gate.id] for stretch in stretches]
    return Counts(
        planned=np.array([n for tally in tallies for n in tally.planned], dtype=np.int64),
        missed=np.array([n for tally in tallies for n in tally.missed], dtype=np.int64),
    )
