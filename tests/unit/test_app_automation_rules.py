"""What is due for a subscription on a day."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date, timedelta

import pytest

from reference_app.automation import __main__ as automation
from reference_app.automation.rules import (
    Charged,
    Status,
    Subscription,
    must_be_charged,
    nearest_mark,
    next_step,
)

END = date(2026, 3, 31)
SUBSCRIPTION = Subscription(
    id=uuid.uuid4(),
    group_id=uuid.uuid4(),
    period=1,
    status="active",
    ends_on=END,
    auto_renew=True,
    grace_until=None,
    told=None,
    is_paid=False,
)
IN_GRACE = replace(SUBSCRIPTION, status="grace", grace_until=END + timedelta(days=7))


def action(
    subscription: Subscription, days_after_end: int, charged: Charged | None = None
) -> str | int | None:
    """The next step, by the mark of a notice."""
    today = END + timedelta(days=days_after_end)
    step = next_step(subscription, today, grace_days=7, charged=charged)
    return None if step is None else step.days_before or step.action


@pytest.mark.covers("B-42", "T-22")
@pytest.mark.parametrize(
    ("days_left", "mark"),
    [(31, None), (30, 30), (16, 30), (15, 15), (8, 15), (7, 7), (4, 7), (3, 3), (2, 3), (1, 1)],
)
def test_a_mark_holds_until_the_next_one_takes_its_place(days_left: int, mark: int | None) -> None:
    assert nearest_mark(days_left) == mark
    assert action(SUBSCRIPTION, -days_left) == mark


@pytest.mark.covers("B-42")
@pytest.mark.parametrize("told", [15, 7])
def test_a_mark_that_was_told_or_passed_is_not_told_again(told: int) -> None:
    assert action(replace(SUBSCRIPTION, told=told), -15) is None
    assert action(replace(SUBSCRIPTION, told=told), -3) == 3


@pytest.mark.covers("B-40", "B-41")
@pytest.mark.parametrize(
    ("status", "days_after_end", "charged", "wanted"),
    [
        ("active", 0, "succeeded", "renew"),
        ("active", 40, "nothing_due", "renew"),
        ("active", 0, "pending", None),
        ("active", 1, "pending", "grace"),
        ("active", 0, "declined", "grace"),
        ("active", 0, None, "grace"),
        ("grace", 7, "declined", None),
        ("grace", 8, "succeeded", "renew"),
        ("grace", 8, "pending", "suspend"),
        ("suspended", 9, None, None),
    ],
)
def test_what_follows_the_end_depends_on_the_money_and_the_day(
    status: Status, days_after_end: int, charged: Charged | None, wanted: str | None
) -> None:
    subscription = replace(SUBSCRIPTION if status == "active" else IN_GRACE, status=status)
    assert action(subscription, days_after_end, charged) == wanted


@pytest.mark.parametrize("status", ["active", "grace", "suspended"])
def test_what_is_paid_is_renewed_unasked(status: Status) -> None:
    paid = replace(SUBSCRIPTION, status=status, is_paid=True)
    assert not must_be_charged(paid, END)
    assert action(paid, 0) == "renew"
    assert action(paid, -1) != "renew"


def test_nobody_is_charged_before_the_end_or_against_their_will() -> None:
    assert must_be_charged(SUBSCRIPTION, END)
    assert must_be_charged(IN_GRACE, END + timedelta(days=20))
    assert not must_be_charged(SUBSCRIPTION, END - timedelta(days=1))
    assert not must_be_charged(replace(SUBSCRIPTION, auto_renew=False), END)
    assert not must_be_charged(replace(SUBSCRIPTION, status="suspended"), END)


@pytest.mark.covers("B-44")
def test_what_is_held_back_waits_and_a_charge_of_ours_that_failed_suspends_nobody() -> None:
    held = replace(IN_GRACE, held=frozenset({"renew"}))
    assert not must_be_charged(held, END + timedelta(days=20))
    assert action(held, 20) is None
    assert action(replace(SUBSCRIPTION, held=frozenset({"notice"})), -30) is None


def test_days_of_a_few_seconds_follow_one_another_from_the_day_that_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passed_s = [100.0]
    monkeypatch.setattr(automation.stopwatch, "monotonic", lambda: passed_s[0])
    plan = automation._arguments(["--today", "2026-02-27", "--day-every", "20"])
    (clock,) = plan.clocks

    days = []
    for passed_s[0] in (100.0, 119.9, 120.0, 141.0):
        days.append(clock().date().isoformat())

    assert days == ["2026-02-27", "2026-02-27", "2026-02-28", "2026-03-01"]
    assert (plan.every_s, plan.is_once) == (20, False)


@pytest.mark.parametrize(
    "wrong",
    [
        ("--day-every", "20"),
        ("--today", "2026-02-27", "--day-every", "0"),
        ("--today", "2026-02-27", "--through", "2026-03-01", "--day-every", "20"),
    ],
)
def test_days_of_a_few_seconds_need_a_first_one_and_a_length(wrong: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as caught:
        automation._arguments(wrong)

    assert caught.value.code == 2
