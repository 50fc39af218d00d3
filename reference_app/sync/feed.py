"""A feed's text as events: a function from bytes to values.

Fails as a whole rather than in part: an event that cannot be read would look like one that is
gone, and what is gone is cancelled (decision 0040).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from icalendar import Calendar, Component, vBroken

from reference_app.sync.errors import FeedError

EVENTS_MAX = 1_000
"""Reading one takes about half a millisecond; a house has a hundred bookings ahead, not more."""

UID_MAX = 255
NAME_MAX = 200

HOUSE_ZONE = ZoneInfo("Europe/Paris")
"""Where the gîtes are: an instant is the day it is there."""

UNNAMED = "Réservation"

State = Literal["taken", "overlap", "cancelled"]

_REPEATS = ("RRULE", "RDATE", "RECURRENCE-ID")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One stay of a feed.

    Attributes:
        uid: The platform's name for it.
        first_day: Day of arrival.
        last_day: Day of departure, later than ``first_day``.
        name: What the feed calls it, one line.
        state: ``overlap`` when an earlier event of the same feed takes one of its nights.
    """

    uid: str
    first_day: date
    last_day: date
    name: str
    state: State


def read_feed(raw: bytes) -> tuple[Event, ...]:
    """The stays of a feed in time order, each uid once.

    Events without a night (an appointment, an hour of arrival) are no stays and are left out. Of
    several events with one uid the highest SEQUENCE counts, then the latest DTSTAMP, then the
    last one.

    Args:
        raw: Text of one VCALENDAR, UTF-8.

    Raises:
        FeedError: It is no whole calendar, or too large a one, or an event is not understood.
    """
    if raw.upper().count(b"BEGIN:VEVENT") > EVENTS_MAX:
        raise FeedError(f"the calendar has more than {EVENTS_MAX} events")
    newest: dict[str, _Version] = {}
    for number, component in enumerate(_components(raw), start=1):
        version = _read_event(_Fields(component, number))
        known = newest.get(version.event.uid)
        if known is None or version.rank >= known.rank:
            newest[version.event.uid] = version
    stays = (version.event for version in newest.values() if version.has_nights)
    return tuple(_with_overlaps_marked(stays))


@dataclass(frozen=True, slots=True)
class _Version:
    """An event, and how new it is among those of the same uid."""

    event: Event
    has_nights: bool
    rank: tuple[int, str]


class _Fields:
    """The properties of one event, each of which may be missing, doubled or broken."""

    def __init__(self, component: Component, number: int) -> None:
        self._component = component
        self._number = number

    def wrong(self, what: str) -> FeedError:
        return FeedError(f"event {self._number} {what}")

    def has(self, name: str) -> bool:
        return name in self._component

    def value(self, name: str) -> Any:
        """The property, or None when there is none.

        Raises:
            FeedError: It is there twice, or cannot be read.
        """
        found = self._component.get(name)
        if isinstance(found, list):
            raise self.wrong(f"has more than one {name}")
        if isinstance(found, vBroken):
            raise self.wrong(f"has a {name} that cannot be read")
        return found

    def text(self, name: str) -> str:
        found = self.value(name)
        return "" if found is None else str(found)

    def moment(self, name: str) -> date | datetime | None:
        found = self.value(name)
        if found is None:
            return None
        moment = getattr(found, "dt", None)
        if not isinstance(moment, date):  # a datetime is a date as well
            raise self.wrong(f"has a {name} that is no date")
        return moment


def _components(raw: bytes) -> list[Component]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FeedError("the calendar is not text in UTF-8") from error
    try:
        calendar = Calendar.from_ical(text)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        # the parser is made for calendars, and fails in its own ways on what is none
        raise FeedError(f"not a whole calendar: {_one_line(str(error), 200)}") from error
    if calendar.name != "VCALENDAR":
        raise FeedError("not a calendar but a part of one")
    # not walk(): it recurses as deep as somebody nests
    return [part for part in calendar.subcomponents if part.name == "VEVENT"]


def _read_event(fields: _Fields) -> _Version:
    uid = fields.text("UID")
    if not uid or len(uid) > UID_MAX or not uid.isprintable():
        raise fields.wrong("has no usable UID")
    if any(fields.has(name) for name in _REPEATS):
        raise fields.wrong("repeats, which a stay does not")
    try:
        first, last = _days(fields)
    except OverflowError as error:
        raise fields.wrong("lies outside the calendar") from error
    if last < first:
        raise fields.wrong("ends before it begins")
    is_cancelled = fields.text("STATUS").upper() == "CANCELLED"
    event = Event(
        uid=uid,
        first_day=first,
        last_day=last,
        name=_one_line(fields.text("SUMMARY"), NAME_MAX) or UNNAMED,
        state="cancelled" if is_cancelled else "taken",
    )
    stamp = fields.moment("DTSTAMP")
    rank = (int(fields.value("SEQUENCE") or 0), "" if stamp is None else stamp.isoformat())
    return _Version(event, has_nights=first < last, rank=rank)


def _days(fields: _Fields) -> tuple[date, date]:
    """Arrival and departure; a missing end follows RFC 5545, section 3.6.1."""
    start = fields.moment("DTSTART")
    if start is None:
        raise fields.wrong("has no DTSTART")
    end = fields.moment("DTEND")
    if end is None:
        end = start + _duration(fields, start)
    return _day(start), _day(end)


def _duration(fields: _Fields, start: date | datetime) -> timedelta:
    found = fields.value("DURATION")
    if found is None:
        return timedelta(0) if isinstance(start, datetime) else timedelta(days=1)
    duration = getattr(found, "dt", None)
    if not isinstance(duration, timedelta):
        raise fields.wrong("has a DURATION that is none")
    return duration


def _day(moment: date | datetime) -> date:
    """The day at the house; a time without a zone is the time there."""
    if not isinstance(moment, datetime):
        return moment
    return (moment if moment.tzinfo is None else moment.astimezone(HOUSE_ZONE)).date()


def _with_overlaps_marked(stays: Iterable[Event]) -> Iterator[Event]:
    """In time order; the earlier of two that want the same night has it."""
    free_from = date.min
    for stay in sorted(stays, key=lambda stay: (stay.first_day, stay.last_day, stay.uid)):
        if stay.state == "taken" and stay.first_day < free_from:
            yield replace(stay, state="overlap")
            continue
        if stay.state == "taken":
            free_from = stay.last_day
        yield stay


def _one_line(text: str, length: int) -> str:
    """Printable, blanks as single spaces, no longer than ``length``."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(printable.split())[:length].rstrip()
