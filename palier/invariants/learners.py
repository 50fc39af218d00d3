"""Learners' quotas: never passed, and as many as there are rows."""

from __future__ import annotations

from typing import Final

from psycopg import sql

from palier.invariants.baseline import Baseline
from palier.invariants.looking import Check, Connection, NotNow, Scene, Seen, broken_rows, number


def _of_this_run(baseline: Baseline, table: str) -> sql.Composed:
    """Rows written since the load began."""
    return sql.SQL("age({}.xmin) <= age({}::xid)").format(
        sql.Identifier(table), sql.Literal(baseline.before)
    )


def _counted(connection: Connection, scene: Scene) -> int:
    """Days of learners on which this run counted something."""
    counted = number(
        connection,
        sql.SQL("SELECT count(*) FROM quota_use q WHERE {}").format(
            _of_this_run(scene.baseline, "q")
        ),
    )
    if not counted:
        raise NotNow("not_applicable", "this run used nothing of a quota")
    return counted


def _held(connection: Connection, scene: Scene) -> Seen:
    counted = _counted(connection, scene)
    broken = sql.SQL(
        """
        SELECT 'learner ' || user_id || ' used ' || used || ' of ' || most || ' ' || kind
               || ' of ' || day AS example
        FROM (
            SELECT q.*, CASE q.kind WHEN 'corrections' THEN p.corrections_per_day
                                    WHEN 'exercises' THEN p.exercises_per_day
                                    ELSE p.explanations_per_day END AS most
            FROM quota_use q
            LEFT JOIN learners l ON l.user_id = q.user_id
            LEFT JOIN learner_plans p ON p.id = l.plan_id
            WHERE {mine}
        ) AS used_up
        WHERE used > coalesce(most, 0)
        """
    ).format(mine=_of_this_run(scene.baseline, "q"))
    return Seen(counted, *broken_rows(connection, broken))


def _exact(connection: Connection, scene: Scene) -> Seen:
    _counted(connection, scene)
    made = sql.SQL(
        """
        SELECT user_id, 'corrections' AS kind, (created_at AT TIME ZONE 'UTC')::date AS day
        FROM corrections c WHERE {corrections}
        UNION ALL
        SELECT user_id, 'exercises', (created_at AT TIME ZONE 'UTC')::date
        FROM exercise_answers a WHERE {answers}
        """
    ).format(
        corrections=_of_this_run(scene.baseline, "c"), answers=_of_this_run(scene.baseline, "a")
    )
    rows = number(connection, sql.SQL("SELECT count(*) FROM ({}) AS made").format(made))
    # A day that an earlier run began has rows that are not of this one.
    broken = sql.SQL(
        """
        SELECT 'learner ' || user_id || ' has ' || there || ' ' || kind || ' of ' || day
               || ', and ' || coalesce(used, 0) || ' are counted' AS example
        FROM (SELECT user_id, kind, day, count(*) AS there FROM ({made}) AS made
              GROUP BY user_id, kind, day) AS made
        LEFT JOIN quota_use q USING (user_id, kind, day)
        WHERE there > coalesce(used, 0)
        """
    ).format(made=made)
    return Seen(rows, *broken_rows(connection, broken))


LEARNER_CHECKS: Final = (
    Check(
        id="quotas-never-passed",
        holds_when="No learner has used more of a day than the plan allows",
        how="every day that this run counted, against the learner's plan",
        look=_held,
    ),
    Check(
        id="quotas-count-what-was-made",
        holds_when="Every correction and answer is counted in the quota of its day",
        how="rows of this run counted by learner and day, against the count of the day",
        look=_exact,
    ),
)
