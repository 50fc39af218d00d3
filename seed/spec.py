"""What a dataset holds: the numbers that, with the seed, decide every row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from palier.errors import ConfigError
from palier.model.identity import ANCHOR
from palier.model.tier import Tier

GENERATOR_VERSION = 3
"""Raised whenever the same arguments give other rows, so that old checksums are not compared."""

LIVE_OWNER_UNIT = "liveownerunit"
"""Id of the system whose tenants are owners of gîtes."""

E_PILOT = "epilot"
"""Id of the system whose tenants are school groups."""

FRANCAIS_FLUIDE = "francaisfluide"
"""Id of the system whose tenants are learners."""

EXAMPLE_LEARNERS = 20
"""Learners in a dataset whose tenants are others."""

EXAMPLE_GROUPS = 12
"""School groups in a dataset whose tenants are not school groups: enough for every plan twice and
the three examples of D-03."""

EXAMPLE_OWNERS = 20
"""Owners in a dataset whose tenants are school groups (D-08: the 20 accounts of L-05)."""

MAX_GITES_PER_OWNER = 50
"""D-05: "50 as ceiling"."""

MAX_RESERVATIONS_PER_GITE = 240
"""Above this the slots of the high season become shorter than two days (season.py)."""

DEFAULT_PASSWORD_LOG2_N = 12
"""Cost when the tier has no stack of ours (``--url``); as the default of StackSpec."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSpec:
    """Everything the rows depend on.

    Attributes:
        tier: Id of the tier, for messages and the marker; no row depends on it.
        seed: Seed of the run.
        anchor: The day the data calls today.
        owners: LiveOwnerUnit tenants, at least 1.
        gites: Gîtes of all owners together, 1 to 50 per owner.
        reservations: Bookings of all gîtes together, at most 240 per gîte.
        groups: E-Pilot tenants, at least 3 (D-03).
        group_accounts: Administrators of each of them, at least 1.
        learners: FrançaisFluide tenants, at least 1.
        password_hash_log2_n: scrypt cost of the one password hash.
    """

    tier: str
    seed: int
    anchor: date
    owners: int
    gites: int
    reservations: int
    groups: int
    learners: int = EXAMPLE_LEARNERS
    password_hash_log2_n: int
    group_accounts: int = 1

    def __post_init__(self) -> None:
        problem = ""
        if self.owners < 1:
            problem = f"{self.owners} owners: there must be at least one"
        elif not self.owners <= self.gites <= self.owners * MAX_GITES_PER_OWNER:
            problem = (
                f"{self.gites:,} gîtes for {self.owners:,} owners: "
                f"every owner has 1 to {MAX_GITES_PER_OWNER}"
            )
        elif not 0 <= self.reservations <= self.gites * MAX_RESERVATIONS_PER_GITE:
            problem = (
                f"{self.reservations:,} bookings for {self.gites:,} gîtes: "
                f"a gîte has 0 to {MAX_RESERVATIONS_PER_GITE}"
            )
        elif self.groups < 3:
            problem = f"{self.groups} school groups: the examples of D-03 are three"
        elif self.group_accounts < 1:
            problem = f"{self.group_accounts} accounts for each school group: one is the least"
        elif self.learners < 1:
            problem = f"{self.learners} learners: there must be at least one"
        if problem:
            raise ConfigError(
                what=problem,
                where=f"data of tier {self.tier}",
                fix="change tenants, units_per_tenant or reservations_per_unit of the tier",
            )


def why_no_dataset(tier: Tier) -> str | None:
    """Why there is no data to make for a tier, whatever its volume; None when there is."""
    if tier.system in (LIVE_OWNER_UNIT, E_PILOT, FRANCAIS_FLUIDE) or tier.data.units_per_tenant > 0:
        return None
    return f"the reference application holds no data of {tier.system}"


def dataset_spec(tier: Tier, *, seed: int, anchor: date = ANCHOR) -> DatasetSpec:
    """The dataset of a tier.

    The tenants of E-Pilot are school groups and those of FrançaisFluide learners; those of other
    systems own gîtes. Each dataset has some of the other kinds too, so that every endpoint of the
    reference application answers.

    Raises:
        ConfigError: The tier's data volume cannot be made.
    """
    why_not = why_no_dataset(tier)
    if why_not is not None:
        raise ConfigError(
            what=why_not,
            where=f"data of tier {tier.id}",
            fix="give your service with --url, or choose a tier of another system",
        )
    data = tier.data
    of_groups = tier.system == E_PILOT
    of_learners = tier.system == FRANCAIS_FLUIDE
    of_others = of_groups or of_learners
    owners = EXAMPLE_OWNERS if of_others else data.tenants
    gites = 2 * owners if of_others else round(owners * data.units_per_tenant)
    stack = tier.stack
    return DatasetSpec(
        tier=tier.id,
        seed=seed,
        anchor=anchor,
        owners=owners,
        gites=gites,
        reservations=round(gites * data.reservations_per_unit),
        groups=max(3, data.tenants) if of_groups else EXAMPLE_GROUPS,
        group_accounts=data.accounts_per_tenant if of_groups else 1,
        learners=data.tenants if of_learners else EXAMPLE_LEARNERS,
        password_hash_log2_n=(
            DEFAULT_PASSWORD_LOG2_N if stack is None else stack.password_hash_log2_n
        ),
    )
