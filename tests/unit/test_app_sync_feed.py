"""A feed's text as stays: what is understood, what is left out, what is refused."""

from __future__ import annotations

from datetime import date

import pytest

from palier.stack.calendar_platform.behaviour import MALFORMED
from palier.stack.calendar_platform.feeds import (
    PLATFORM_OF_HOST,
    feed_text,
    listed_stays,
    many_stays,
)
from reference_app.sync.errors import FeedError
from reference_app.sync.feed import EVENTS_MAX, Event, read_feed

DAY = "DTSTART;VALUE=DATE:20260703"


def calendar(*events: str) -> bytes:
    """Events, each as its lines separated by blanks that no value needs, as a feed."""
    parts = ["BEGIN:VCALENDAR", "VERSION:2.0"]
    for event in events:
        parts += ["BEGIN:VEVENT", *event.split(" | "), "END:VEVENT"]
    return "\r\n".join([*parts, "END:VCALENDAR", ""]).encode()


def days_of(event: str) -> tuple[date, date]:
    (stay,) = read_feed(calendar(f"UID:1 | {event}"))
    return stay.first_day, stay.last_day


@pytest.mark.covers("B-145")
@pytest.mark.parametrize("host", PLATFORM_OF_HOST)
def test_each_platforms_own_manner_is_understood(host: str) -> None:
    stays = listed_stays(seed=3, host=host, listing="12345")

    events = read_feed(feed_text(host, stays).encode())

    assert [(event.uid, event.first_day, event.last_day) for event in events] == [
        (stay.uid, stay.first_day, stay.last_day) for stay in stays
    ]
    assert {event.state for event in events} == {"taken"}


@pytest.mark.parametrize(
    ("event", "first", "last"),
    [
        ("DTSTART;VALUE=DATE:20260703 | DTEND;VALUE=DATE:20260706", 3, 6),
        # RFC 5545, 3.6.1: a day without an end is that day
        ("DTSTART;VALUE=DATE:20260703", 3, 4),
        ("DTSTART;VALUE=DATE:20260703 | DURATION:P1W", 3, 10),
        ("DTSTART:20260703T160000 | DURATION:P2DT18H", 3, 6),
        ("DTSTART;TZID=Europe/Paris:20260703T230000 | DTEND:20260706T100000", 3, 6),
        # 22:30 in Greenwich is the next day at the house
        ("DTSTART:20260703T223000Z | DTEND:20260706T080000Z", 4, 6),
        ("DTSTART;TZID=America/New_York:20260703T190000 | DTEND:20260706T080000Z", 4, 6),
    ],
)  # fmt: skip
def test_arrival_and_departure_are_days_at_the_house(event: str, first: int, last: int) -> None:
    assert days_of(event) == (date(2026, 7, first), date(2026, 7, last))


@pytest.mark.parametrize(
    "event",
    [
        "DTSTART:20260703T100000Z",
        "DTSTART:20260703T100000Z | DTEND:20260703T120000Z",
        "DTSTART;VALUE=DATE:20260703 | DTEND;VALUE=DATE:20260703",
    ],
)
def test_an_event_without_a_night_is_no_stay(event: str) -> None:
    assert read_feed(calendar(f"UID:1 | {event}")) == ()


def test_of_events_with_one_uid_the_newest_counts() -> None:
    def version(day: int, more: str) -> str:
        return f"UID:1 | DTSTART;VALUE=DATE:202607{day:02} | {more}"

    def first_day(*versions: str) -> int:
        (stay,) = read_feed(calendar(*versions))
        return stay.first_day.day

    old, new = "DTSTAMP:20260101T000000Z", "DTSTAMP:20260102T000000Z"
    assert first_day(version(1, f"SEQUENCE:2 | {old}"), version(2, f"SEQUENCE:1 | {new}")) == 1
    assert first_day(version(1, new), version(2, old)) == 1
    assert first_day(version(1, old), version(2, old)) == 2


