"""A learner who exercises."""

from __future__ import annotations

from typing import Any, Final

from palier.load.writes import Intent
from scenarios.ff.writing import OF_TODAY, Writing
from scenarios.operation import CannotFollow, operation

EXERCISES: Final = "/api/exercises"


class Practising(Writing):
    """A learner and the exercises."""

    abstract = True

    def begin(self, *, tenant: int, session: int) -> None:
        super().begin(tenant=tenant, session=session)
        self.offered: list[dict[str, Any]] = []
        self.exercises = 0
        self.slug: str | None = None

    @operation
    def list_exercises(self) -> None:
        """Public, so without a token: a web cache may answer."""
        rows = self.call("GET", EXERCISES).json()
        self.check(len(rows) > 0, "there are no exercises")
        self.check(all("answer" not in row for row in rows), "an exercise tells its answer")
        self.offered = rows

    @operation
    def exercise(self) -> None:
        wanted = self._next()
        answer = self.get(f"{EXERCISES}/{wanted['id']}")
        self.check(answer.get("prompt") == wanted["prompt"], "another exercise than asked for")

    @operation
    def answer_exercise(self) -> None:
        """The first choice, right or wrong."""
        wanted = self._next()
        new, chosen = self.new_id(), wanted["choices"][0]
        answer = self.call(
            "POST",
            f"{EXERCISES}/{wanted['id']}/answers",
            expect=(201, OF_TODAY),
            headers=self.signed(),
            body={"id": new, "answer": chosen, "session_id": self.learning},
            writes=Intent(
                kind="exercise_answer",
                action="create",
                row={"id": new, "exercise_id": wanted["id"], "answer": chosen},
            ),
        )
        self.exercises += 1
        if self.refused(answer):
            return
        found = answer.json()
        self.check(
            found["is_right"] == (found["right_answer"] == chosen),
            "right and wrong are not told apart",
        )
        self.slug = found["explanation"]

    def _next(self) -> dict[str, Any]:
        if not self.offered:
            raise CannotFollow("no exercises were listed in this session")
        return self.offered[(self.session + self.exercises) % len(self.offered)]
