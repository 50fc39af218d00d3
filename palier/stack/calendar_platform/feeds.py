"""What a platform's feed says: a function of seed, host and listing, and nothing else.

The stays lie far beyond every seeded booking (``FIRST_DAY``), so a feed never takes a night that
the synthetic data has given away, whoever owns the gîte.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from palier.model.identity import ANCHOR, NAMESPACE

PLATFORM_OF_HOST = {
    "calendar.airbnb.example": "airbnb",
    "calendar.booking.example": "booking",
    "calendar.abritel.example": "abritel",
}

FIRST_DAY = ANCHOR + timedelta(days=1_500)
"""Seeded bookings end ten months after the anchor."""

STAYS = (4, 12)
NIGHTS = (2, 14)
GAP_DAYS = (0, 10)


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay as the platform knows it."""

    uid: str
    first_day: date
    last_day: date


def listed_stays(*, seed: int, host: str, listing: str) -> tuple[Stay, ...]:
    """The stays of a listing, in time order; they never overlap."""
    chance = random.Random(f"{seed}/{host}/{listing}")
    return tuple(_stays(chance, seed, host, listing, count=chance.randint(*STAYS)))


def many_stays(*, seed: int, host: str, listing: str, count: int) -> tuple[Stay, ...]:
    """As many stays as asked for, to try the bounds of whoever reads them."""
    chance = random.Random(f"{seed}/{host}/{listing}/{count}")
    return tuple(_stays(chance, seed, host, listing, count=count))


def feed_text(host: str, stays: tuple[Stay, ...]) -> str:
    """The stays as iCalendar, each platform in its own manner.

    Airbnb and Booking list whole days; Abritel lists the hours of arrival and departure.
    """
    platform = PLATFORM_OF_HOST[host]
    events = [line for stay in stays for line in _event(platform, stay)]
    return "\r\n".join(
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            f"PRODID:-//{platform}.example//Hosting Calendar//EN",
            "CALSCALE:GREGORIAN",
            *events,
            "END:VCALENDAR",
            "",
        ]
    )


def _stays(
    chance: random.Random, seed: int, host: str, listing: str, *, count: int
) -> Iterator[Stay]:
    platform = PLATFORM_OF_HOST[host]
    day = FIRST_DAY
    for index in range(count):
        first_day = day + timedelta(days=chance.randint(*GAP_DAYS))
        day = first_day + timedelta(days=chance.randint(*NIGHTS))
        uid = uuid.uuid5(NAMESPACE, f"{seed}/event/{host}/{listing}/{index}")
        yield Stay(f"{uid}@{platform}.example", first_day, day)


def _event(platform: str, stay: Stay) -> list[str]:
    if platform == "abritel":
        start = f"DTSTART;TZID=Europe/Paris:{stay.first_day:%Y%m%d}T160000"
        end = f"DTEND;TZID=Europe/Paris:{stay.last_day:%Y%m%d}T100000"
    else:
        start = f"DTSTART;VALUE=DATE:{stay.first_day:%Y%m%d}"
        end = f"DTEND;VALUE=DATE:{stay.last_day:%Y%m%d}"
    summary = {"airbnb": "Reserved", "booking": "CLOSED - Not available"}.get(
        platform, "Réservation"
    )
    return [
        "BEGIN:VEVENT",
        f"UID:{stay.uid}",
        f"DTSTAMP:{ANCHOR:%Y%m%d}T000000Z",
        start,
        end,
        f"SUMMARY:{summary}",
        "END:VEVENT",
    ]
