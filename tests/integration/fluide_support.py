"""Learners, and what they ask for."""

from __future__ import annotations

import uuid
from typing import Any

from app_support import PASSWORD_HASH, Site, World

from reference_app.identity.principal import Principal


def learner(world: World, plan: str = "decouverte") -> Principal:
    """A new learner."""
    user_id = uuid.uuid4()
    world.run(
        "INSERT INTO users (id, email, password_hash, role) VALUES (%s, %s, %s, 'learner')",
        user_id,
        f"{user_id}@example.com",
        PASSWORD_HASH,
    )
    world.run(
        "INSERT INTO learners (user_id, plan_id, level)"
        " SELECT %s, id, 'B1' FROM learner_plans WHERE slug = %s",
        user_id,
        plan,
    )
    return Principal(user_id, "learner", None)


def correct(up: Site, who: Principal, text: str = "Le homme dort.", **fields: Any) -> Any:
    return up.call("POST", "/api/corrections", who, json={"text": text, **fields})


def used(up: Site, who: Principal) -> dict[str, int]:
    quota = up.call("GET", "/api/quota", who).json()
    return {one["kind"]: one["used"] for one in quota["quotas"]}
