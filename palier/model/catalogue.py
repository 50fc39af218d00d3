"""The whole of tiers.yaml as one value."""

from __future__ import annotations

from dataclasses import dataclass

from palier.errors import ConfigError
from palier.model.didyoumean import suggestion
from palier.model.profile import Profile
from palier.model.tier import System, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Systems in file order and the profiles any tier can be run with.

    Attributes:
        path: File it was read from, as given by the user.
    """

    path: str
    systems: tuple[System, ...]
    profiles: tuple[Profile, ...]

    def tiers(self) -> tuple[Tier, ...]:
        return tuple(tier for system in self.systems for tier in system.tiers)

    def tier(self, tier_id: str) -> Tier:
        """The tier of that id.

        Raises:
            ConfigError: No such tier; names the nearest, or all.
        """
        for tier in self.tiers():
            if tier.id == tier_id:
                return tier
        raise ConfigError(
            what=f"no tier {tier_id!r}",
            where=self.path,
            fix=suggestion(tier_id, (tier.id for tier in self.tiers())),
        )

    def system(self, system_id: str) -> System:
        """The system of that id.

        Raises:
            ConfigError: No such system; names the nearest, or all.
        """
        for system in self.systems:
            if system.id == system_id:
                return system
        raise ConfigError(
            what=f"no system {system_id!r}",
            where=self.path,
            fix=suggestion(system_id, (system.id for system in self.systems)),
        )

    def profile(self, profile_id: str) -> Profile:
        """The profile of that id.

        Raises:
            ConfigError: No such profile; names the nearest, or all.
        """
        for profile in self.profiles:
            if profile.id == profile_id:
                return profile
        raise ConfigError(
            what=f"no profile {profile_id!r}",
            where=self.path,
            fix=suggestion(profile_id, (profile.id for profile in self.profiles)),
        )
