"""Laws of how long an answer takes: pure, seeded, written as text on a command line.

constant:5ms            always
exponential:5ms         mean
lognormal:5ms:0.5       median, and the standard deviation of the logarithm
bimodal:2ms:50ms:0.05   usual, rare, and the share of the rare ones
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from palier.errors import ConfigError
from palier.model.duration import parse_duration

NS_PER_S: Final = 1_000_000_000

SLOW_START_FACTOR: Final = 10.0
"""A slow start begins with so many times the law."""


@dataclass(frozen=True, slots=True)
class Law:
    """One law.

    Attributes:
        kind: Its name.
        times_s: One time, or the usual and the rare one of ``bimodal``.
        shape: Standard deviation of the logarithm, or the share of rare ones; else 0.
    """

    kind: str
    times_s: tuple[float, ...]
    shape: float = 0.0

    @property
    def takes_no_time(self) -> bool:
        """True when every answer is due at once."""
        return not any(self.times_s)

    def mean_s(self) -> float:
        """Mean of the law."""
        if self.kind == "lognormal":
            return self.times_s[0] * math.exp(self.shape**2 / 2)
        if self.kind == "bimodal":
            usual, rare = self.times_s
            return usual + (rare - usual) * self.shape
        return self.times_s[0]

    def drawer(self, seed: int) -> Callable[[], int]:
        """Draws one time after the other, in nanoseconds."""
        chance = random.Random(seed)
        first_ns = self.times_s[0] * NS_PER_S
        if self.kind == "exponential" and first_ns:
            return lambda: int(chance.expovariate(1.0) * first_ns)
        if self.kind == "lognormal":
            return lambda: int(chance.lognormvariate(0.0, self.shape) * first_ns)
        if self.kind == "bimodal":
            usual_ns, rare_ns = (round(time_s * NS_PER_S) for time_s in self.times_s)
            return lambda: rare_ns if chance.random() < self.shape else usual_ns
        return lambda: round(first_ns)


_FORMS: Final = {
    "constant": (1, False),
    "exponential": (1, False),
    "lognormal": (1, True),
    "bimodal": (2, True),
}
"""How many times each law has, and whether a bare number follows them."""


def parse_law(text: str) -> Law:
    """The law of a text such as ``lognormal:5ms:0.5``.

    Raises:
        ConfigError: It is none.
    """
    kind, *words = text.split(":")
    times, shaped = _FORMS.get(kind, (0, False))
    if not times or len(words) != times + shaped:
        raise ConfigError(
            what=f"{text!r} is no latency law",
            where="law",
            fix="constant:5ms, exponential:5ms, lognormal:5ms:0.5 or bimodal:2ms:50ms:0.05",
        )
    return Law(kind, tuple(map(_time_s, words[:times])), _shape(words[-1]) if shaped else 0.0)


def _time_s(word: str) -> float:
    # A length of time is above 0 everywhere else; an answer may take none.
    return 0.0 if word in ("0", "0ms", "0s") else parse_duration(word)


def _shape(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise ConfigError(
            what=f"{word!r} is not a number of 0 or more", where="law", fix="write 0.5"
        )
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Stalls:
    """When the server does something else than its law says. Seconds from its first request.

    Attributes:
        freeze_s: Length of each freeze; None when it never freezes.
        every_s: One freeze lies in the middle of each such period.
        slow_start_s: Answers take ten times as long at the start, and as long as the law says
            from here on; None for no slow start.
        stop_at_s: It freezes here for good; None when it does not.
    """

    freeze_s: float | None = None
    every_s: float = 0.0
    slow_start_s: float | None = None
    stop_at_s: float | None = None

    def factor(self, at_s: float) -> float:
        """What the law is multiplied with at this time."""
        if self.slow_start_s is None or at_s >= self.slow_start_s:
            return 1.0
        return SLOW_START_FACTOR - (SLOW_START_FACTOR - 1.0) * at_s / self.slow_start_s

    def freeze_after(self, at_s: float) -> tuple[float, float] | None:
        """Begin and end of the next freeze that begins at ``at_s`` or later; None for none."""
        found: list[tuple[float, float]] = []
        if self.freeze_s is not None:
            first_s = (self.every_s - self.freeze_s) / 2
            begin_s = first_s + self.every_s * max(0, math.ceil((at_s - first_s) / self.every_s))
            found.append((begin_s, begin_s + self.freeze_s))
        if self.stop_at_s is not None:
            found.append((max(self.stop_at_s, at_s), math.inf))
        return min(found, default=None)


NEVER: Final = Stalls()
"""No stalls."""


def parse_freeze(text: str) -> tuple[float, float]:
    """Length and period of a text such as ``2s/20s``.

    Raises:
        ConfigError: It is none, or the freezes leave no time between them.
    """
    length, _, period = text.partition("/")
    freeze_s, every_s = parse_duration(length), parse_duration(period)
    if freeze_s >= every_s:
        raise ConfigError(
            what=f"freezes of {length} every {period} leave nothing between them",
            where="freeze",
            fix="write 2s/20s: two seconds in every twenty",
        )
    return freeze_s, every_s
