"""Learners of FrançaisFluide with what they wrote and answered before the anchor, as COPY lines.

Corrections are what the application's checker gives for these texts, and exercises those of its
reference data; integration and unit tests hold the copies equal.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from palier.model.identity import learner_email
from seed.clock import clock_at
from seed.draws import below, row_keys
from seed.ids import id_text
from seed.owners import MINUTES_A_DAY
from seed.password import password_hash
from seed.simulations import jsonb_text
from seed.spec import DatasetSpec
from seed.tables import (
    CORRECTIONS,
    EXERCISE_ANSWERS,
    LEARNERS,
    LEARNING_SESSIONS,
    USERS,
    Lines,
)

LEVELS: Final = ("A1", "A2", "B1", "B2", "C1", "C2")

PLANS: Final = ("decouverte",) * 14 + ("essentiel",) * 5 + ("intensif",)
"""Slug of a plan for each of twenty learners."""

EXERCISES: Final = (
    ("elision-1", ("le homme", "l'homme"), "l'homme"),
    ("genre-2", ("une", "un"), "un"),
    ("pluriel-1", ("pomme", "pommes"), "pommes"),
    ("sujet-verbe-2", ("parle", "parles"), "parles"),
    ("a-a-accent-1", ("à", "a"), "a"),
    ("son-sont-1", ("son", "sont"), "sont"),
)
"""(slug, choices, the right one) of some exercises."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the checker finds at one place of a text."""

    rule: str
    start: int
    found: str
    suggestion: str
    message: str

    def as_json(self) -> dict[str, object]:
        return {
            "rule": self.rule,
            "start": self.start,
            "end": self.start + len(self.found),
            "found": self.found,
            "suggestion": self.suggestion,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class Written:
    """A text, and what the checker made of it."""

    text: str
    corrected: str
    found: tuple[Found, ...]


TEXTS: Final = (
    Written(
        "Hier, il à mangé des pomme.",
        "Hier, il a mangé des pommes.",
        (
            Found(
                "a-a-accent",
                9,
                "à",
                "a",
                "« a », du verbe avoir, n'a pas d'accent : on peut dire « avait ».",
            ),
            Found(
                "pluriel",
                21,
                "pomme",
                "pommes",
                "Après « des », le nom est au pluriel.",
            ),
        ),
    ),
    Written(
        "Le homme de le village parle avec ma amie.",
        "L'homme du village parle avec mon amie.",
        (
            Found(
                "elision",
                0,
                "Le homme",
                "L'homme",
                "Devant une voyelle ou un h muet, « le » s'élide.",
            ),
            Found(
                "article-contracte",
                9,
                "de le",
                "du",
                "« de le » se contracte en « du ».",
            ),
            Found(
                "mon-devant-voyelle",
                34,
                "ma",
                "mon",
                "Devant une voyelle ou un h muet, « ma » devient « mon ».",
            ),
        ),
    ),
    Written(
        "Tu parle bien et ils son contents.",
        "Tu parles bien et ils sont contents.",
        (
            Found(
                "sujet-verbe",
                3,
                "parle",
                "parles",
                "Le verbe s'accorde avec « tu ».",
            ),
            Found(
                "son-sont",
                21,
                "son",
                "sont",
                "« sont », du verbe être : on peut dire « étaient ».",
            ),
        ),
    ),
    Written("Je lis un livre le soir.", "Je lis un livre le soir.", ()),
    Written(
        "Nous avons travailler toute la journée...",
        "Nous avons travaillé toute la journée…",
        (
            Found(
                "participe-infinitif",
                11,
                "travailler",
                "travaillé",
                "Après « avons », le verbe est au participe passé.",
            ),
            Found(
                "points-de-suspension",
                38,
                "...",
                "…",
                "Les points de suspension sont un seul signe.",
            ),
        ),
    ),
)


def derived_id(kind: str, slug: str) -> str:
    """MD5 of ``KIND/SLUG`` as a UUID, as the reference application has it."""
    digest = hashlib.md5(f"{kind}/{slug}".encode(), usedforsecurity=False).hexdigest()
    return str(uuid.UUID(digest))


@cache
def _issues_text(place: int) -> str:
    return jsonb_text([found.as_json() for found in TEXTS[place].found])


CORRECTIONS_MAX: Final = 4
ANSWERS_MAX: Final = 5


def _counts(spec: DatasetSpec, learners: NDArray[np.int64], kind: str) -> NDArray[np.int64]:
    """How many rows of a kind each learner has."""
    keys = row_keys(seed=spec.seed, kind=kind, tenants=learners, indexes=np.zeros_like(learners))
    return below(keys, 0, CORRECTIONS_MAX if kind == "corrections_of" else ANSWERS_MAX)


def learner_row_counts(spec: DatasetSpec) -> Counter[str]:
    """Rows of all learners by table, without making them."""
    learners = np.arange(spec.learners, dtype=np.int64)
    return Counter(
        {
            USERS.name: spec.learners,
            LEARNERS.name: spec.learners,
            LEARNING_SESSIONS.name: spec.learners,
            CORRECTIONS.name: int(_counts(spec, learners, "corrections_of").sum()),
            EXERCISE_ANSWERS.name: int(_counts(spec, learners, "answers_of").sum()),
        }
    )


def learner_lines(spec: DatasetSpec, learners: NDArray[np.int64]) -> Lines:
    """All rows of the learners given."""
    seed, clock = spec.seed, clock_at(spec.anchor)
    hashed = password_hash(seed=seed, log2_n=spec.password_hash_log2_n)
    keys = row_keys(seed=seed, kind="learner", tenants=learners, indexes=np.zeros_like(learners))
    plans = below(keys, 0, len(PLANS)).tolist()
    levels = below(keys, 1, len(LEVELS)).tolist()
    ages = below(keys, 2, 300).tolist()
    days_ago = below(keys, 3, 25).tolist()
    firsts = below(keys, 4, len(TEXTS) * len(EXERCISES)).tolist()
    corrections = _counts(spec, learners, "corrections_of").tolist()
    answers = _counts(spec, learners, "answers_of").tolist()
    lines: Lines = {
        table: [] for table in (USERS, LEARNERS, LEARNING_SESSIONS, CORRECTIONS, EXERCISE_ANSWERS)
    }
    for place, learner in enumerate(learners.tolist()):
        learner_id = id_text(seed, "learner", learner, 0)
        joined = clock.minute(-(30 + ages[place]) * MINUTES_A_DAY)
        lines[USERS].append(
            USERS.line(learner_id, learner_email(learner), hashed, "learner", None, joined)
        )
        lines[LEARNERS].append(
            LEARNERS.line(
                learner_id,
                derived_id("learner_plan", PLANS[plans[place]]),
                LEVELS[levels[place]],
                joined,
            )
        )
        # An hour of learning on a day before the anchor, a row a minute.
        began = -(1 + days_ago[place]) * MINUTES_A_DAY
        session = id_text(seed, "learning_session", learner, 0)
        lines[LEARNING_SESSIONS].append(
            LEARNING_SESSIONS.line(
                session, learner_id, clock.minute(began), clock.minute(began + 60)
            )
        )
        for index in range(corrections[place]):
            number = (firsts[place] + index) % len(TEXTS)
            written = TEXTS[number]
            lines[CORRECTIONS].append(
                CORRECTIONS.line(
                    id_text(seed, "correction", learner, index),
                    learner_id,
                    session,
                    written.text,
                    written.corrected,
                    _issues_text(number),
                    len(written.found),
                    clock.minute(began + 1 + index),
                )
            )
        for index in range(answers[place]):
            slug, choices, right = EXERCISES[(firsts[place] + index) % len(EXERCISES)]
            chosen = choices[(firsts[place] // len(EXERCISES) + index) % len(choices)]
            lines[EXERCISE_ANSWERS].append(
                EXERCISE_ANSWERS.line(
                    id_text(seed, "exercise_answer", learner, index),
                    learner_id,
                    session,
                    derived_id("exercise", slug),
                    chosen,
                    "t" if chosen == right else "f",
                    clock.minute(began + 10 + index),
                )
            )
    return lines
