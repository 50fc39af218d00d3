"""Learners' corrections, exercises, explanations and sessions in the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, LiteralString, TypeVar
from uuid import UUID

import msgspec
import psycopg
from psycopg.sql import SQL
from psycopg.types.json import Jsonb

from reference_app.database import Database
from reference_app.fluide.checker.check import Checked
from reference_app.fluide.checker.rules import Issue
from reference_app.fluide.quota import COUNTED, IN_OPEN_SESSION
from reference_app.fluide.values import (
    Answer,
    Correction,
    CorrectionSummary,
    Exercise,
    Explanation,
    LearningSession,
    Solution,
)
from reference_app.listing import Listing, NewestFirst
from reference_app.own_rows import OwnRows
from reference_app.problems import Problem
from reference_app.session import Session

Row = TypeVar("Row")

OWN: LiteralString = "r.user_id = %(owner)s"


def _statement(name: LiteralString, kind: LiteralString, provided: LiteralString,
               then: LiteralString) -> LiteralString:  # fmt: skip
    counted = SQL(COUNTED).format(kind=SQL(kind), provided=SQL(provided))
    return f"/* {name} */" + counted.as_string() + then


def _issues(found: Any) -> list[Issue]:
    return msgspec.convert(found, list[Issue])


def _correction(
    row_id: UUID, session_id: UUID | None, text: str, corrected: str, issues: Any, at: datetime
) -> Correction:
    return Correction(row_id, session_id, text, corrected, _issues(issues), at)


CORRECTIONS = Listing(
    name="corrections",
    path="/api/corrections",
    source="corrections r",
    scope=OWN,
    columns="r.id, r.session_id, left(r.text, 200) AS excerpt, r.issue_count, r.created_at",
    row=CorrectionSummary,
    order=NewestFirst("created_at", datetime),
    conditions={"session_id": "r.session_id = %(session_id)s"},
)
CORRECTION = OwnRows(
    name="correction",
    table="corrections",
    scope="user_id = %(owner)s",
    columns="id, session_id, text, corrected, issues, created_at",
    row=_correction,
)
SESSIONS = Listing(
    name="learning_sessions",
    path="/api/learning-sessions",
    source="learning_sessions r",
    scope=OWN,
    columns="r.id, r.started_at, r.ended_at",
    row=LearningSession,
    order=NewestFirst("started_at", datetime),
)

_CREATE_CORRECTION = _statement(
    "create_correction",
    "corrections",
    f"p.text_chars_max >= %(chars)s AND {IN_OPEN_SESSION}",
    """
    INSERT INTO corrections (id, user_id, session_id, text, corrected, issues, issue_count)
    SELECT %(id)s, %(owner)s, %(session_id)s, %(text)s, %(corrected)s, %(issues)s, %(issue_count)s
    FROM counted
    RETURNING created_at""",
)
_CREATE_ANSWER = _statement(
    "create_exercise_answer",
    "exercises",
    IN_OPEN_SESSION,
    """
    INSERT INTO exercise_answers (id, user_id, session_id, exercise_id, answer, is_right)
    SELECT %(id)s, %(owner)s, %(session_id)s, %(exercise_id)s, %(answer)s, %(is_right)s
    FROM counted
    RETURNING created_at""",
)
_USE_EXPLANATION = _statement(
    "use_explanation", "explanations", "true", "\nSELECT used FROM counted"
)


async def create_correction(
    session: Session, checked: Checked, row_id: UUID, text: str, session_id: UUID | None
) -> Correction | None:
    """Keep a correction and count it; None when that may not be, see ``quota.refusal``.

    Raises:
        Problem: 409; there is one of this id.
    """
    created_at = await _once(
        session,
        _CREATE_CORRECTION,
        {
            "id": row_id,
            "owner": session.user_id,
            "session_id": session_id,
            "text": text,
            "chars": len(text),
            "corrected": checked.corrected,
            "issues": Jsonb(msgspec.to_builtins(checked.issues)),
            "issue_count": len(checked.issues),
        },
        _as_it_is,
    )
    if created_at is None:
        return None
    return Correction(row_id, session_id, text, checked.corrected, list(checked.issues), created_at)


async def create_answer(
    session: Session, solution: Solution, row_id: UUID, answer: str, session_id: UUID | None
) -> Answer | None:
    """Keep an answer and count it; None when that may not be, see ``quota.refusal``.

    Raises:
        Problem: 409; there is one of this id.
    """
    is_right = answer == solution.answer
    created_at = await _once(
        session,
        _CREATE_ANSWER,
        {
            "id": row_id,
            "owner": session.user_id,
            "session_id": session_id,
            "exercise_id": solution.exercise.id,
            "answer": answer,
            "is_right": is_right,
        },
        _as_it_is,
    )
    if created_at is None:
        return None
    return Answer(
        row_id,
        solution.exercise.id,
        session_id,
        answer,
        is_right,
        solution.answer,
        solution.explanation,
        created_at,
    )


async def use_explanation(session: Session) -> bool:
    """Count the reading of an explanation; False when none is left today."""
    used = await session.first(_USE_EXPLANATION, {"owner": session.user_id}, _as_it_is)
    return used is not None


async def begin_session(session: Session, row_id: UUID) -> LearningSession | None:
    """A new learning session; None for an account that is no learner's.

    Raises:
        Problem: 409; there is one of this id.
    """
    return await _once(
        session,
        """/* begin_learning_session */
        INSERT INTO learning_sessions (id, user_id)
        SELECT %(id)s, l.user_id FROM learners l WHERE l.user_id = %(owner)s
        RETURNING id, started_at, ended_at""",
        {"id": row_id, "owner": session.user_id},
        LearningSession,
    )


async def end_session(session: Session, session_id: UUID) -> LearningSession | None:
    """End it, if it has not ended; None when it is not this learner's."""
    return await session.first(
        """/* end_learning_session */
        UPDATE learning_sessions SET ended_at = coalesce(ended_at, now())
        WHERE id = %(id)s AND user_id = %(owner)s
        RETURNING id, started_at, ended_at""",
        {"id": session_id, "owner": session.user_id},
        LearningSession,
    )