def test_cancelled_events_are_told_from_those_that_are_not_listed() -> None:
    (event,) = read_feed(
        calendar("UID:1 | DTSTART;VALUE=DATE:20260703 | STATUS:cancelled | SUMMARY: ")
    )

    assert event == Event(
        uid="1",
        first_day=date(2026, 7, 3),
        last_day=date(2026, 7, 4),
        name="Réservation",
        state="cancelled",
    )


def test_the_earlier_of_two_that_want_one_night_has_it() -> None:
    events = read_feed(
        calendar(
            "UID:late | DTSTART;VALUE=DATE:20260705 | DURATION:P5D",
            "UID:off | DTSTART;VALUE=DATE:20260701 | DURATION:P30D | STATUS:CANCELLED",
            "UID:early | DTSTART;VALUE=DATE:20260703 | DURATION:P3D",
            "UID:next | DTSTART;VALUE=DATE:20260706 | DURATION:P1D",
        )
    )

    assert [(event.uid, event.state) for event in events] == [
        ("off", "cancelled"),
        ("early", "taken"),
        ("late", "overlap"),
        ("next", "taken"),
    ]


def test_a_name_is_one_line_that_fits() -> None:
    (event,) = read_feed(
        calendar("UID:1 | DTSTART;VALUE=DATE:20260703 | SUMMARY:Anne\\n\x07 Martin " + "x" * 300)
    )

    assert event.name.startswith("Anne Martin xxx")
    assert len(event.name) == 200


@pytest.mark.parametrize("kind", sorted(MALFORMED))
def test_what_is_no_whole_calendar_is_refused(kind: str) -> None:
    with pytest.raises(FeedError):
        read_feed(MALFORMED[kind])


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (f"{DAY}", "has no usable UID"),
        (f"UID:1 | UID:2 | {DAY}", "has more than one UID"),
        (f"UID:a\x00b | {DAY}", "has no usable UID"),
        (f"UID:{'x' * 256} | {DAY}", "has no usable UID"),
        ("UID:1", "has no DTSTART"),
        ("UID:1 | DTSTART:soon", "has a DTSTART that cannot be read"),
        ("UID:1 | DTSTART;VALUE=PERIOD:20260703T000000Z/P1D", "has a DTSTART that is no date"),
        (f"UID:1 | {DAY} | DURATION:long", "has a DURATION that cannot be read"),
        ("UID:1 | DTSTART;VALUE=DATE:99991231", "lies outside the calendar"),
        (f"UID:1 | {DAY} | DURATION:-P1D", "ends before it begins"),
        (f"UID:1 | {DAY} | RRULE:FREQ=DAILY", "repeats, which a stay does not"),
    ],
)
def test_an_event_that_is_not_understood_refuses_the_whole_feed(event: str, reason: str) -> None:
    """Left out, it would look like one that is gone, and be cancelled."""
    with pytest.raises(FeedError) as refused:
        read_feed(calendar(event))

    assert str(refused.value) == f"event 1 {reason}"


def test_a_calendar_has_a_bound() -> None:
    host = "calendar.airbnb.example"

    def feed(count: int) -> bytes:
        return feed_text(host, many_stays(seed=1, host=host, listing="x", count=count)).encode()

    assert len(read_feed(feed(EVENTS_MAX))) == EVENTS_MAX
    with pytest.raises(FeedError, match="more than 1000 events"):
        read_feed(feed(EVENTS_MAX + 1))


def test_a_calendar_may_nest_as_deep_as_it_likes() -> None:
    deep = b"BEGIN:VCALENDAR\r\n" + b"BEGIN:X\r\n" * 50_000
    with pytest.raises(FeedError):
        read_feed(deep)
    whole = deep + b"END:X\r\n" * 50_000 + b"END:VCALENDAR\r\n"
    assert read_feed(whole) == ()
