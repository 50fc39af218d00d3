"""What a plan allows in a day, exact however many ask at once.

Counting and what is counted are one statement. The row of the day is locked by the first who
counts; whoever comes meanwhile waits, and counts on from there or not at all. So a quota is
neither passed nor used by what failed (docs/decisions/0099-quotas.md).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from http import HTTPStatus
from typing import Any, LiteralString
from uuid import UUID

from reference_app.fluide.values import Quota, QuotaKind, Use
from reference_app.problems import Problem, not_found
from reference_app.session import Session

COUNTED: LiteralString = """
WITH plan AS (
    SELECT p.{kind}_per_day AS most
    FROM learners l JOIN learner_plans p ON p.id = l.plan_id
    WHERE l.user_id = %(owner)s AND {provided}
), counted AS (
    INSERT INTO quota_use AS q (user_id, kind, day, used)
    SELECT %(owner)s, '{kind}', (now() AT TIME ZONE 'UTC')::date, 1 FROM plan WHERE most > 0
    ON CONFLICT (user_id, kind, day) DO UPDATE SET used = q.used + 1
        WHERE q.used < (SELECT most FROM plan)
    RETURNING used
)"""
"""Begins a statement that uses up one of a kind; ``counted`` has a row if there was one left."""

IN_OPEN_SESSION: LiteralString = """(%(session_id)s::uuid IS NULL OR EXISTS (
        SELECT FROM learning_sessions s
        WHERE s.id = %(session_id)s AND s.user_id = %(owner)s AND s.ended_at IS NULL))"""


async def read_quota(session: Session) -> Quota:
    """What the learner's plan allows today, and what is used.

    Raises:
        Problem: 404; the account has no plan.
    """
    found = await session.rows(
        """/* read_quota */
        SELECT p.slug, p.name, p.text_chars_max, today.day, kind.name,
               coalesce(q.used, 0), kind.most
        FROM learners l
        JOIN learner_plans p ON p.id = l.plan_id
        CROSS JOIN (SELECT (now() AT TIME ZONE 'UTC')::date AS day) AS today
        CROSS JOIN LATERAL (VALUES
            (1, 'corrections', p.corrections_per_day),
            (2, 'exercises', p.exercises_per_day),
            (3, 'explanations', p.explanations_per_day)) AS kind (place, name, most)
        LEFT JOIN quota_use q
            ON q.user_id = l.user_id AND q.kind = kind.name AND q.day = today.day
        WHERE l.user_id = %(owner)s
        ORDER BY kind.place""",
        {"owner": session.user_id},
        _line,
        repeatable=True,
    )
    if not found:
        raise not_found("learner's plan")
    slug, name, text_chars_max, day, _ = found[0]
    return Quota(
        plan=slug,
        plan_name=name,
        text_chars_max=text_chars_max,
        day=day,
        resets_at=datetime.combine(day + timedelta(days=1), time(), UTC),
        quotas=[use for *_, use in found],
    )


async def refusal(
    session: Session, kind: QuotaKind, *, session_id: UUID | None = None, chars: int = 0
) -> Problem:
    """Why a statement that begins with ``COUNTED`` did nothing.

    Args:
        session: Who asked.
        kind: What was to be counted.
        session_id: The learning session it was to belong to.
        chars: Length of the text.

    Raises:
        Problem: 404; the account has no plan.
    """
    quota = await read_quota(session)
    if chars > quota.text_chars_max:
        return Problem(
            HTTPStatus.BAD_REQUEST,
            "text-too-long",
            f"{chars} characters; the plan {quota.plan_name} checks {quota.text_chars_max}",
            extra={"limit": quota.text_chars_max},
        )
    (use,) = [one for one in quota.quotas if one.kind == kind]
    if session_id is not None and use.used < use.limit:
        return not_found("open learning session")
    # Something is left now when the day ended between the two statements: ask again at once.
    has_ended = use.used < use.limit
    left_s = 0.0 if has_ended else (quota.resets_at - datetime.now(UTC)).total_seconds()
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "quota-reached",
        f"{use.used} of {use.limit} {kind} of today are used",
        extra={"kind": kind, "used": use.used, "limit": use.limit},
        headers={"Retry-After": str(max(1, int(left_s) + 1))},
    )


def _line(
    slug: str, name: str, text_chars_max: int, day: date, kind: Any, used: int, most: int
) -> tuple[str, str, int, date, Use]:
    return slug, name, text_chars_max, day, Use(kind, used, most)
