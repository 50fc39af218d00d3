"""Who asks most: counted in any sixty seconds, wherever they begin."""

from __future__ import annotations

from palier.load.busiest import busiest_tenant_per_min, limits_owners
from palier.load.schedule import Schedule
from palier.load.session import Session

SECOND = 1_000_000


def schedule(*sessions: tuple[int, float, int, float]) -> Schedule:
    """Sessions as (tenant, start in seconds, steps, pause between them in seconds)."""
    made = tuple(
        Session(
            index=index,
            at_us=round(at_s * SECOND),
            journey="J",
            tenant=tenant,
            first_step=0,
            pauses_us=(0, *[round(pause_s * SECOND)] * (steps - 1)),
        )
        for index, (tenant, at_s, steps, pause_s) in enumerate(sessions)
    )
    return Schedule(window_us=600 * SECOND, sessions=made, steps={"J": ("ask",) * 1_000}, digest="")


def test_a_schedule_without_requests_has_no_busiest_tenant():
    assert busiest_tenant_per_min(schedule()) == 0


def test_sessions_of_one_tenant_count_together_and_those_of_others_do_not():
    assert busiest_tenant_per_min(schedule((1, 0, 10, 1), (1, 5, 10, 1), (2, 0, 15, 1))) == 20


def test_the_minute_may_begin_anywhere_and_ends_before_its_sixtieth_second():
    assert busiest_tenant_per_min(schedule((1, 50, 30, 1), (1, 100, 30, 1))) == 40
    assert busiest_tenant_per_min(schedule((1, 0, 2, 60))) == 1
    assert busiest_tenant_per_min(schedule((1, 0, 2, 59.9))) == 2


def test_an_owner_near_the_limit_is_not_limited():
    assert limits_owners(schedule((1, 0, 80, 0.5)))
    assert not limits_owners(schedule((1, 0, 81, 0.5)))
