"""From what the file says to what it means: every tier complete in itself."""

from __future__ import annotations

from dataclasses import replace

from palier.model.abort import AbortRule, in_force
from palier.model.catalogue import Catalogue
from palier.model.didyoumean import suggestion
from palier.model.document import STEADY, CatalogueText, SystemText, TierText
from palier.model.journey import Journey
from palier.model.profile import Profile
from palier.model.reading import Path, Reader
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
    _check_profiles(profiles, systems, reader)
    return Catalogue(path=path, systems=systems, profiles=profiles)


def _system(text: SystemText, reader: Reader) -> System:
    operations = _operations(text.journeys)
    _check_aborts(text.aborts, operations, ("systems", text.id), reader)
    for tier in text.tiers:
        _check_aborts(tier.aborts, operations, ("systems", text.id, "tiers", tier.id), reader)
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
        aborts=in_force(system.aborts, text.aborts),
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


def _operations(journeys: tuple[Journey, ...]) -> list[str]:
    return sorted({step.operation for journey in journeys for step in journey.steps})


def _check_profiles(
    profiles: tuple[Profile, ...], systems: tuple[System, ...], reader: Reader
) -> None:
    """A profile's rule may be about an operation of any system it can be run with."""
    for profile in profiles:
        fitting = (one for one in systems if profile.system in (None, one.id))
        operations = sorted({name for one in fitting for name in _operations(one.journeys)})
        _check_aborts(profile.aborts, operations, ("profiles", profile.id), reader)


def _check_aborts(
    rules: tuple[AbortRule, ...], operations: list[str], above: Path, reader: Reader
) -> None:
    """A rule about an operation that nobody asks for would never stop anything."""
    for rule in rules:
        if rule.operation is not None and rule.operation not in operations:
            reader.tell(
                reader.places[(*above, "aborts", rule.id, "operation")],
                f"{rule.id}: no journey has an operation {rule.operation!r}",
                suggestion(rule.operation, operations),
            )
