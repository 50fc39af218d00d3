"""A learner who reads: explanations, and what is left of the day."""

from __future__ import annotations

from typing import Final

from scenarios.ff.practising import Practising
from scenarios.ff.writing import OF_TODAY
from scenarios.operation import operation

EXPLANATIONS: Final = "/api/explanations"

SLUGS: Final = ("elision", "pluriel", "genre", "sujet-verbe", "a-a-accent", "participe-infinitif")
"""What most people ask for, as the mistakes of most texts are of these rules."""


class Reading(Practising):
    """A learner and the explanations."""

    abstract = True

    @operation
    def list_explanations(self) -> None:
        """Public, so without a token: a web cache may answer."""
        rows = self.call("GET", EXPLANATIONS).json()
        self.check(
            set(SLUGS) <= {row["slug"] for row in rows}, "explanations everybody needs are missing"
        )

    @operation
    def explanation(self) -> None:
        """Of the exercise before, or of one of the frequent rules."""
        slug = self.slug or SLUGS[(self.session + self.written) % len(SLUGS)]
        answer = self.call(
            "GET", f"{EXPLANATIONS}/{slug}", expect=(200, OF_TODAY), headers=self.signed()
        )
        if not self.refused(answer):
            self.check(answer.json().get("slug") == slug, "another explanation than asked for")

    @operation
    def quota(self) -> None:
        answer = self.get("/api/quota")
        self.check(
            all(0 <= one["used"] <= one["limit"] for one in answer["quotas"]),
            "a quota is passed",
        )
