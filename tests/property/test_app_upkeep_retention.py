"""Which backups are kept, for every history there could be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_app.upkeep.ages import months_before
from reference_app.upkeep.retention import kept

pytestmark = pytest.mark.covers("B-166", "T-154")

NOW = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
START = datetime(2020, 1, 1, tzinfo=UTC)

moments = st.datetimes(
    min_value=datetime(2019, 1, 1),  # noqa: DTZ001 - the strategy adds the zone itself
    max_value=datetime(2026, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
histories = st.frozensets(moments, max_size=60)


@given(history=histories, now=moments)
def test_it_is_what_the_four_sentences_say(history: frozenset[datetime], now: datetime) -> None:
    """Slow and obvious: it is the last one of a day, week, month or year that counts."""

    def last_of(at: datetime, *form: str) -> bool:
        same = [o for o in history if o <= now and all(f"{o:{f}}" == f"{at:{f}}" for f in form)]
        return at == max(same)

    for at in history:
        stays = at > now or (
            (last_of(at, "%Y-%m-%d") and at >= now - timedelta(days=7))
            or (last_of(at, "%G-%V") and at >= months_before(now, 1))
            or (last_of(at, "%Y-%m") and at >= months_before(now, 12))
            or last_of(at, "%Y")
        )
        assert (at in kept(history, now)) == stays


@given(history=histories, now=moments)
def test_asking_twice_deletes_nothing_more(history: frozenset[datetime], now: datetime) -> None:
    once = kept(history, now)

    assert once <= history
    assert kept(once, now) == once


@given(steps=st.lists(st.tuples(st.timedeltas(timedelta(0), timedelta(days=45)), st.booleans())))
def test_deleting_as_time_goes_on_leaves_what_deleting_once_at_the_end_leaves(
    steps: list[tuple[timedelta, bool]],
) -> None:
    now, every, left = START, frozenset[datetime](), frozenset[datetime]()
    for pause, backs_up in steps:
        now += pause
        if backs_up:
            every |= {now}
            left |= {now}
        left = kept(left, now)

    assert left == kept(every, now)


@given(history=histories.filter(bool), now=moments)
def test_the_newest_backup_is_never_deleted(history: frozenset[datetime], now: datetime) -> None:
    assert max(history) in kept(history, now)


def test_a_backup_every_evening_for_six_years_leaves_about_thirty() -> None:
    days = (NOW - START).days
    evenings = [NOW - timedelta(days=number) for number in range(days)]

    stay = sorted(kept(evenings, NOW), reverse=True)

    week = [NOW - timedelta(days=number) for number in range(8)]
    assert stay[:8] == week
    # Sundays of the last month, then ends of months, then ends of years
    assert [f"{at:%d.%m.}" for at in stay[8:11]] == ["08.11.", "01.11.", "31.10."]
    assert [f"{at:%Y-%m}" for at in stay[10:23]] == [
        "2026-10", "2026-10", "2026-09", "2026-08", "2026-07", "2026-06", "2026-05", "2026-04",
        "2026-03", "2026-02", "2026-01", "2025-12",
        "2025-11",
    ]  # fmt: skip
    assert [f"{at:%d.%m.%Y}" for at in stay[23:]] == [
        f"31.12.{year}" for year in (2024, 2023, 2022, 2021, 2020)
    ]


def test_six_hourly_snapshots_leave_one_a_day() -> None:
    snapshots = [NOW - timedelta(hours=6 * number) for number in range(4 * 7)]

    stay = sorted(kept(snapshots, NOW))

    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(stay))
    assert len(stay) == 7


def test_a_backup_from_the_future_stays_and_takes_nobodys_place() -> None:
    later, earlier = NOW + timedelta(minutes=30), NOW - timedelta(hours=1)

    assert kept([later, earlier], NOW) == {later, earlier}
    assert kept([later, earlier], later) == {later}
