"""School groups: within their plans, told once, and their bulk operations whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, LiteralString

from psycopg import sql

from palier.analysis.facts import Fact
from palier.invariants.baseline import Baseline
from palier.invariants.looking import Check, Connection, NotNow, Scene, Seen, broken_rows, number

MONTH_S: Final = 30 * 24 * 3600

_EVENTS: Final = ("plan_events", "subscription_notices", "webhook_events")
"""What happens to a group and is told to somebody (T-15)."""

MARKS: Final = (30, 15, 7, 3, 1)
"""Days before the end of a period on which a group is told, once each (B-42, T-22)."""

_USED: LiteralString = """
    SELECT 'schools' AS kind, school_group_id, count(*) AS used,
           max(created_at) FILTER (WHERE {mine}) AS newest
    FROM schools GROUP BY school_group_id
    UNION ALL
    SELECT 'students', school_group_id, count(*), max(created_at) FILTER (WHERE {mine})
    FROM students GROUP BY school_group_id
    UNION ALL
    SELECT 'staff', school_group_id, count(*), max(created_at) FILTER (WHERE {mine})
    FROM staff GROUP BY school_group_id
    UNION ALL
    SELECT 'storage', school_group_id, sum(size_bytes), max(created_at) FILTER (WHERE {mine})
    FROM stored_files GROUP BY school_group_id
