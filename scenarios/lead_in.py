"""The lead-in: sessions that are in progress at t0 catch up before the run begins.

The window opens in the steady state (docs/decisions/0001-arrival-model.md), so some visitors have
signed in and done a few steps by then. Those steps are made here, before t0, without pauses and
few at a time; they are neither planned nor measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import gevent
from gevent.pool import Pool

from scenarios.operation import CannotFollow
from scenarios.visit import Visit

AT_ONCE: Final = 8
"""Enough to keep a small server busy, few enough not to queue up in it."""

LIMIT_S: Final = 60.0
"""Then the run begins with the sessions that made it; the others count as aborted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadIn:
    """What the lead-in did.

    Attributes:
        sessions: Sessions in progress at t0.
        requests: Requests made for them.
        lost: Sessions that could not be brought to where they should be.
        took_s: How long it took.
    """

    sessions: int
    requests: int
    lost: int
    took_s: float


def lead_in(
    visits: Sequence[Visit], *, on_ready: Callable[[Visit], None] = lambda _: None
) -> LeadIn:
    """Bring sessions to the step before their first planned one; marks those it cannot.

    Args:
        visits: The sessions, each with a user.
        on_ready: Told of each that is where it should be, or cannot be brought there.
    """
    began = time.monotonic()
    pool = Pool(AT_ONCE)
    requests = 0

    def catch_up(visit: Visit) -> None:
        nonlocal requests
        user = visit.user
        assert user is not None  # given by the engine
        visit.lost = True
        user.on_send = None  # a user that has played somebody else would tell of that one
        user.begin(tenant=visit.session.tenant, session=visit.number)
        for name in visit.before:
            try:
                outcome = user.perform(name)
            except CannotFollow:
                continue
            requests += 1
            if outcome != "succeeded" and user.operations[name].essential:
                on_ready(visit)
                return
        visit.lost = False
        on_ready(visit)

    greenlets = []
    try:
        with gevent.Timeout(LIMIT_S, False):
            for visit in visits:
                greenlets.append(pool.spawn(catch_up, visit))
            pool.join()
    finally:
        pool.kill()
    for visit in visits[len(greenlets) :]:
        visit.lost = True
    return LeadIn(
        sessions=len(visits),
        requests=requests,
        lost=sum(visit.lost for visit in visits),
        took_s=time.monotonic() - began,
    )
