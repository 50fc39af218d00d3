"""Rules of the reference application that need no database."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest

from reference_app.identity.passwords import hash_password, verify
from reference_app.plans.rules import Usage, restriction
from reference_app.settings import SettingsError, read_settings
from reference_app.statistics.dashboard import dashboard_range, summarise
from reference_app.statistics.queries import Stay

GOOD = {"APP_DATABASE_URL": "postgresql://app_user@db/app", "APP_JWT_SECRET": "s" * 32}


# passwords ----------------------------------------------------------------------------------


def test_the_password_format_is_a_contract_with_the_seed() -> None:
    assert hash_password("palier-1", b"x" * 16, 4) == (
        "scrypt$4$8$1$eHh4eHh4eHh4eHh4eHh4eA$xgt2OX5CImy6IEpEJyJK358oTo6aL6uGhFqjgUVdHyY"
    )


def test_a_hash_verifies_at_the_cost_it_names_whatever_new_ones_cost() -> None:
    for log2_n in (1, 4, 15):
        stored = hash_password("é", b"salt", log2_n)
        assert verify("é", stored)
        assert not verify("e", stored)


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "scrypt$4$8$1$eHg",
        "bcrypt$4$8$1$eHg$eHg",
        "scrypt$x$8$1$eHg$eHg",
        "scrypt$40$8$1$eHg$eHg",
    ],
)
def test_a_damaged_hash_is_an_error_and_never_a_match(stored: str) -> None:
    with pytest.raises(ValueError, match=r"scrypt|hash"):
        verify("x", stored)


# settings -----------------------------------------------------------------------------------


def test_settings_come_from_the_environment() -> None:
    settings = read_settings(
        GOOD | {"APP_POOL_SIZE": "3", "APP_VARIANT": '{"pagination": "keyset"}'}
    )

    assert (settings.pool_size, settings.variant.pagination) == (3, "keyset")
    assert "s" * 32 not in repr(settings)


def test_every_problem_of_the_environment_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as told:
        read_settings(
            {
                "APP_JWT_SECRET": "short",
                "APP_POOL_SIZE": "none",
                "APP_PASSWORD_LOG2_N": "99",
                "APP_VARIANT": '{"cache": "disk"}',
                "APP_LOG_LEVEL": "loud",
            }
        )

    message = str(told.value)
    for name in ("DATABASE_URL", "JWT_SECRET", "POOL_SIZE", "PASSWORD_LOG2_N", "VARIANT", "LOG"):
        assert f"APP_{name}" in message
    assert len(told.value.problems) == 6


# limits -------------------------------------------------------------------------------------


@pytest.mark.covers("B-31", "B-35")
@pytest.mark.parametrize(
    ("used", "limit", "threshold", "percent", "state"),
    [
        (0, 1000, 80, 0, "ok"),
        (799, 1000, 80, 79, "ok"),
        (800, 1000, 80, 80, "warning"),
        (999, 1000, 80, 99, "warning"),
        (1000, 1000, 80, 100, "blocked"),
        (10, 3, 80, 333, "blocked"),
        (0, 0, 80, 100, "blocked"),
        (999, 1000, 100, 99, "ok"),
        (7999, 10_000, 80, 79, "ok"),
    ],
)
def test_ok_warning_and_blocked_meet_at_the_threshold_and_the_limit(
    used: int, limit: int, threshold: int, percent: int, state: str
) -> None:
    judged = restriction(Usage("students", used, limit, used < limit), threshold)

    assert (judged.percent, judged.state) == (percent, state)
    assert judged.remaining == max(limit - used, 0)
    assert (judged.message is None) == (state == "ok")


@pytest.mark.covers("B-32")
def test_one_remaining_is_singular() -> None:
    message = restriction(Usage("schools", 9, 10, True)).message
    assert message is not None
    assert message.text == "1 school remains"


def test_storage_is_shown_in_gigabytes() -> None:
    judged = restriction(Usage("storage", 4_250_000_000, 5_000_000_000, True))

    assert (judged.used, judged.limit, judged.remaining, judged.unit) == (4.25, 5, 0.75, "GB")
    assert judged.message is not None
    assert judged.message.usage == "4.25/5"
    assert judged.message.text == "0.75 GB of storage remain"


# dashboard ----------------------------------------------------------------------------------


def stay(number: int, first: date, last: date, cents: int = 100) -> Stay:
    gite = UUID(int=1)
    return Stay(UUID(int=number), gite, "G", "Anne", 2, "direct", first, last, cents)


def test_the_dashboard_of_a_day() -> None:
    today = date(2026, 2, 20)
    stays = [
        stay(1, date(2026, 1, 28), date(2026, 2, 2)),
        stay(2, date(2026, 2, 18), date(2026, 2, 20), 300),
        stay(3, date(2026, 2, 20), date(2026, 2, 23), 500),
        stay(4, date(2026, 3, 6), date(2026, 3, 7)),
        stay(5, date(2026, 3, 7), date(2026, 3, 9)),
    ]

    board = summarise(stays, today)

    assert [row.id.int for row in board.arrivals] == [3, 4]
    assert [row.id.int for row in board.departures] == [2, 3]
    assert board.staying_now == 1
    assert (board.bookings_this_month, board.nights_this_month) == (2, 5)
    assert board.revenue_this_month_centimes == 800


@pytest.mark.parametrize("today", [date(2026, 2, 1), date(2026, 2, 28), date(2026, 12, 31)])
def test_the_dashboard_reads_the_whole_month_and_two_weeks_ahead(today: date) -> None:
    first, last = dashboard_range(today)

    assert first == today.replace(day=1)
    assert last >= today + timedelta(days=14)
    assert last >= today.replace(day=28)
