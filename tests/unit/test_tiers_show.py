"""`palier show` answers for every tier and every profile that fits it: it touches nothing."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path

import pytest

from palier.cli import main
from palier.commands.show import shown
from palier.errors import ConfigError
from palier.model.catalogue import Catalogue
from palier.model.parse import load_catalogue
from palier.model.plan import RunPlan, make_plan
from palier.model.profile import Profile
from palier.model.tier import DataSpec, Tier
from seed.spec import dataset_spec, why_no_dataset

TIERS = Path(__file__).parents[2] / "tiers.yaml"

FEW_REQUESTS = 300
"""Plans are shortened to about this many: the lines are the same, and it takes milliseconds."""

MOST_USERS = 100
"""Plans of more closed users take seconds to make; test_tiers_describe has their lines."""


@cache
def catalogue() -> Catalogue:
    return load_catalogue(TIERS)


def short_plan(tier: Tier, profile: Profile) -> RunPlan:
    def plan(duration_s: float | None) -> RunPlan:
        return make_plan(
            system=catalogue().system(tier.system),
            tier=tier,
            profile=profile,
            duration_s=duration_s,
            seed=1,
            workers=1,
            variant=tier.variant,
            url=None,
        )

    return plan(max(FEW_REQUESTS / plan(None).requests_per_s, 0.05))


def test_every_profile_is_shown_for_the_smallest_tier_it_fits() -> None:
    for profile in catalogue().profiles:
        if profile.loop is not None and profile.loop.users > MOST_USERS:
            continue
        system = next(one for one in catalogue().systems if profile.system in (None, one.id))
        text = shown(short_plan(system.tiers[0], profile))
        assert text.startswith(system.tiers[0].id)
        assert f"profile {profile.id}: " in text


def test_every_tier_has_data_that_can_be_made_or_the_reason_why_not() -> None:
    for tier in catalogue().tiers():
        if why_no_dataset(tier) is None:
            assert dataset_spec(tier, seed=1).tier == tier.id


def of_another_system(tier: Tier) -> Tier:
    """A tier without houses, of a system that the reference application does not know."""
    return dataclasses.replace(tier, system="shop")


def test_a_tier_whose_data_cannot_be_made_is_shown_and_the_reason_told() -> None:
    plan = short_plan(catalogue().tier("ff-1"), catalogue().profile("steady"))
    shop = dataclasses.replace(plan, tier=of_another_system(plan.tier))

    assert "not to be run as it is: the reference application holds no data of shop" in shown(shop)


def test_data_that_cannot_be_made_is_refused_by_its_reason_and_not_by_a_rule_about_houses() -> None:
    with pytest.raises(ConfigError) as told:
        dataset_spec(of_another_system(catalogue().tier("ff-2")), seed=1)
    assert "no data of shop" in told.value.what
    assert "gîtes" not in str(told.value)


def test_the_tenants_of_francaisfluide_are_learners(capsys: pytest.CaptureFixture[str]) -> None:
    assert dataset_spec(catalogue().tier("ff-2"), seed=1).learners == 10_000
    assert main(["show", "ff-2", "--tiers", str(TIERS), "--duration", "2s"]) == 0
    assert "learners                    10,000 rows" in capsys.readouterr().out


def test_owners_without_houses_are_still_refused_by_their_numbers() -> None:
    tier = catalogue().tier("lou-2")
    empty = dataclasses.replace(tier, data=DataSpec(tenants=10, units_per_tenant=0))
    with pytest.raises(ConfigError, match="0 gîtes for 10 owners"):
        dataset_spec(empty, seed=1)
