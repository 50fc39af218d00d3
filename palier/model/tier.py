"""Tiers and systems: the ladder as values."""

from __future__ import annotations

from dataclasses import dataclass

from palier.model.journey import Journey
from palier.model.target import Target
from palier.model.variant import Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSpec:
    """The components of a tier and their sizes.

    Attributes:
        app_processes: Processes of the application server.
        pool_size: Database connections of each application process.
        password_hash_log2_n: scrypt cost: ``N = 2**n``; one sign-in costs about ``N`` x 8 KiB.
        postgres_settings: Server settings, name to value.
        components: Further components by name (``redis``, ``replica``, ``pgbouncer`` ...).
    """

    app_processes: int = 1
    pool_size: int = 8
    password_hash_log2_n: int = 12
    postgres_settings: tuple[tuple[str, str], ...] = ()
    components: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSpec:
    """Offered load of a tier: a stated rate, or users x concurrency x pace.

    Attributes:
        users: Registered users at the top of the tier.
        concurrency: Share of them that is active at once, in (0, 1].
        pace_per_min: Requests per minute of one active user.
        requests_per_s: Stated rate; when set it wins over the derivation.
        note: Where the numbers come from.
    """

    users: int
    concurrency: float
    pace_per_min: float
    requests_per_s: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSpec:
    """Data volume of a tier, before skew.

    Attributes:
        tenants: Owners (LiveOwnerUnit), school groups (E-Pilot) or learners (FrançaisFluide).
        units_per_tenant: Mean gîtes per owner (schools per group).
        reservations_per_unit: Mean reservations per gîte over the kept years.
    """

    tenants: int
    units_per_tenant: float = 2.0
    reservations_per_unit: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A threshold of the source that starts an action (migrate, prepare, alert)."""

    target: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A database or subscription plan with its limits; ``None`` means the source is silent."""

    id: str
    title: str
    price_per_month: float | None
    currency: str | None
    limits: tuple[tuple[str, float], ...]
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Stated monthly cost; low and high are equal when the source gives one figure."""

    low_per_month: float | None
    high_per_month: float | None
    currency: str | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One step of a ladder. ``users_max`` is None when the source leaves the top open."""

    id: str
    system: str
    title: str
    users_min: int | None
    users_max: int | None
    plan: str | None
    source: str
    variant: Variant
    stack: StackSpec | None
    load: LoadSpec
    data: DataSpec
    targets: tuple[Target, ...]
    triggers: tuple[Trigger, ...]
    cost: Cost | None
    url: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A described system: its journeys, plans, untied targets and tiers in ladder order."""

    id: str
    title: str
    scenario: str
    plans: tuple[Plan, ...]
    journeys: tuple[Journey, ...]
    targets: tuple[Target, ...]
    tiers: tuple[Tier, ...]
