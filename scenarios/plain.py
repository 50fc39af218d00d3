"""What plain Locust does with a scenario: journeys in a loop, each user one visitor at a time.

A closed model: a slow answer delays the next request of the same user, so a slow system is asked
less. Good for looking around; verdicts come from arrivals (docs/decisions/0001-arrival-model.md),
and from the closed profiles of `palier run`, which counts what waiting users left out
(docs/decisions/0060-shapes-of-load.md).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from palier.errors import ConfigError
from palier.load.chance import MICROSECONDS, Picker, tenant_weights, think_us
from palier.model.journey import Journey
from palier.model.parse import load_catalogue
from palier.model.tier import Tier

if TYPE_CHECKING:
    from scenarios.visitor import JourneyUser

DEFAULT_TENANTS = 50
"""For journeys of a class of its own; the smallest tier has as many."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One walk through a journey.

    Attributes:
        tenant: Index of the tenant.
        session: A number of its own.
        steps: (pause before it in seconds, operation).
    """

    tenant: int
    session: int
    steps: tuple[tuple[float, str], ...]


def plain_visits(user: JourneyUser) -> Iterator[Visit]:
    """Visits without end, as the schedule would draw them, but from an unseeded source: closed
    users depend on the answers, so they could not be repeated anyway.

    Raises:
        ConfigError: There are no journeys, or no such tier.
    """
    options = user.environment.parsed_options
    journeys, tenants = _journeys(
        type(user),
        Path(options.palier_tiers) if options.palier_tiers else None,
        options.palier_tier,
    )
    chance = random.Random()
    pick_journey = Picker([round(j.weight * MICROSECONDS) for j in journeys])
    pick_tenant = Picker(tenant_weights(tenants))
    while True:
        yield Visit(
            tenant=pick_tenant(chance),
            session=chance.randrange(1 << 40),
            steps=tuple(
                (think_us(step.think_s, chance) / MICROSECONDS, step.operation)
                for step in journeys[pick_journey(chance)].steps
            ),
        )


@cache
def _journeys(
    user_class: type[JourneyUser], tiers: Path | None, tier_id: str | None
) -> tuple[tuple[Journey, ...], int]:
    """Journeys of a class and the number of tenants they are spread over."""
    if user_class.journeys:
        return user_class.journeys, DEFAULT_TENANTS
    if user_class.system is None:
        raise ConfigError(
            what=f"{user_class.__name__} has neither `system` nor `journeys`",
            where=user_class.__module__,
            fix="name a system of tiers.yaml, or give journeys; see scenarios/README.md",
        )
    catalogue = load_catalogue(tiers if tiers is not None else _tiers_file())
    system = catalogue.system(user_class.system)
    # The ladder rises: the first tier has the fewest tenants, so they exist in every data set.
    tier: Tier = system.tiers[0] if tier_id is None else catalogue.tier(tier_id)
    return system.journeys, tier.data.tenants


def _tiers_file() -> Path:
    here = Path("tiers.yaml")
    return here if here.exists() else Path(__file__).parent.parent / "tiers.yaml"
