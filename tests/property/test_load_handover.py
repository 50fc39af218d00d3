"""What a lost loader had to do is divided without rest: known, lost, in flight, or taken over."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from palier.load.chance import MICROSECONDS
from palier.load.clock_offset import ClockOffset, RoundTrip, offset_of
from palier.load.handover import hand_over, rest_of
from palier.load.positions import Positions
from palier.load.schedule import Schedule, make_schedule
from palier.load.session import Session
from palier.load.stripes import Loss, Stripes
from palier.model.profile import Loop

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from load_plans import journey, plan_of

OPEN = make_schedule(plan_of(journey("enter", "look", "look", think_s=0.5), duration_s=4))
LOOP = make_schedule(
    plan_of(
        journey("enter", "look", "say_who", think_s=0.2),
        duration_s=4,
        loop=Loop(users=20, journey="J", pause_s=0.1, once=1),
    )
)


def planned_from(schedule: Schedule, session: Session, step: int) -> list[tuple[int, str]]:
    steps = zip(schedule.operations(session), session.nominal_us(), strict=True)
    return [(at_us, operation) for operation, at_us in steps][step:]


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from([OPEN, LOOP]), st.integers(2, 5))
def test_every_step_of_a_lost_worker_is_lost_or_taken_over_exactly_once(
    data: st.DataObject, schedule: Schedule, workers: int
) -> None:
    worker = data.draw(st.integers(0, workers - 1))
    cut_us = data.draw(st.integers(0, schedule.window_us))
    survivors = tuple(other for other in range(workers) if other != worker)
    stripes = Stripes(workers)
    positions = Positions(schedule)
    mine = [session for session in schedule.sessions if session.index % workers == worker]
    begun = data.draw(st.integers(0, len(mine)))
    moved = []
    for session in mine[:begun]:
        if session.at_us < cut_us:
            moved.append([session.index, data.draw(st.integers(0, len(session.pauses_us)))])
    positions.add({"worker": worker, "positions": {"open": moved, "closed": []}})
    known = dict(moved)

    loss = Loss(worker=worker, cut_us=cut_us, survivors=survivors)
    handover = hand_over(schedule, stripes, positions, loss)

    open_before = Counter(
        step
        for session in mine
        for step in planned_from(schedule, session, known.get(session.index, 0))
    )
    lost = Counter(handover.lost)
    resumed = {one.session: one for one in handover.resumed}
    taken = Counter(
        step
        for session in mine
        if session.at_us >= cut_us
        for step in planned_from(schedule, session, 0)
    )
    for one in resumed.values():
        rest = rest_of(schedule, one)
        again = list(zip(rest.nominal_us(), schedule.operations(rest), strict=True))
        # The rest of a session is what it would have been.
        assert again == planned_from(schedule, schedule.sessions[one.session], one.step)
        assert again[0][0] >= cut_us
        taken.update(again)
    by_second = Counter[tuple[int, str]]()
    for (at_us, operation), count in (open_before - taken).items():
        by_second[at_us // MICROSECONDS, operation] += count
    assert by_second == lost
    assert sum(open_before.values()) == sum(taken.values()) + handover.unknown


@given(st.integers(2, 6), st.lists(st.integers(0, 5), max_size=4, unique=True))
def test_each_session_has_one_owner_who_is_alive(workers: int, lost: list[int]) -> None:
    stripes = Stripes(workers)
    for worker in lost:
        if worker in stripes.alive():
            survivors = tuple(one for one in stripes.alive() if one != worker)
            stripes = stripes.after(Loss(worker=worker, cut_us=0, survivors=survivors))

    owners = Counter(stripes.owner(session) for session in range(3600))

    alive = stripes.alive()
    assert set(owners) == (set(alive) or {None})
    # Dealt out in turn, so nobody has far more than another one.
    assert max(owners.values()) <= 3 * min(owners.values())


@given(
    st.integers(-(10**15), 10**15),
    st.lists(st.tuples(st.integers(0, 10**8), st.integers(0, 10**8)), min_size=1, max_size=30),
)
def test_an_offset_is_never_further_off_than_its_bound(
    ahead_ns: int, ways: list[tuple[int, int]]
) -> None:
    trips = [
        RoundTrip(10**12, 10**12 + there + ahead_ns, 10**12 + there + back) for there, back in ways
    ]
    found = offset_of(trips)
    assert abs(found.offset_ns - ahead_ns) <= found.bound_ns + 1
    assert found.bound_ns <= min(there + back for there, back in ways) / 2 + 1


def test_clocks_that_may_be_one_are_one() -> None:
    assert ClockOffset(offset_ns=-90_000, bound_ns=100_000).ahead_ns == 0
    assert ClockOffset(offset_ns=5_000_000_000, bound_ns=100_000).ahead_ns == 5_000_000_000
