"""What learners get to see."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from reference_app.fluide.checker.rules import Issue

QuotaKind = Literal["corrections", "exercises", "explanations"]

QuotaLevel = Literal["A1", "A2", "B1", "B2", "C1", "C2"]
"""Of the Common European Framework of Reference for Languages."""


class Correction(msgspec.Struct, frozen=True):
    """A text that was checked."""

    id: UUID
    session_id: UUID | None
    text: str
    corrected: str
    issues: list[Issue]
    created_at: datetime


class CorrectionSummary(msgspec.Struct, frozen=True):
    """A correction in a list: the first 200 signs, and how much was found."""

    id: UUID
    session_id: UUID | None
    excerpt: str
    issue_count: int
    created_at: datetime


class Exercise(msgspec.Struct, frozen=True):
    """A sentence with a gap, and what may fill it. What is right is told with the answer."""

    id: UUID
    slug: str
    rule: str
    level: QuotaLevel
    prompt: str
    choices: list[str]


class Solution(msgspec.Struct, frozen=True):
    """An exercise as the application knows it."""

    exercise: Exercise
    answer: str
    explanation: str


class Answer(msgspec.Struct, frozen=True):
    """What a learner chose, and what was right."""

    id: UUID
    exercise_id: UUID
    session_id: UUID | None
    answer: str
    is_right: bool
    right_answer: str
    explanation: str
    created_at: datetime


class ExplanationTitle(msgspec.Struct, frozen=True):
    """An explanation in the list of all."""

    slug: str
    rule: str
    title: str


class Explanation(msgspec.Struct, frozen=True):
    """Why something is written as it is."""

    slug: str
    rule: str
    title: str
    body: str


class LearningSession(msgspec.Struct, frozen=True):
    """A time of learning; corrections and answers may belong to one."""

    id: UUID
    started_at: datetime
    ended_at: datetime | None


class Use(msgspec.Struct, frozen=True):
    """What a plan allows of one kind in a day, and what was used of it."""

    kind: QuotaKind
    used: int
    limit: int


class Quota(msgspec.Struct, frozen=True):
    """A learner's day, which is one of UTC."""

    plan: str
    plan_name: str
    text_chars_max: int
    day: date
    resets_at: datetime
    quotas: list[Use]
