"""Corrections, exercises, explanations and learning sessions over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated
from uuid import UUID, uuid4

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from reference_app.fluide.cache import Kind, Level
from reference_app.fluide.checker.check import TEXT_CHARS_MAX
from reference_app.fluide.queries import (
    CORRECTION,
    CORRECTIONS,
    SESSIONS,
    begin_session,
    create_answer,
    create_correction,
    end_session,
    use_explanation,
)
from reference_app.fluide.quota import read_quota, refusal
from reference_app.fluide.study import EXERCISES, EXPLANATIONS, Study
from reference_app.fluide.values import (
    Answer,
    Correction,
    CorrectionSummary,
    Exercise,
    Explanation,
    ExplanationTitle,
    LearningSession,
    Quota,
    QuotaLevel,
)
from reference_app.identity.admission import only
from reference_app.pages import After, Page, PageNumber
from reference_app.problems import not_found
from reference_app.session import Session

TAGS = ("learning",)


class NewCorrection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text to be checked, perhaps within a learning session that has not ended."""

    text: Annotated[str, Meta(min_length=1, max_length=TEXT_CHARS_MAX)]
    session_id: UUID | None = None
    id: UUID | None = None


class NewAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What fills the gap of an exercise."""

    answer: Annotated[str, Meta(min_length=1, max_length=100)]
    session_id: UUID | None = None
    id: UUID | None = None


class NewSession(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A time of learning that begins now."""

    id: UUID | None = None


class CorrectionsController(Controller):
    """Texts of the signed-in learner."""

    path = CORRECTIONS.path
    tags = TAGS
    opt = only("learner")

    @post("/", summary="Check a text")
    async def create(
        self,
        data: JSONBody[NewCorrection],
        session: NamedDependency[Session],
        study: NamedDependency[Study],
    ) -> Response[Correction]:
        """Uses one correction of the day; 429 when none is left, 400 when the text is too long.

        Places are counted in Unicode code points.
        """
        checked, level = await study.correct(data.text)
        created = await create_correction(
            session, checked, data.id or uuid4(), data.text, data.session_id
        )
        if created is None:
            raise await refusal(
                session, "corrections", session_id=data.session_id, chars=len(data.text)
            )
        return Response(created, status_code=HTTPStatus.CREATED, headers=_found(level))

    @get("/", summary="List corrections")
    async def all(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
        session_id: FromQuery[UUID | None] = None,
    ) -> Page[CorrectionSummary]:
        """Newest first."""
        return await CORRECTIONS.page(
            session, page=page, after=after, filters={"session_id": session_id}
        )

    @get("/{correction_id:uuid}", summary="Get a correction")
    async def one(
        self, correction_id: FromPath[UUID], session: NamedDependency[Session]
    ) -> Correction:
        """With what was found, and why."""
        return await CORRECTION.find(session, correction_id)

    @delete("/{correction_id:uuid}", summary="Delete a correction")
    async def remove(
        self, correction_id: FromPath[UUID], session: NamedDependency[Session]
    ) -> None:
        """For good; it stays counted in the quota of its day."""
        await CORRECTION.delete(session, correction_id)


class ExercisesController(Controller):
    """Exercises, the same for everybody."""

    path = "/api/exercises"
    tags = TAGS
    opt = only("learner")

    @get("/", summary="List exercises", opt={"public": True})
    async def all(
        self,
        study: NamedDependency[Study],
        level: FromQuery[QuotaLevel | None] = None,
        rule: FromQuery[str | None] = None,
    ) -> Response[Sequence[Exercise]]:
        """The easy ones first. Public: what is right is told with an answer."""
        found, place = await study.exercises()
        chosen = [
            one
            for one in found
            if (level is None or one.level == level) and (rule is None or one.rule == rule)
        ]
        return Response(chosen, headers={**_found(place), **_public(study, EXERCISES)})

    @get("/{exercise_id:uuid}", summary="Get an exercise")
    async def one(
        self, exercise_id: FromPath[UUID], study: NamedDependency[Study]
    ) -> Response[Exercise]:
        """Without what is right."""
        found, level = await study.exercise(exercise_id)
        return Response(found.exercise, headers=_found(level))

    @post("/{exercise_id:uuid}/answers", summary="Answer an exercise")
    async def answer(
        self,
        exercise_id: FromPath[UUID],
        data: JSONBody[NewAnswer],
        session: NamedDependency[Session],
        study: NamedDependency[Study],
    ) -> Response[Answer]:
        """Uses one exercise of the day; 429 when none is left."""
        solution, level = await study.exercise(exercise_id)
        created = await create_answer(
            session, solution, data.id or uuid4(), data.answer, data.session_id
        )
        if created is None:
            raise await refusal(session, "exercises", session_id=data.session_id)
        return Response(created, status_code=HTTPStatus.CREATED, headers=_found(level))


class ExplanationsController(Controller):
    """Explanations, the same for everybody."""

    path = "/api/explanations"
    tags = TAGS
    opt = only("learner")

    @get("/", summary="List explanations", opt={"public": True})
    async def all(self, study: NamedDependency[Study]) -> Response[Sequence[ExplanationTitle]]:
        """Their titles. Public."""
        found, place = await study.explanations()
        return Response(found, headers={**_found(place), **_public(study, EXPLANATIONS)})

    @get("/{slug:str}", summary="Read an explanation")
    async def one(
        self,
        slug: FromPath[str],
        session: NamedDependency[Session],
        study: NamedDependency[Study],
    ) -> Response[Explanation]:
        """Uses one explanation of the day; 429 when none is left."""
        found, level = await study.explanation(slug)
        if not await use_explanation(session):
            raise await refusal(session, "explanations")
        return Response(found, headers=_found(level))


class QuotaController(Controller):
    """What the learner's plan allows."""

    path = "/api/quota"
    tags = TAGS
    opt = only("learner")

    @get("/", summary="Get today's quota")
    async def read(self, session: NamedDependency[Session]) -> Quota:
        """Days are those of UTC."""
        return await read_quota(session)


class LearningSessionsController(Controller):
    """Times of learning."""

    path = SESSIONS.path
    tags = TAGS
    opt = only("learner")

    @get("/", summary="List learning sessions")
    async def all(
        self,
        session: NamedDependency[Session],
        page: PageNumber = None,
        after: After = None,
    ) -> Page[LearningSession]:
        """Newest first."""
        return await SESSIONS.page(session, page=page, after=after)

    @post("/", summary="Begin a learning session")
    async def begin(
        self, data: JSONBody[NewSession], session: NamedDependency[Session]
    ) -> Response[LearningSession]:
        """Corrections and answers may name it until it ends."""
        begun = await begin_session(session, data.id or uuid4())
        if begun is None:
            raise not_found("learner")
        return Response(begun, status_code=HTTPStatus.CREATED)

    @post("/{session_id:uuid}/end", summary="End a learning session", status_code=HTTPStatus.OK)
    async def end(
        self, session_id: FromPath[UUID], session: NamedDependency[Session]
    ) -> LearningSession:
        """One that has ended stays as it is."""
        ended = await end_session(session, session_id)
        if ended is None:
            raise not_found("learning session")
        return ended


def _found(level: Level) -> Mapping[str, str]:
    """Whether it was kept, as every cached answer says, and where."""
    return {"X-Cache": "miss" if level == "origin" else "hit", "X-Cache-Level": level}


def _public(study: Study, kind: Kind) -> Mapping[str, str]:
    """Leave for a web cache, where there is one, to keep an answer."""
    if not study.web_cache:
        return {}
    return {"Cache-Control": f"public, max-age={kind.lifetime_s}"}
