"""What learners are given, by way of the caches: checked texts, exercises, explanations."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from reference_app.database import Database
from reference_app.fluide.cache import Kind, LearningCache, Level, Mode
from reference_app.fluide.checker.check import Checked, check
from reference_app.fluide.queries import (
    read_exercise,
    read_exercises,
    read_explanation,
    read_explanations,
)
from reference_app.fluide.values import Exercise, Explanation, ExplanationTitle, Solution
from reference_app.metrics import CacheCounters
from reference_app.problems import not_found
from reference_app.remote import Remote

CORRECTIONS: Final = Kind("corrections", 30 * 60, 1_000, Checked)
"""B-191."""

EXERCISES: Final = Kind("exercises", 60 * 60, 500, Solution | list[Exercise])
"""B-192."""

EXPLANATIONS: Final = Kind("explanations", 24 * 3600, 200, Explanation | list[ExplanationTitle])
"""B-193."""


class Study:
    """The content of the service.

    Args:
        database: Where exercises and explanations are.
        mode: The switch ``learning_cache``.
        counters: Of hits and misses.
        remote: The Redis of ``levels``.
        web_cache: A web cache stands before the application, and may keep what is public.
    """

    def __init__(
        self,
        database: Database,
        mode: Mode,
        counters: CacheCounters,
        *,
        remote: Remote | None = None,
        web_cache: bool = False,
    ) -> None:
        self.web_cache = web_cache
        self._database = database
        self._cache = LearningCache(
            mode, (CORRECTIONS, EXERCISES, EXPLANATIONS), counters, remote=remote
        )

    async def correct(self, text: str) -> tuple[Checked, Level]:
        """A text after the check, and where the result was found."""

        async def load() -> Checked:
            return check(text)

        digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
        return await self._cache.find(CORRECTIONS, digest, load)

    async def exercises(self) -> tuple[Sequence[Exercise], Level]:
        """All exercises, the easy ones first."""

        async def load() -> list[Exercise]:
            return [solution.exercise for solution in await read_exercises(self._database)]

        return await self._cache.find(EXERCISES, "all", load)

    async def exercise(self, exercise_id: UUID) -> tuple[Solution, Level]:
        """One exercise.

        Raises:
            Problem: 404; there is none.
        """
        found, level = await self._cache.find(
            EXERCISES, str(exercise_id), lambda: read_exercise(self._database, exercise_id)
        )
        if found is None:
            raise not_found("exercise")
        return found, level

    async def explanations(self) -> tuple[Sequence[ExplanationTitle], Level]:
        """The titles of all explanations."""

        async def load() -> list[ExplanationTitle]:
            return [
                ExplanationTitle(one.slug, one.rule, one.title)
                for one in await read_explanations(self._database)
            ]

        return await self._cache.find(EXPLANATIONS, "", load)

    async def explanation(self, slug: str) -> tuple[Explanation, Level]:
        """One explanation.

        Raises:
            Problem: 404; there is none.
        """
        found, level = await self._cache.find(
            EXPLANATIONS, slug, lambda: read_explanation(self._database, slug)
        )
        if found is None:
            raise not_found("explanation")
        return found, level

    async def close(self) -> None:
        """Wait for the loads under way."""
        await self._cache.close()