# What is the same for everybody is read as nobody.


async def read_exercises(database: Database) -> Sequence[Solution]:
    """All exercises, the easy ones first."""
    return await database.rows(
        None,
        """/* read_exercises */
        SELECT e.id, e.slug, e.rule, e.level, e.prompt, e.choices, e.answer, x.slug
        FROM exercises e JOIN explanations x ON x.id = e.explanation_id
        ORDER BY e.level, e.slug""",
        {},
        _solution,
        repeatable=True,
    )


async def read_exercise(database: Database, exercise_id: UUID) -> Solution | None:
    """One exercise with its solution."""
    return await database.first(
        None,
        """/* read_exercise */
        SELECT e.id, e.slug, e.rule, e.level, e.prompt, e.choices, e.answer, x.slug
        FROM exercises e JOIN explanations x ON x.id = e.explanation_id
        WHERE e.id = %(id)s""",
        {"id": exercise_id},
        _solution,
        repeatable=True,
    )


async def read_explanations(database: Database) -> Sequence[Explanation]:
    """All explanations, by their names."""
    return await database.rows(
        None,
        """/* read_explanations */
        SELECT slug, rule, title, body FROM explanations ORDER BY slug""",
        {},
        Explanation,
        repeatable=True,
    )


async def read_explanation(database: Database, slug: str) -> Explanation | None:
    """One explanation."""
    return await database.first(
        None,
        """/* read_explanation */
        SELECT slug, rule, title, body FROM explanations WHERE slug = %(slug)s""",
        {"slug": slug},
        Explanation,
        repeatable=True,
    )


def _solution(
    row_id: UUID,
    slug: str,
    rule: str,
    level: Any,
    prompt: str,
    choices: list[str],
    answer: str,
    explanation: str,
) -> Solution:
    return Solution(Exercise(row_id, slug, rule, level, prompt, choices), answer, explanation)


async def _once(
    session: Session,
    statement: LiteralString,
    parameters: Mapping[str, Any],
    row: Callable[..., Row],
) -> Row | None:
    """Insert a row; what the statement counts stays as it was when the row is there already.

    Who sends an id can ask again after no answer came, and will not have written twice.
    """
    try:
        return await session.first(statement, parameters, row)
    except psycopg.errors.UniqueViolation as error:
        raise Problem(
            HTTPStatus.CONFLICT, "id-taken", "there is one of this id; it was not made again"
        ) from error


def _as_it_is(value: Any) -> Any:
    return value
