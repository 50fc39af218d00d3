"""Feeds for browsers: fetched for them, and kept half an hour for everyone (B-142 ... B-144).

Kept in PostgreSQL, so that it works in every variant and one process's fetch is a hit for all.
Synchronisation itself never reads from here: half an hour more of not knowing is half an hour more
for a double booking (X-45).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import LiteralString

import httpx

from reference_app.cache.flights import Flights
from reference_app.session import Session
from reference_app.sync.calendars import Calendars, checked_address
from reference_app.sync.errors import FeedError
from reference_app.sync.fetch import Fetcher

LIFETIME_S = 1_800
"""B-143."""

_BEGINS = b"BEGIN:VCALENDAR"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_FIND: LiteralString = """/* find_cached_calendar */
SELECT body, extract(epoch FROM now() - fetched_at)::integer
FROM calendar_cache
WHERE address = %(address)s AND fetched_at > now() - make_interval(secs => %(lifetime_s)s)"""

# Whoever adds one takes some of the old ones away, so the table stays about as large as half an
# hour's fetches.
_KEEP: LiteralString = """/* keep_calendar */
WITH old AS (
    DELETE FROM calendar_cache WHERE address IN (
        SELECT address FROM calendar_cache
        WHERE fetched_at <= now() - make_interval(secs => %(lifetime_s)s)
          AND address <> %(address)s
        LIMIT 10 FOR UPDATE SKIP LOCKED)
)
INSERT INTO calendar_cache (address, body) VALUES (%(address)s, %(body)s)
ON CONFLICT (address) DO UPDATE SET body = excluded.body, fetched_at = now()
RETURNING address"""


@dataclass(frozen=True, slots=True)
class ProxiedFeed:
    """A feed as a browser gets it.

    Attributes:
        body: Text of a calendar, as the platform sent it.
        age_s: Since it was fetched.
        is_hit: It was not fetched for this request.
    """

    body: bytes
    age_s: int
    is_hit: bool


class CalendarProxy:
    """Fetches feeds, each address once in half an hour.

    Args:
        fetcher: Asks the platforms.
        calendars: What may be asked.
    """

    def __init__(self, fetcher: Fetcher, calendars: Calendars) -> None:
        self._fetcher = fetcher
        self._calendars = calendars
        self._flights: Flights[ProxiedFeed] = Flights()

    async def get(self, session: Session, address: str) -> ProxiedFeed:
        """The feed of an address; of several requests at once one fetches.

        Raises:
            SyncError: It may not be asked, gave no whole answer, or no calendar.
            psycopg.Error: As of the database.
        """
        url = checked_address(address, self._calendars)
        return await self._flights.join(str(url), lambda: self._load(session, url))

    async def close(self) -> None:
        """Wait for what is under way."""
        await self._flights.finish()

    async def _load(self, session: Session, url: httpx.URL) -> ProxiedFeed:
        address = hashlib.sha256(str(url).encode()).hexdigest()
        kept = await session.first(
            _FIND, {"address": address, "lifetime_s": LIFETIME_S}, _from_cache
        )
        if kept is not None:
            return kept
        body = (await self._fetcher.fetch(str(url))).body
        if body is None or not body.removeprefix(_BYTE_ORDER_MARK).lstrip().startswith(_BEGINS):
            raise FeedError("the address answers, but not with a calendar")
        await session.rows(
            _KEEP, {"address": address, "body": body, "lifetime_s": LIFETIME_S}, lambda key: key
        )
        return ProxiedFeed(body, age_s=0, is_hit=False)


def _from_cache(body: bytes, age_s: int) -> ProxiedFeed:
    return ProxiedFeed(bytes(body), age_s, is_hit=True)
