"""A learner who writes: a session, texts, what came of them."""

from __future__ import annotations

import uuid
from typing import Any, Final
from uuid import UUID

from palier.load.writes import Intent
from palier.model.identity import NAMESPACE, learner_email
from scenarios.account import SignedIn
from scenarios.ff.texts import text_of
from scenarios.operation import CannotFollow, operation

CORRECTIONS: Final = "/api/corrections"

SESSIONS: Final = "/api/learning-sessions"

TEXT_STRIDE: Final = 40_503
"""Coprime to the number of texts, so that sessions one after another write different ones."""

OF_TODAY: Final = 429
"""A quota that is used up is a right answer, and says so."""


class Writing(SignedIn):
    """A learner and the texts."""

    abstract = True

    def begin(self, *, tenant: int, session: int) -> None:
        super().begin(tenant=tenant, session=session)
        self.learning: str | None = None
        self.corrected: str | None = None
        self.written = 0
        self.texts = 0

    @operation(essential=True)
    def sign_in_learner(self) -> None:
        self.sign_in_as(learner_email(self.tenant))

    @operation
    def begin_session(self) -> None:
        new = self.new_id()
        answer = self.call(
            "POST",
            SESSIONS,
            expect=201,
            headers=self.signed(),
            body={"id": new},
            writes=Intent(kind="learning_session", action="create", row={"id": new}),
        ).json()
        self.check(answer.get("id") == new, "another session than begun")
        self.learning = new

    @operation
    def correct_text(self) -> None:
        """A text nobody is likely to have written a moment ago."""
        self.texts += 1
        self._correct()

    @operation
    def correct_again(self) -> None:
        """The same text once more, as of somebody who is not sure."""
        if self.texts == 0:
            raise CannotFollow("nothing was written in this session")
        self._correct(again=True)

    @operation
    def list_corrections(self) -> None:
        rows = self.get_page(CORRECTIONS)["items"]
        times = [row["created_at"] for row in rows]
        self.check(times == sorted(times, reverse=True), "corrections not newest first")
        self.check(
            self.corrected is None or self.corrected in [row["id"] for row in rows],
            "the correction made before is not in the list",
        )

    @operation
    def read_correction(self) -> None:
        if self.corrected is None:
            raise CannotFollow("nothing was corrected in this session")
        answer = self.get(f"{CORRECTIONS}/{self.corrected}")
        self.check(answer.get("id") == self.corrected, "another correction than asked for")

    @operation
    def end_session(self) -> None:
        if self.learning is None:
            raise CannotFollow("no session was begun")
        answer = self.call("POST", f"{SESSIONS}/{self.learning}/end", headers=self.signed()).json()
        self.check(answer.get("ended_at") is not None, "the session goes on")

    # ----------------------------------------------------------------------------------------

    def new_id(self) -> str:
        """An id that nobody else of this or any other run gives."""
        self.written += 1
        return str(uuid.uuid5(NAMESPACE, f"{self.mark()}/{self.written}"))

    def refused(self, answer: Any) -> bool:
        """Whether the quota of today is used up; a refusal must be for that reason."""
        if answer.status != OF_TODAY:
            return False
        told = answer.json()
        self.check(
            told.get("type") == "/problems/quota-reached" and told["used"] == told["limit"],
            "refused although something is left of the quota",
        )
        return True

    def _correct(self, *, again: bool = False) -> None:
        text, right = text_of((self.session * 3 + self.texts) * TEXT_STRIDE)
        new = self.new_id()
        answer = self.call(
            "POST",
            CORRECTIONS,
            expect=(201, OF_TODAY),
            headers=self.signed(),
            body={"id": new, "text": text, "session_id": self.learning},
            writes=Intent(
                kind="correction",
                action="create",
                row={"id": new, "text": text, "corrected": right},
            ),
        )
        if self.refused(answer):
            return
        found = answer.json()
        self.check(found.get("corrected") == right, "corrected otherwise than it should be")
        kept = answer.headers.get("x-cache")
        if again and kept is not None:
            self.tally("second_load_hit", kept.lower() == "hit")
        self.corrected = str(UUID(found["id"]))
