"""From what the file says to what it means: every tier complete in itself."""

from __future__ import annotations

from dataclasses import replace

from palier.model.catalogue import Catalogue
from palier.model.document import STEADY, CatalogueText, SystemText, TierText
from palier.model.reading import Reader
from palier.model.rules import target_rule
from palier.model.target import Target
from palier.model.tier import DataSpec, System, Tier


def resolve(document: CatalogueText, *, path: str, reader: Reader) -> Catalogue:
    """The catalogue of a document whose references have been checked.

    A role that does not fit its target is told to ``reader``, at its place.
    """
    profiles = document.profiles
    if all(profile.id != STEADY.id for profile in profiles):
        profiles = (STEADY, *profiles)
    systems = tuple(_system(text, reader) for text in document.systems)
    return Catalogue(path=path, systems=systems, profiles=profiles)


def _system(text: SystemText, reader: Reader) -> System:
    return System(
        id=text.id,
        title=text.title or text.id,
        scenario=text.scenario,
        plans=text.plans,
        journeys=text.journeys,
        targets=text.targets,
        tiers=tuple(_tier(tier, text, reader) for tier in text.tiers),
        triggers=text.triggers,
    )


def _tier(text: TierText, system: SystemText, reader: Reader) -> Tier:
    plan_limits = {plan.id: plan.limits for plan in system.plans}
    return Tier(
        id=text.id,
        system=system.id,
        title=text.title or text.id,
        users_min=text.users_min,
        users_max=text.users_max,
        plan=text.plan,
        plan_limits=plan_limits[text.plan] if text.plan is not None else (),
        source=text.source,
        variant=text.variant,
        stack=text.stack,
        load=text.load,
        data=text.data or DataSpec(tenants=text.load.users),
        targets=_targets(text, system, reader) + text.targets,
        triggers=system.triggers + text.triggers,
        cost=text.cost,
        url=text.url,
        note=text.note,
    )


def _targets(text: TierText, system: SystemText, reader: Reader) -> tuple[Target, ...]:
    """The system's targets with the roles they have in this tier."""
    roles = dict(text.roles)
    targets = []
    for target in system.targets:
        if target.id in roles:
            target = replace(target, role=roles[target.id])
            place = reader.places[("systems", system.id, "tiers", text.id, "roles", target.id)]
            for breach in target_rule(target):
                reader.tell(place, f"{target.id}: {breach.what}", breach.fix)
        targets.append(target)
    return tuple(targets)
