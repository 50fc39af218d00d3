"""What plain Locust does with a scenario: journeys in a loop, each user one visitor at a time.

A closed model: a slow answer delays the next request of the same user, so a slow system is asked
less. Good for looking around; verdicts come from arrivals (docs/decisions/0001-arrival-model.md),
and from the closed profiles of `palier run`, which counts what waiting users left out
(docs/decisions/0060-shapes-of-load.md).
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from palier.errors import ConfigError
from palier.load.chance import MICROSECONDS, Picker, tenant_weights, think_us
from palier.load.looping import Walk
from palier.model.journey import Journey
from palier.model.parse import load_catalogue
from palier.model.profile import Loop, Profile
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
        goes_on: True when the visitor is the one before, come around again without forgetting.
    """

    tenant: int
    session: int
    steps: tuple[tuple[float, str], ...]
    goes_on: bool = False


def plain_visits(user: JourneyUser) -> Iterator[Visit]:
    """Visits without end, as the schedule would draw them, but from an unseeded source: closed
    users depend on the answers, so they could not be repeated anyway.

    Raises:
        ConfigError: There are no journeys, or no such tier.
    """
    options = user.environment.parsed_options
    tiers = Path(options.palier_tiers) if options.palier_tiers else None
    journeys, tenants = _journeys(type(user), tiers, options.palier_tier)
    chance = random.Random()
    if options.palier_profile:
        loop = closed_profile(tiers, options.palier_profile).loop
        assert loop is not None  # it is a closed one
        yield from _around(loop, journeys, next(_accounts) % tenants, chance)
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


_accounts = itertools.count()
"""Users of a closed profile have one account each, as long as there are enough."""


def _around(
    loop: Loop, journeys: tuple[Journey, ...], tenant: int, chance: random.Random
) -> Iterator[Visit]:
    """One user's way around a loop, without end."""
    journey = loop.journey_among(journeys, where="--palier-profile")
    walk = Walk(loop, journey, chance)
    names = [step.operation for step in journey.steps]
    first, step = 0, 0
    while True:
        steps = []
        for name in names[first:]:
            pause_us = walk.pause_us(step) if step else 0
            steps.append((pause_us / MICROSECONDS, name))
            step += 1
        number = chance.randrange(1 << 40)
        yield Visit(tenant=tenant, session=number, steps=tuple(steps), goes_on=first > 0)
        first = loop.once


def closed_profile(tiers: Path | None, profile_id: str) -> Profile:
    """The profile of that id.

    Raises:
        ConfigError: There is none, or its load is an open one, which Locust's users cannot make.
    """
    profile = load_catalogue(tiers if tiers is not None else _tiers_file()).profile(profile_id)
    if profile.loop is None:
        raise ConfigError(
            what=f"profile {profile_id} is an open load",
            where="--palier-profile",
            fix=f"use `palier run TIER --profile {profile_id}`, or a profile with a loop",
        )
    return profile


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
