"""The plans that school groups subscribe to.

The four plans of B-07 to B-10 are reference data of the application, which derives their ids from
their slugs and leaves rows alone that are there already. The seed writes the same rows, because
subscriptions refer to them before the application's second stage has run; an integration test
holds the copies equal. The example plan is ours: no plan of the sources has the figures of D-03's
groups and B-34's card, so B-11 makes them a custom plan, a row like any other.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A row of ``subscription_plans``."""

    slug: str
    name: str
    max_schools: int
    max_students: int
    max_staff: int
    max_storage_gb: int

    @property
    def id(self) -> str:
        """MD5 of ``plan/<slug>`` as a UUID, as the reference application has it."""
        digest = hashlib.md5(f"plan/{self.slug}".encode(), usedforsecurity=False).hexdigest()
        return str(uuid.UUID(digest))


FREE = Plan(
    slug="free", name="Gratuit", max_schools=1, max_students=100, max_staff=5, max_storage_gb=1
)
PREMIUM = Plan(
    slug="premium", name="Premium", max_schools=3, max_students=500, max_staff=20, max_storage_gb=10
)
PRO = Plan(
    slug="pro", name="Pro", max_schools=10, max_students=2_000, max_staff=50, max_storage_gb=50
)
INSTITUTIONAL = Plan(
    slug="institutional",
    name="Institutionnel",
    max_schools=999,
    max_students=50_000,
    max_staff=500,
    max_storage_gb=500,
)
PLANS = (FREE, PREMIUM, PRO, INSTITUTIONAL)
"""In rising order."""

EXAMPLE = Plan(
    slug="example",
    name="Exemple",
    max_schools=10,
    max_students=1_000,
    max_staff=10,
    max_storage_gb=5,
)
