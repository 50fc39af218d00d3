"""Tasks of calendar synchronisation: done once, or failed after exactly the promised retries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from psycopg import sql

from palier.analysis.facts import Fact
from palier.invariants.baseline import Baseline
from palier.invariants.looking import Check, Connection, NotNow, Scene, Seen, broken_rows, number

RETRIES: Final[Mapping[str, int]] = {"inline": 3, "queue": 3, "staggered": 2}
"""After the first run: T-88 (B-129) says 3 retries, T-166 (B-140) 3 attempts in all (X-48)."""


def _of_this_run(baseline: Baseline) -> sql.Composed:
    """Tasks that were queued or worked on since the load began, or wait to be.

    Seeded history is finished and was not touched; no promise was made about it.
    """
    return sql.SQL("(age(xmin) <= age({}::xid) OR status IN ('pending', 'processing'))").format(
        sql.Literal(baseline.before)
    )


def _done_once(connection: Connection, scene: Scene) -> Seen:
    mine = _of_this_run(scene.baseline)
    checked = number(connection, sql.SQL("SELECT count(*) FROM sync_queue WHERE {}").format(mine))
    if not checked:
        raise NotNow("not_applicable", "this run queued no synchronisation")
    # A run that ended well left one line of success, one that did not a line of failure. A gîte
    # without a calendar has nothing to read, and so no line.
    broken = sql.SQL(
        """
        SELECT 'task ' || task_id || ' is ' || status || ' after ' || retries || ' retries, with '
               || good || ' successful and ' || bad || ' failed runs' AS example
        FROM (
            SELECT q.*, g.ical_url,
                   count(*) FILTER (WHERE l.status = 'success') AS good,
                   count(*) FILTER (WHERE l.status = 'failed') AS bad
            FROM (SELECT * FROM sync_queue WHERE {mine}) AS q
            JOIN gites g ON g.id = q.gite_id
            LEFT JOIN sync_logs l ON l.task_id = q.task_id
            GROUP BY q.task_id, q.user_id, q.gite_id, q.priority, q.status, q.retries,
                     q.created_at, q.available_at, q.started_at, q.lease_until, q.worker,
                     q.completed_at, q.failed_at, q.last_error, q.error_message, g.ical_url
        ) AS tasks
        WHERE NOT CASE status
            WHEN 'completed' THEN completed_at IS NOT NULL AND bad = retries
                AND retries <= {promised} AND good = CASE WHEN ical_url IS NULL THEN 0 ELSE 1 END
            WHEN 'failed' THEN failed_at IS NOT NULL AND good = 0
                AND retries = {promised} AND bad = retries + 1
            ELSE good = 0 AND bad = retries AND retries <= {promised}
        END
        """
    ).format(mine=mine, promised=sql.Literal(RETRIES[scene.sync]))
    return Seen(checked, *broken_rows(connection, broken))


def _one_at_a_time(connection: Connection, _scene: Scene) -> Seen:
    unfinished = sql.SQL("SELECT count(*) FROM sync_queue WHERE status IN ('pending','processing')")
    broken = sql.SQL(
        """
        SELECT 'gîte ' || gite_id || ' has ' || count(*) || ' unfinished tasks' AS example
        FROM sync_queue WHERE status IN ('pending', 'processing')
        GROUP BY gite_id HAVING count(*) > 1
        """
    )
    return Seen(number(connection, unfinished), *broken_rows(connection, broken))


def task_facts(connection: Connection, baseline: Baseline) -> Iterator[Fact]:
    """What targets about synchronisation are judged by; nothing when no task was queued."""
    query = sql.SQL("SELECT count(*), coalesce(max(retries), 0) FROM sync_queue WHERE {}").format(
        _of_this_run(baseline)
    )
    tasks, most = connection.execute(query).fetchall()[0]
    if tasks:
        yield Fact(
            name="sync_retries_max",
            value=float(most),
            unit="retries",
            how=f"column retries of {tasks:,} tasks that were queued, run or waiting",
        )


TASK_CHECKS: Final = (
    Check(
        id="tasks-done-once",
        holds_when="A task is completed by one run, or failed after exactly the promised retries, "
        "or waits within them; each run left one line in the log",
        how="tasks queued or worked on since the load began joined with the log of synchronisation",
        look=_done_once,
    ),
    Check(
        id="one-task-for-each-unit",
        holds_when="A gîte has at most one unfinished task",
        how="pending and running tasks counted by gîte",
        look=_one_at_a_time,
    ),
)
