"""Feeds and slots for any input."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_app.sync.calendars import Calendars, checked_address
from reference_app.sync.errors import AddressRefusedError, FeedError
from reference_app.sync.feed import HOUSE_ZONE, Event, read_feed
from reference_app.sync.slots import CYCLE, cycle_start, next_run, slot_of

LINES = st.sampled_from(
    [
        "BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VTIMEZONE",
        "END:VTIMEZONE", "BEGIN:VALARM", "END:VALARM", "UID:1", "UID:2", "UID:",
        "DTSTART;VALUE=DATE:20260703", "DTSTART:20260703T160000Z", "DTSTART;TZID=X:20260703T1",
        "DTEND;VALUE=DATE:20260710", "DTEND:00010101T000000", "DURATION:P1D", "DURATION:-P9W",
        "STATUS:CANCELLED", "SEQUENCE:9", "SEQUENCE:x", "DTSTAMP:20260101T000000Z",
        "RRULE:FREQ=DAILY", "SUMMARY:a\\,b", " folded", "TZOFFSETTO:+9999", ":", ";", "",
    ]
)  # fmt: skip

INSTANTS = st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
"""1970 to 2106; the fractions of a second come with the property that needs them."""

STAYS = st.lists(
    st.tuples(
        st.integers(0, 30).map(str),
        st.dates(date(2000, 1, 1), date(2100, 1, 1)),
        st.integers(1, 60),
        st.booleans(),
    ),
    max_size=12,
)


def whole(lines: list[str]) -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR", ""]).encode()


def read_or_refuse(raw: bytes) -> tuple[Event, ...]:
    """Whatever comes, it is a tuple of sound stays or a refusal in words."""
    try:
        events = read_feed(raw)
    except FeedError:
        return ()
    assert all(event.first_day < event.last_day for event in events)
    assert all(event.uid.isprintable() and event.name.isprintable() for event in events)
    assert len({event.uid for event in events}) == len(events)
    return events


@given(st.binary(max_size=600))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    read_or_refuse(raw)


@given(st.binary(max_size=200))
def test_any_bytes_inside_an_event_are_read_or_refused(raw: bytes) -> None:
    head = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n"
    read_or_refuse(head + raw + b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")


@given(st.lists(LINES, max_size=25))
def test_any_lines_of_calendars_are_read_or_refused(lines: list[str]) -> None:
    read_or_refuse(whole(lines))


@given(STAYS)
def test_what_is_listed_is_what_is_read_and_taken_nights_never_overlap(
    stays: list[tuple[str, date, int, bool]],
) -> None:
    lines = []
    for uid, first, nights, is_off in stays:
        last = first + timedelta(days=nights)
        lines += ["BEGIN:VEVENT", f"UID:{uid}", f"DTSTART;VALUE=DATE:{first:%Y%m%d}"]
        lines += [f"DTEND;VALUE=DATE:{last:%Y%m%d}", f"STATUS:{'CANCELLED' if is_off else ''}"]
        lines += ["END:VEVENT"]

    events = read_feed(whole(lines))

    newest = {
        uid: (first, first + timedelta(days=nights), is_off) for uid, first, nights, is_off in stays
    }
    assert {
        event.uid: (event.first_day, event.last_day, event.state == "cancelled") for event in events
    } == newest
    taken = [event for event in events if event.state == "taken"]
    for one, other in itertools.pairwise(taken):
        assert one.last_day <= other.first_day
    for event in events:
        if event.state == "overlap":
            assert any(
                one.first_day < event.last_day and event.first_day < one.last_day for one in taken
            )


@given(INSTANTS, st.integers(1, 40))
def test_a_time_with_a_zone_is_the_day_at_the_house(start: datetime, nights: int) -> None:
    start = start.replace(microsecond=0)
    end = start + timedelta(days=nights, hours=1)
    event = f"DTSTART:{start:%Y%m%dT%H%M%S}Z", f"DTEND:{end:%Y%m%dT%H%M%S}Z"

    (stay,) = read_feed(whole(["BEGIN:VEVENT", "UID:1", *event, "END:VEVENT"]))

    assert stay.first_day == start.astimezone(HOUSE_ZONE).date()
    assert stay.last_day == end.astimezone(HOUSE_ZONE).date()


@pytest.mark.covers("B-137", "B-138", "B-139", "F-13")
@given(INSTANTS, st.uuids())
def test_the_next_run_is_the_users_minute_of_the_cycle_that_runs_or_the_next(
    now: datetime, user: UUID
) -> None:
    now += timedelta(microseconds=user.int % 1_000_000)
    slot = slot_of(user)
    run = next_run(now, slot)

    assert 0 <= slot < 120
    assert now < run <= now + CYCLE
    assert run - cycle_start(run) == timedelta(minutes=slot)
    assert next_run(run, slot) == run + CYCLE
    # nothing is skipped: the one before it is not later than now
    assert run - CYCLE <= now


HOSTS = frozenset({"calendar.airbnb.example"})


@given(
    st.one_of(
        st.text(max_size=80),
        st.builds(
            "{}{}{}{}{}".format,
            st.sampled_from(["http://", "https://", "ftp://", "//", "", "HTTP://"]),
            st.sampled_from(["", "user@", "user:pw@", "calendar.airbnb.example@", "@", "\\@"]),
            st.sampled_from(
                ["calendar.airbnb.example", "127.0.0.1", "CALENDAR.airbnb.example.", ""]
            ),
            st.sampled_from(["", ":80", ":443", ":22", ":x", "#@calendar.airbnb.example"]),
            st.text(max_size=20),
        ),
    )
)
def test_an_address_that_passes_leads_to_an_allowed_host(address: str) -> None:
    try:
        url = checked_address(address, Calendars(HOSTS))
    except AddressRefusedError:
        return
    assert url.scheme in ("http", "https")
    assert url.raw_host == b"calendar.airbnb.example"
    assert (url.port, url.userinfo) == (None, b"")
