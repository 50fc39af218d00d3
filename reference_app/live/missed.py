"""Where a group stands, and what it missed."""

from __future__ import annotations

from http import HTTPStatus
from typing import LiteralString
from uuid import UUID

import msgspec

from reference_app.database import Database
from reference_app.identity.principal import Principal
from reference_app.live.events import PlanEvent, read_events
from reference_app.problems import Problem

MISSED_MAX = 50
"""Events that are told afterwards. Each makes a client read the same few lists again, so who missed
more than that is better off reading everything once."""

# One snapshot: the events up to the newest, and the plan that they led to.
_WHERE_IT_STANDS: LiteralString = """/* missed_plan_events */
SELECT bounds.oldest, bounds.newest, s.plan_id, (
    SELECT coalesce(json_agg(e.payload ORDER BY e.number), '[]')::text FROM (
        SELECT number, payload FROM plan_events
        WHERE number > coalesce(%(since)s::bigint, bounds.newest)
            AND (school_group_id = %(group)s
                OR (school_group_id IS NULL AND plan_id = s.plan_id))
        ORDER BY number LIMIT %(most)s
    ) AS e)
FROM plan_event_bounds() AS bounds
LEFT JOIN subscriptions s ON s.school_group_id = %(group)s"""


class Standing(msgspec.Struct, frozen=True):
    """Where a group stands at one moment.

    Attributes:
        oldest: Number of the oldest event of all groups that is kept; 0 when there is none.
        last: Number of the newest.
        plan_id: Plan of the group; None without one.
        payloads: What came after the number it named, a JSON array.
    """

    oldest: int
    last: int
    plan_id: UUID | None
    payloads: str

    @property
    def missed(self) -> tuple[PlanEvent, ...]:
        return read_events(self.payloads)


async def where_it_stands(database: Database, who: Principal, since: int | None) -> Standing:
    """What came after number ``since``, and the number to name next time.

    Args:
        database: Asked as ``who``, so row security answers, too.
        who: An administrator of a group.
        since: The last number that was seen; None when none was.

    Raises:
        Problem: 410; events after ``since`` are no longer kept, or too many to tell.
        psycopg.Error: The database cannot be asked.
    """
    standing = await database.first(
        who,
        _WHERE_IT_STANDS,
        {"since": since, "group": who.tenant_id, "most": MISSED_MAX + 1},
        Standing,
    )
    if standing is None:
        raise AssertionError("bounds are one row, and a group has one subscription at most")
    if since is not None:
        # Beyond the newest: a number of another database, or of this one before it was restored.
        is_gone = since + 1 < standing.oldest or since > standing.last
        if is_gone or len(standing.missed) > MISSED_MAX:
            raise too_old(standing.last)
    return standing


def too_old(last: int) -> Problem:
    """410: what was missed cannot be told; read everything, and go on from ``last``."""
    return Problem(
        HTTPStatus.GONE,
        "too-old",
        "too much happened since: read everything again, and go on from last",
        extra={"last": last},
    )
