"""What a search may do and how sure it has to be."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from palier.capacity.evidence import Gate
from palier.capacity.share import FEWEST_BATCHES
from palier.errors import ConfigError
from palier.model.bounds import NotNegative, Positive, Share, check_bounds

REACHED: Final = 1e-9
"""Room for rounding where a width or a rate is compared with its bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The question, the precision asked for, and the bounds.

    Attributes:
        gates: All of them have to hold at a rate that passes.
        start_per_s: Rate of the first probe.
        lowest_per_s: Below it nobody wants to know.
        highest_per_s: No probe is faster: what the load generator is certified for.
        width: The interval is at most this share of its lower end wide.
        error: Probability, over the whole search, that a decision was wrong.
        most_probes: Bound of the search.
        longest_s: Bound of the seconds under load, warm-ups included.
        first_look_s: Seconds of evidence after which a probe is looked at first.
        looks: How often it is looked at; the evidence doubles from look to look.
        firm_look: The look, counted from 0, from which a probe near the capacity may pass.
        warmup_s: Seconds at the start of every stretch that are no evidence.
        drain_s: How long the backlog of a probe may take to drain.
        proof_s: Seconds of load at the rate at which health is proved again.
        attempts: How often an unfit stretch of a probe, or a proof of health, is tried.
    """

    gates: tuple[Gate, ...]
    start_per_s: Positive
    lowest_per_s: Positive
    highest_per_s: Positive
    width: Share = 0.05
    error: Share = 0.05
    most_probes: int = 12
    longest_s: Positive = 7200.0
    first_look_s: int = 16
    looks: int = 7
    firm_look: int = 3
    warmup_s: NotNegative = 5.0
    drain_s: Positive = 60.0
    proof_s: Positive = 10.0
    attempts: int = 3

    def __post_init__(self) -> None:
        check_bounds(self)
        names = [gate.id for gate in self.gates]
        if not names or len(set(names)) != len(names):
            raise ConfigError(
                what="a search needs gates with different ids",
                where="gates of the search: " + (", ".join(names) or "none"),
                fix="give the tier a target with the role gate, each id once",
            )
        if not self.lowest_per_s <= self.start_per_s <= self.highest_per_s:
            raise ConfigError(
                what=f"the first rate {self.start_per_s:g}/s is not between the lowest "
                f"{self.lowest_per_s:g}/s and the highest {self.highest_per_s:g}/s",
                where="rates of the search",
                fix="start at a rate that the search may probe",
            )
        if min(self.most_probes, self.first_look_s, self.looks, self.attempts) < 1:
            raise ConfigError(
                what="probes, looks and attempts are counted from one",
                where="bounds of the search",
                fix="give at least 1 of each",
            )

    def look_at_s(self, look: int) -> int:
        """Seconds of evidence at a look; looks count from 0."""
        return int(self.first_look_s * 2**look)

    def is_narrow(self, low: float, high: float) -> bool:
        """Whether an interval is as narrow as was asked for."""
        return high - low <= self.width * low * (1 + REACHED)

    @property
    def firm_s(self) -> int:
        """Evidence that shows how misses cluster: that of the firm look, or of the last one."""
        return self.look_at_s(min(self.firm_look, self.looks - 1))

    @property
    def longest_probe_s(self) -> int:
        return self.look_at_s(self.looks - 1)

    @property
    def error_of_a_probe(self) -> float:
        """Boole's inequality: that of the search, shared by the probes it may make."""
        return self.error / self.most_probes


LONGEST_PART: Final = 3
"""The longest probe may take a third of the time of the search: one on each side of the capacity,
and as much for finding it."""

DECADE: Final = 50.0
"""Nobody asks whether a tier holds less than a fiftieth of the rate the search begins with."""


def make_rules(
    gates: tuple[Gate, ...],
    *,
    start_per_s: float,
    most_per_s: float,
    width: float = 0.05,
    longest_s: float = 7200.0,
    warmup_s: float = 5.0,
) -> Rules:
    """The rules of a search that is to end within ``longest_s`` of load.

    A short search has fewer and shorter looks: the error of a probe is spent over the time it may
    take, so a probe that could never be that long would never be decided.

    Raises:
        ConfigError: There is no gate, the bounds contradict each other, or the time is too short
            for a single look.
    """
    first_look_s = max(FEWEST_BATCHES, min(16, int(longest_s / 8)))
    looks = 1
    while looks < 7 and first_look_s * 2**looks <= longest_s / LONGEST_PART:
        looks += 1
    return Rules(
        gates=gates,
        start_per_s=start_per_s,
        lowest_per_s=min(start_per_s, max(1.0, start_per_s / DECADE)),
        highest_per_s=most_per_s,
        width=width,
        longest_s=longest_s,
        first_look_s=first_look_s,
        looks=looks,
        warmup_s=float(math.ceil(min(warmup_s, first_look_s / 3))),
        proof_s=float(max(FEWEST_BATCHES, min(10, first_look_s // 2))),
    )
