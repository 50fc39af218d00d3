"""Modules that schools work with (D-01, X-18).

The modules are reference data of the application, which derives their ids from their slugs, and
their slugs from a category and a number that rises with the plan. The seed knows the counts alone;
an integration test holds both equal.
"""

from __future__ import annotations

import hashlib
import uuid
from functools import cache
from itertools import accumulate
from typing import Final

from seed.plans import PLANS, Plan

_NEW_BY_PLAN: Final = {
    "scolarite": (3, 1, 3, 4),
    "vie-scolaire": (3, 1, 3, 4),
    "communication": (2, 1, 3, 4),
    "pedagogie": (0, 3, 2, 4),
    "evaluations": (0, 3, 2, 4),
    "finances": (0, 3, 2, 4),
    "ressources-humaines": (0, 0, 4, 4),
    "cantine": (0, 0, 4, 4),
    "transport": (0, 0, 4, 3),
    "pilotage": (0, 0, 0, 6),
    "patrimoine": (0, 0, 0, 6),
    "integrations": (0, 0, 0, 6),
}
"""How many modules of each category a plan grants that the smaller ones do not."""


@cache
def granted_modules(plan: Plan) -> tuple[str, ...]:
    """Ids of the modules a plan grants; none for one that is not of the four."""
    if plan not in PLANS:
        return ()
    rank = PLANS.index(plan)
    return tuple(
        module_id(f"{category}-{number:02d}")
        for category, counts in _NEW_BY_PLAN.items()
        for number in range(1, [*accumulate(counts)][rank] + 1)
    )


def modules_a_school(plan: Plan) -> int:
    """Modules that each school of a group works with: half of those it may, rounded up.

    Assigned by school, 500 groups have more than 50,000 of them (X-18); all of the plan's for
    every school would be twice that, and none would be left to assign.
    """
    return (len(granted_modules(plan)) + 1) // 2


def module_id(slug: str) -> str:
    """MD5 of ``module/<slug>`` as a UUID, as the reference application has it."""
    digest = hashlib.md5(f"module/{slug}".encode(), usedforsecurity=False).hexdigest()
    return str(uuid.UUID(digest))