"""
"""What each group uses, counted here and not by the functions that are to be checked."""


def _within_limits(connection: Connection, scene: Scene) -> Seen:
    used = sql.SQL(_USED).format(mine=_of_this_run(scene.baseline))
    created = number(
        connection,
        sql.SQL("SELECT count(*) FROM ({}) AS u WHERE newest IS NOT NULL").format(used),
    )
    if not created:
        raise NotNow("not_applicable", "this run created nothing in a school group")
    # A plan change waits for the creations of its group and they for it, so whatever began after
    # the last change was counted against the plan of today. Before it a higher limit may have held.
    broken = sql.SQL(
        """
        SELECT 'group ' || u.school_group_id || ' has ' || u.used || ' of ' || u.kind
               || ', and its plan ' || p.slug || ' allows ' || l.most AS example
        FROM ({used}) AS u
        JOIN subscriptions s USING (school_group_id)
        JOIN subscription_plans p ON p.id = s.plan_id
        CROSS JOIN LATERAL (SELECT CASE u.kind
            WHEN 'schools' THEN p.max_schools::bigint
            WHEN 'students' THEN p.max_students
            WHEN 'staff' THEN p.max_staff
            ELSE p.max_storage * 1000000000::bigint END AS most) AS l
        LEFT JOIN (
            SELECT school_group_id, max(created_at) AS at FROM plan_events
            WHERE kind = 'plan' GROUP BY school_group_id
        ) AS changed USING (school_group_id)
        WHERE u.used > l.most AND u.newest > coalesce(changed.at, '-infinity')
        """
    ).format(used=used)
    return Seen(created, *broken_rows(connection, broken))


def _told_once(connection: Connection, _scene: Scene) -> Seen:
    told = number(connection, sql.SQL("SELECT count(*) FROM subscription_notices"))
    if not told:
        raise NotNow("not_applicable", "this run told no group of an end")
    twice = sql.SQL(
        """
        SELECT 'subscription ' || subscription_id || ', period ' || period || ': told '
               || count(*) || ' times of ' || days_before || ' days' AS example
        FROM subscription_notices GROUP BY subscription_id, period, days_before
        HAVING count(*) > 1
        """
    )
    # One that was missed is made up for until the next takes its place.
    wrong = sql.SQL(
        """
        SELECT 'subscription ' || subscription_id || ': told of ' || days_before || ' days with '
               || days_left || ' left' AS example
        FROM (
            SELECT *, ends_on - (sent_at AT TIME ZONE 'UTC')::date AS days_left
            FROM subscription_notices
        ) AS notices
        WHERE days_left < 1 OR days_before IS DISTINCT FROM (
            SELECT min(mark) FROM unnest({marks}::integer[]) AS marks (mark)
            WHERE mark >= days_left)
        """
    ).format(marks=sql.Literal(list(MARKS)))
    return Seen(told, *broken_rows(connection, twice)) + Seen(0, *broken_rows(connection, wrong))


def _operations_whole(connection: Connection, scene: Scene) -> Seen:
    asked = _asked_in_bulk(connection, scene.baseline)
    broken = sql.SQL(
        """
        SELECT 'bulk operation ' || id || ' is ' || status || ' with ' || done || ' done and '
               || failed || ' refused of ' || total AS example
        FROM bulk_operations
        WHERE total <> jsonb_array_length(items) OR failed <> jsonb_array_length(failures)
           OR done + failed > total
           OR NOT CASE status
               WHEN 'completed' THEN done + failed = total AND finished_at IS NOT NULL
               WHEN 'failed' THEN error IS NOT NULL AND finished_at IS NOT NULL
               ELSE finished_at IS NULL END
        """
    )
    return Seen(asked, *broken_rows(connection, broken))


def _operations_done(connection: Connection, scene: Scene) -> Seen:
    """The items that an operation says it did are rows, and the refused ones are not.

    Operations of one group may name the same pupil, so names are counted.
    """
    _asked_in_bulk(connection, scene.baseline)
    mine = _of_this_run(scene.baseline)
    items = sql.SQL(
        """
        SELECT b.school_group_id, b.kind, i.item ->> 'name' AS name,
               count(*) FILTER (WHERE NOT b.failures @> jsonb_build_array(
                   jsonb_build_object('index', i.place - 1))) AS wanted
        FROM bulk_operations b,
             jsonb_array_elements(b.items) WITH ORDINALITY AS i (item, place)
        WHERE b.kind <> 'plan' AND i.place <= b.done + b.failed AND {mine}
        GROUP BY 1, 2, 3
        """
    ).format(mine=_of_this_run(scene.baseline, of="b"))
    checked = number(connection, sql.SQL("SELECT sum(wanted) FROM ({}) AS i").format(items))
    broken = sql.SQL(
        """
        SELECT i.kind || ' ' || i.name || ' of group ' || i.school_group_id || ' is there '
               || coalesce(r.there, 0) || ' times instead of ' || i.wanted AS example
        FROM ({items}) AS i
        LEFT JOIN (
            SELECT 'schools' AS kind, school_group_id, name, count(*) AS there
            FROM schools WHERE {mine} GROUP BY 2, 3
            UNION ALL SELECT 'students', school_group_id, name, count(*)
            FROM students WHERE {mine} GROUP BY 2, 3
            UNION ALL SELECT 'staff', school_group_id, name, count(*)
            FROM staff WHERE {mine} GROUP BY 2, 3
        ) AS r USING (kind, school_group_id, name)
        WHERE coalesce(r.there, 0) <> i.wanted
        """
    ).format(items=items, mine=mine)
    return Seen(checked, *broken_rows(connection, broken))


def _asked_in_bulk(connection: Connection, baseline: Baseline) -> int:
    asked = number(
        connection,
        sql.SQL("SELECT count(*) FROM bulk_operations WHERE {}").format(_of_this_run(baseline)),
    )
    if not asked:
        raise NotNow("not_applicable", "this run asked for nothing in bulk")
    return asked


def _of_this_run(baseline: Baseline, *, of: LiteralString = "") -> sql.Composed:
    """Rows that were written since the load began."""
    xmin = sql.Identifier(of, "xmin") if of else sql.Identifier("xmin")
    return sql.SQL("(age({}) <= age({}::xid))").format(xmin, sql.Literal(baseline.before))


def group_facts(connection: Connection, baseline: Baseline, *, duration_s: float) -> Iterator[Fact]:
    """What targets of E-Pilot are judged by; nothing about what did not happen.

    A bulk operation that is not through has taken as long as it has been waited for.
    """
    events = sum(
        number(
            connection,
            sql.SQL("SELECT count(*) FROM {} WHERE {}").format(
                sql.Identifier(table), _of_this_run(baseline)
            ),
        )
        for table in _EVENTS
    )
    if events:
        yield Fact(
            name="events_projected",
            value=events / duration_s * MONTH_S,
            unit="events/month",
            how=f"{events:,} rows of {', '.join(_EVENTS)} in {duration_s:g} s",
        )
    attempts = number(
        connection,
        sql.SQL("SELECT max(attempts) FROM webhook_deliveries WHERE {}").format(
            _of_this_run(baseline)
        ),
    )
    if attempts:
        yield Fact(
            name="webhook_attempts_max",
            value=float(attempts),
            unit="attempts",
            how="column attempts of the deliveries of this run",
        )
    query = sql.SQL(
        "SELECT count(*), extract(epoch FROM max("
        "coalesce(finished_at, clock_timestamp()) - created_at)) FROM bulk_operations WHERE {}"
    ).format(_of_this_run(baseline))
    operations, longest_s = connection.execute(query).fetchall()[0]
    if operations:
        yield Fact(
            name="bulk_operation_max",
            value=float(longest_s),
            unit="s",
            how=f"from the request to the last row, the longest of {operations:,} operations",
        )


GROUP_CHECKS: Final = (
    Check(
        id="within-plan-limits",
        holds_when="No group got above a limit of its plan through a creation of this run",
        how="rows of each group counted against its plan, where something was created since the "
        "plan last changed",
        look=_within_limits,
    ),
    Check(
        id="notices-once",
        holds_when="Each mark of days before an end was told once, on its day or before the next",
        how="notices counted by subscription, period and mark; the mark worked out from the dates",
        look=_told_once,
    ),
    Check(
        id="bulk-operations-whole",
        holds_when="Of a bulk operation that is through, every item was done or refused",
        how="done, refused and asked for, of every operation",
        look=_operations_whole,
    ),
    Check(
        id="bulk-rows-there",
        holds_when="What a bulk operation says it did is there, once, and what it refused is not",
        how="items of the operations joined with rows of this run by group and name",
        look=_operations_done,
    ),
)
