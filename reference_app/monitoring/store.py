"""Checks, rules and alerts in the database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from reference_app.monitoring.alert import Alert
from reference_app.monitoring.health import Health
from reference_app.monitoring.rules import Rule, Seen

Connection = psycopg.AsyncConnection[Any]

ONE_AT_A_TIME = 0x6D_6F_6E_69
"""Advisory lock key: of two monitors one looks and tells at a time."""

_RULES = """/* alert_rules */
SELECT slug, title, metric, comparator, threshold, for_s, severity FROM alert_rules WHERE is_enabled
ORDER BY slug"""

_HISTORY = """/* health_history */
SELECT at, components -> 'figures' FROM health_checks WHERE at >= %s ORDER BY at DESC LIMIT 2000"""

_CHECK = """/* write_health_check */
INSERT INTO health_checks (at, status, components) VALUES (%s, %s, %s)"""

# Opened long ago and never told: told as soon as somebody can be.
_ALERTS = """/* unfinished_alerts */
SELECT id, rule, value, threshold, opened_at, closed_at, told_at, end_told_at, attempts, last_error
FROM alerts WHERE closed_at IS NULL OR told_at IS NULL OR end_told_at IS NULL
ORDER BY opened_at, id"""

# Somebody else may have opened the same while the database was away: theirs stays.
_WRITE = """/* write_alert */
INSERT INTO alerts (id, rule, value, threshold, opened_at, closed_at, told_at, end_told_at,
                    attempts, last_error)
VALUES (%(id)s, %(rule)s, %(value)s, %(threshold)s, %(opened_at)s, %(closed_at)s, %(told_at)s,
        %(end_told_at)s, %(attempts)s, %(last_error)s)
ON CONFLICT DO NOTHING"""

_CHANGE = """/* change_alert */
UPDATE alerts SET closed_at = %(closed_at)s, told_at = %(told_at)s, end_told_at = %(end_told_at)s,
                  attempts = %(attempts)s, last_error = %(last_error)s
WHERE id = %(id)s"""


async def take_turn(connection: Connection) -> bool:
    """Whether this process may go on; the turn ends with the connection."""
    cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", [ONE_AT_A_TIME])
    found = await cursor.fetchone()
    return found is not None and bool(found[0])


async def read_rules(connection: Connection) -> list[Rule]:
    """The rules in force."""
    async with connection.cursor(row_factory=class_row(Rule)) as cursor:
        await cursor.execute(_RULES)
        return await cursor.fetchall()


async def read_history(connection: Connection, since: datetime) -> list[Seen]:
    """What was seen since then, the newest first."""
    cursor = await connection.execute(_HISTORY, [since])
    return [Seen(at, figures or {}) for at, figures in await cursor.fetchall()]


async def read_alerts(connection: Connection) -> list[Alert]:
    """Those that are open, or of which something is still to be told."""
    async with connection.cursor(row_factory=class_row(Alert)) as cursor:
        await cursor.execute(_ALERTS)
        return await cursor.fetchall()


async def write_checks(connection: Connection, checks: Iterable[Health]) -> None:
    """Write down what was seen."""
    for check in checks:
        found = msgspec.to_builtins(
            {
                "figures": check.figures(),
                "components": check.components,
                "workers": check.workers,
            },
        )
        await connection.execute(_CHECK, [check.at, check.status, Jsonb(found)])


async def write_alert(connection: Connection, alert: Alert) -> None:
    """Write an alert as it is now."""
    values = {name: getattr(alert, name) for name in Alert.__slots__}
    cursor = await connection.execute(_CHANGE, values)
    if cursor.rowcount == 0:
        await connection.execute(_WRITE, values)
