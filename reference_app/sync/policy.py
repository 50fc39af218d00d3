"""How often a task is tried, and when again: both promises of the sources, by variant.

| Variant | Runs | Before the next run | After a task |
|---|---|---|---|
| ``queue`` (B-129, B-130) | 1 + 3 | nothing | 1 s |
| ``staggered`` (B-140) | 3 | 2 s, then 4 s | nothing |

``inline`` has no tasks; a worker that is started all the same follows ``queue``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

PARALLEL = 3
"""B-125: tasks at a time, for each worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Attributes:
    delays_s: Before the second run, the third ...; one run more than delays in all.
    pause_s: What each of a worker's places waits after a task.
    """

    delays_s: tuple[float, ...]
    pause_s: float

    @property
    def runs(self) -> int:
        """Of a task that never succeeds."""
        return 1 + len(self.delays_s)


POLICIES: dict[str, Policy] = {
    "inline": Policy(delays_s=(0.0, 0.0, 0.0), pause_s=1.0),
    "queue": Policy(delays_s=(0.0, 0.0, 0.0), pause_s=1.0),
    "staggered": Policy(delays_s=(2.0, 4.0), pause_s=0.0),
}


def policy_of(
    sync: Literal["inline", "queue", "staggered"], *, pause_s: float | None = None
) -> Policy:
    """The policy of a variant, with another pause if one is given (X-47)."""
    policy = POLICIES[sync]
    return policy if pause_s is None else replace(policy, pause_s=pause_s)
