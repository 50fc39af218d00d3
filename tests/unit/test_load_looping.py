"""Users of a closed load: who is there, what each would do, and what stays out when they wait."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from palier.errors import ConfigError
from palier.load.chance import MICROSECONDS
from palier.load.looping import presence_us
from palier.load.schedule import Schedule, make_schedule
from palier.model.curve import Polyline
from palier.model.journey import Journey, Step
from palier.model.parse import load_catalogue
from palier.model.plan import RunPlan, make_plan
from palier.model.profile import Loop
from palier.model.rate_shape import Stage, Staged
from scenarios.visit import Visit

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from load_plans import plan_of

TIERS = Path(__file__).parents[2] / "tiers.yaml"

SECOND = MICROSECONDS

J_01 = Journey(
    id="J-01",
    title="short",
    steps=(Step(operation="sign_in"), Step(operation="list", think_s=1.0)),
)


def closed(duration_s: float = 30.0, tenants: int = 50, **loop: object) -> RunPlan:
    stages = loop.pop("stages", None)
    made = Loop(**{"users": 6, "journey": "J-01", "pause_s": 2.0} | loop)
    shape = {} if stages is None else {"staged": Staged(stages=stages)}
    return plan_of(J_01, duration_s=duration_s, tenants=tenants, loop=made, **shape)


@cache
def played(profile: str, tier: str = "lou-4", duration_s: float | None = None) -> Schedule:
    return make_schedule(planned(profile, tier, duration_s))


def planned(profile: str, tier: str = "lou-4", duration_s: float | None = None) -> RunPlan:
    catalogue = load_catalogue(TIERS)
    one = catalogue.tier(tier)
    return make_plan(
        system=catalogue.system(one.system),
        tier=one,
        profile=catalogue.profile(profile),
        duration_s=duration_s,
        seed=1,
        workers=1,
        variant=one.variant,
        url=None,
    )


def users_at(schedule: Schedule, at_s: float) -> int:
    at_us = at_s * SECOND
    return sum(s.at_us <= at_us < (s.until_us or 0) for s in schedule.sessions)


def test_as_many_users_are_there_as_the_script_says_at_each_stage() -> None:
    """L-01 in a tenth of its time: 2 min to 100, 5 min, 2 min to 1,000, 5 min, 2 min to 0."""
    schedule = played("L-01", duration_s=96.0)
    stages = {
        0: 0,
        6: 50,
        12: 100,
        30: 100,
        42: 100,
        48: 550,
        54: 1000,
        70: 1000,
        84: 1000,
        90: 500,
    }
    for at_s, users in stages.items():
        assert users_at(schedule, at_s + 0.001) == pytest.approx(users, abs=1), at_s
    assert users_at(schedule, 95.999) <= 1
    assert max(s.until_us or 0 for s in schedule.sessions) <= 96 * SECOND


def test_users_of_a_constant_load_are_there_from_the_start_and_spread_over_the_loop() -> None:
    schedule = make_schedule(closed())
    assert len(schedule.sessions) == 6
    # 6 users in a loop of 3 s: one sign-in and one list each half second, from the first on.
    starts = sorted((s.at_us, s.first_step) for s in schedule.sessions)
    assert [at for at, _ in starts] == [250_000, 250_000, 750_000, 750_000, 1_250_000, 1_750_000]
    counts = Counter(schedule.planned_counts())
    assert all(counts[second, "sign_in"] == counts[second, "list"] == 2 for second in range(30))


def test_users_who_start_together_all_begin_at_the_first_step() -> None:
    schedule = make_schedule(closed(starts="together"))
    assert {(s.at_us, s.first_step) for s in schedule.sessions} == {(0, 0)}
    assert schedule.planned_counts()[0, "sign_in"] == 6


def test_a_loop_keeps_the_pauses_of_its_script_to_the_microsecond() -> None:
    [first, *_] = make_schedule(closed(starts="together")).sessions
    assert first.pauses_us[:5] == (0, SECOND, 2 * SECOND, SECOND, 2 * SECOND)
    assert max(first.nominal_us()) < 30 * SECOND


def test_pauses_at_random_have_their_means_and_come_from_the_seed() -> None:
    plan = closed(duration_s=20_000, thinks="at_random", users=1)
    [user] = make_schedule(plan).sessions
    thinks, breaks = user.pauses_us[1::2], user.pauses_us[2::2]
    if user.first_step == 1:
        thinks, breaks = breaks, thinks
    assert sum(thinks) / len(thinks) == pytest.approx(1 * SECOND, rel=0.06)
    assert sum(breaks) / len(breaks) == pytest.approx(2 * SECOND, rel=0.06)
    assert make_schedule(plan) == make_schedule(plan)
    assert make_schedule(plan).digest != make_schedule(replace(plan, seed=2)).digest


def test_signing_in_once_leaves_the_list_alone_in_the_loop() -> None:
    plan = closed(once=1, starts="together")
    [first, *_] = (schedule := make_schedule(plan)).sessions
    assert schedule.operations(first)[:4] == ("sign_in", "list", "list", "list")
    assert first.pauses_us[:4] == (0, SECOND, 3 * SECOND, 3 * SECOND)


def test_who_signed_in_before_the_window_does_it_in_the_lead_in() -> None:
    schedule = make_schedule(closed(once=1))
    for session in schedule.sessions:
        assert session.first_step == 1
        assert Visit(session, schedule).before == ("sign_in",)
        assert set(schedule.operations(session)) == {"list"}


def test_the_planned_rate_is_the_ceiling_of_the_inventory() -> None:
    assert planned("L-01").requests_per_s == pytest.approx(666.7, abs=0.1)
    assert planned("L-06").requests_per_s == pytest.approx(10_000)
    assert planned("L-06-token").requests_per_s == pytest.approx(10_000)
    schedule = played("L-01", duration_s=96.0)
    top = [n for (second, _), n in schedule.planned_counts().items() if 60 <= second < 80]
    assert sum(top) / 20 == pytest.approx(666.7, rel=0.02)


def test_every_user_has_an_account_of_its_own_as_long_as_there_are_enough() -> None:
    schedule = played("L-05", "lou-2", 60.0)
    assert sorted(s.tenant for s in schedule.sessions) == list(range(20))
    shared = make_schedule(closed(tenants=4, starts="together"))
    assert sorted(s.tenant for s in shared.sessions) == [0, 0, 1, 1, 2, 3]


def test_any_number_of_workers_plays_every_user_once() -> None:
    schedule = played("L-01", duration_s=96.0)
    stripes = [schedule.for_worker(worker, 3) for worker in range(3)]
    assert sorted(s.index for stripe in stripes for s in stripe) == list(
        range(len(schedule.sessions))
    )


def test_a_user_is_there_while_the_curve_is_above_it() -> None:
    curve = Polyline(((0, 0), (10, 1), (20, 1), (20, 0), (30, 0), (40, 1)))
    assert list(presence_us(curve, 0.5, 50 * SECOND)) == [
        (5 * SECOND, 20 * SECOND),
        (35 * SECOND, 50 * SECOND),
    ]
    assert list(presence_us(Polyline(((0, 1),)), 0.5, 7)) == [(0, 7)]


def test_a_loop_without_pauses_is_refused_because_it_has_no_rate() -> None:
    catalogue = load_catalogue(TIERS)
    profile = catalogue.profile("L-02")
    assert profile.loop is not None
    for change, words in (
        ({"once": 2}, "without steps that come again"),
        ({"journey": "J-99"}, "no journey 'J-99' to loop over"),
    ):
        with pytest.raises(ConfigError, match=words):
            make_plan(
                system=catalogue.system("liveownerunit"),
                tier=catalogue.tier("lou-4"),
                profile=replace(profile, loop=replace(profile.loop, **change)),
                duration_s=None,
                seed=1,
                workers=1,
                variant=catalogue.tier("lou-4").variant,
                url=None,
            )


def visit(once: int = 0) -> Visit:
    plan = closed(duration_s=20.0, users=1, starts="together", once=once)
    schedule = make_schedule(plan)
    return Visit(schedule.sessions[0], schedule)


def test_what_is_left_ends_with_the_journey_and_then_with_each_time_around() -> None:
    one = visit()
    left = []
    for one.next in range(6):
        left.append(one.left_of_journey())
    assert left == [2, 1, 0, 1, 0, 1]


def test_a_user_is_behind_by_whole_times_around_and_only_before_one_begins() -> None:
    one = visit()
    assert one.nominal_us[:6] == tuple(k * SECOND for k in (0, 1, 3, 4, 6, 7))
    one.next = 2
    behind = {3: 0, 5.9: 0, 6: 1, 8.9: 1, 9: 2}
    assert {at_s: one.loops_behind(round(at_s * SECOND)) for at_s in behind} == behind
    one.next = 3
    assert one.loops_behind(60 * SECOND) == 0


def test_nominal_instants_rise() -> None:
    for session in played("L-05", "lou-2", 60.0).sessions:
        assert all(a <= b for a, b in pairwise(session.nominal_us()))


def test_stages_of_users_may_come_and_go_twice() -> None:
    stages = tuple(Stage(duration_s=5, to=to) for to in (1, 0, 1, 0, 0, 0))
    schedule = make_schedule(closed(stages=stages))
    assert len(schedule.sessions) == 12
    assert users_at(schedule, 5) == 6
    assert users_at(schedule, 10) == 0
    assert users_at(schedule, 15) == 6
