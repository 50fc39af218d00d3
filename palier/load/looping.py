"""Users of a closed load: who is there when, and what each would do if no answer took time.

A user waits for every answer, so how much is asked depends on the system. The plan holds the most
that can be asked, all pauses and no waiting; what a user has no time for is skipped in the second
in which it would have been, and counted (docs/decisions/0060-shapes-of-load.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, pairwise
from random import Random

from palier.load.chance import MICROSECONDS, stream, think_us
from palier.load.session import Stay
from palier.model.curve import Polyline
from palier.model.journey import Journey
from palier.model.plan import RunPlan
from palier.model.profile import Loop


def users_of(plan: RunPlan) -> list[Stay]:
    """One session for each time that a user is there.

    User u is there while the number of users, a real number that moves with the level, is at
    least u + 1/2: then the whole users are the nearest to it. Each has one account.
    """
    loop, curve = plan.loop, plan.curve
    assert loop is not None  # an open load has no users
    assert isinstance(curve, Polyline)  # a rule of the file
    window_us = round(plan.duration_s * MICROSECONDS)
    most = int(loop.users * curve.peak + 0.5)
    at_start = int(loop.users * curve.level(0.0) + 0.5)
    sessions: list[Stay] = []
    for user in range(most):
        walk = Walk(loop, plan.journeys[0], stream(plan.seed, f"user/{user}"))
        for from_us, to_us in presence_us(curve, (user + 0.5) / loop.users, window_us):
            is_there_already = from_us == 0 and user < at_start
            if is_there_already and loop.starts == "spread":
                first_step, at_us = walk.in_progress((user + 0.5) / at_start)
            else:
                first_step, at_us = 0, from_us
            pauses_us = walk.pauses_us(first_step, to_us - at_us)
            if pauses_us:
                sessions.append(
                    Stay(
                        at_us=at_us,
                        journey=plan.journeys[0].id,
                        tenant=user % plan.tier.data.tenants,
                        first_step=first_step,
                        pauses_us=pauses_us,
                        until_us=to_us,
                    )
                )
    return sessions


def presence_us(curve: Polyline, level: float, window_us: int) -> Iterator[tuple[int, int]]:
    """When the curve is at a level or above it, within the window: [from, to) in microseconds."""
    since_us = 0 if curve.level(0.0) >= level else None
    for (from_s, low), (to_s, high) in pairwise(curve.points):
        if (low >= level) == (high >= level):
            continue
        crossed_s = from_s + (to_s - from_s) * (level - low) / (high - low)
        crossed_us = min(round(crossed_s * MICROSECONDS), window_us)
        if since_us is None:
            since_us = crossed_us
        else:
            if crossed_us > since_us:
                yield since_us, crossed_us
            since_us = None
    if since_us is not None and since_us < window_us:
        yield since_us, window_us


class Walk:
    """One user's way around the loop."""

    def __init__(self, loop: Loop, journey: Journey, random: Random) -> None:
        self._loop = loop
        self._thinks_s = [step.think_s for step in journey.steps]
        self._random = random

    def pauses_us(self, first_step: int, time_us: int) -> tuple[int, ...]:
        """Pauses before each step that fits into a time; the first, at once, has none."""
        if time_us <= 0:
            return ()
        pauses, at_us = [0], 0
        for step in count(first_step + 1):
            pause_us = self.pause_us(step)
            at_us += pause_us
            if at_us >= time_us:
                break
            pauses.append(pause_us)
        return tuple(pauses)

    def in_progress(self, share: float) -> tuple[int, int]:
        """The next step of somebody who has done a share of a time around, and how far it is."""
        first, steps = self._loop.once, len(self._thinks_s)
        offsets_us = [0]
        for step in range(first + 1, steps + 1):
            offsets_us.append(offsets_us[-1] + self.pause_us(step))
        done_us = round(share * offsets_us[-1])
        for step, offset_us in zip(range(first, steps), offsets_us, strict=False):
            if offset_us >= done_us:
                return step, offset_us - done_us
        return first, offsets_us[-1] - done_us

    def pause_us(self, step: int) -> int:
        """Pause before a step, counted on when the journey comes again."""
        steps, first = len(self._thinks_s), self._loop.once
        place = step if step < steps else first + (step - steps) % (steps - first)
        pause_us = self._think_us(self._thinks_s[place])
        if step >= steps and place == first:
            pause_us += self._think_us(self._loop.pause_s)
        return pause_us

    def _think_us(self, mean_s: float) -> int:
        if self._loop.thinks == "exactly":
            return round(mean_s * MICROSECONDS)
        return think_us(mean_s, self._random)
