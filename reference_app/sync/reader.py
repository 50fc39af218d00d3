"""A calendar read: asked for, checked, understood."""

from __future__ import annotations

import asyncio

from reference_app.sync.calendars import Calendars, checked_address, platform_of
from reference_app.sync.feed import read_feed
from reference_app.sync.fetch import Fetcher
from reference_app.sync.merge import Calendar, Reading


async def read_calendar(fetcher: Fetcher, calendars: Calendars, calendar: Calendar) -> Reading:
    """Ask the platform and understand what it says.

    Raises:
        SyncError: It may not be asked, gave no whole answer, or no calendar.
    """
    platform = platform_of(checked_address(calendar.url, calendars))
    fetched = await fetcher.fetch(calendar.url, calendar.validators)
    # In a thread: a large calendar takes half a second, and others wait for this loop.
    events = None if fetched.body is None else await asyncio.to_thread(read_feed, fetched.body)
    return Reading(platform=platform, events=events, validators=fetched.validators)
