"""Tiers and systems: the ladder as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from palier.errors import ConfigError
from palier.model.abort import AbortRule
from palier.model.bounds import (
    Bounds,
    Count,
    NotNegative,
    Positive,
    Share,
    WholeNumber,
    check_bounds,
)
from palier.model.journey import Journey
from palier.model.target import Target
from palier.model.variant import Variant
from palier.model.words import Refers

Currency = Literal["EUR", "USD"]

PlanLimit = Literal[
    "storage_gb",
    "requests_per_month",
    "connections",
    "bandwidth_gb",
    "schools",
    "students",
    "staff",
    "modules",
    "categories",
]
"""What a plan can limit; the names carry their units."""

LISTENERS_MAX = 20_000
"""A client has some 28,000 ports of its own to one address; no run may take them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSpec:
    """Sizes of a tier's components; which of them it has follows from its variant.

    Attributes:
        app_processes: Processes of the application server.
        pool_size: Database connections of each application process.
        pool_min: How many of them it opens at its start; None for all.
        statement_retries: How often the application repeats a statement that changed nothing, after
            its connection broke.
        password_hash_log2_n: scrypt cost: ``N = 2**n``; one sign-in takes ``N`` KiB of memory.
        postgres_settings: Server settings, name to value.
        sync_workers: Processes that work off the queue of calendar synchronisations, in the
            variants that have one.
        pooler_connections: Connections of PgBouncer to each database server, in the variants
            that have it; ``pool_size`` is then what an application process opens to PgBouncer.
        bulk_workers: Processes that work off bulk operations.
        automation_workers: Processes that renew, tell and suspend subscriptions.
        webhook_workers: Processes that deliver webhooks.
        monitoring: Processes that watch the others.
        cpus: Processors the source gives the tier; None when it is silent.
        memory_gb: Memory the source gives the tier.
        storage_gb: Storage the source gives the tier.
    """

    app_processes: Count = 1
    pool_size: Count = 8
    pool_min: Count | None = None
    statement_retries: Annotated[int, Bounds(at_least=0, at_most=10)] = 0
    password_hash_log2_n: Annotated[int, Bounds(at_least=1, at_most=20)] = 12
    postgres_settings: tuple[tuple[str, str], ...] = ()
    sync_workers: Count = 1
    pooler_connections: Count = 20
    bulk_workers: WholeNumber = 0
    automation_workers: WholeNumber = 0
    webhook_workers: WholeNumber = 0
    monitoring: WholeNumber = 0
    cpus: Positive | None = None
    memory_gb: Positive | None = None
    storage_gb: Positive | None = None

    def __post_init__(self) -> None:
        check_bounds(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSpec:
    """Offered load of a tier: a stated rate, or users x concurrency x pace.

    Attributes:
        users: Registered users at the top of the tier.
        concurrency: Share of them that is active at once, in (0, 1].
        pace_per_min: Requests per minute of one active user.
        requests_per_s: Stated rate; when set it wins over the derivation.
        listeners: Sockets that stay open beside the load and hear of plan changes; 0 for none.
        note: Where the numbers come from.
    """

    users: Count
    concurrency: Share = 0.10
    pace_per_min: Positive = 10.0
    requests_per_s: Positive | None = None
    listeners: Annotated[int, Bounds(at_least=0, at_most=LISTENERS_MAX)] = 0
    note: str = ""

    def __post_init__(self) -> None:
        check_bounds(self)

    @property
    def offered_per_s(self) -> float:
        """The stated rate, or the derived one, in requests per second."""
        if self.requests_per_s is not None:
            return self.requests_per_s
        return self.users * self.concurrency * self.pace_per_min / 60


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSpec:
    """Data volume of a tier, before skew.

    Attributes:
        tenants: Owners (LiveOwnerUnit), school groups (E-Pilot) or learners (FrançaisFluide).
        units_per_tenant: Mean gîtes per owner (schools per group).
        reservations_per_unit: Mean reservations per gîte over the kept years.
        accounts_per_tenant: Accounts of each school group; owners and learners are one account.
    """

    tenants: Count
    units_per_tenant: NotNegative = 2.0
    reservations_per_unit: NotNegative = 60.0
    accounts_per_tenant: Count = 1

    def __post_init__(self) -> None:
        check_bounds(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A threshold of the source that starts an action (migrate, prepare, alert).

    Attributes:
        target: Id of the target that holds the threshold.
        action: What the source says to do when it is reached.
    """

    target: Annotated[str, Refers("target")]
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A database or subscription plan; what is left out, the source does not give.

    Attributes:
        id: Name by which tiers refer to it.
        title: Name in the source.
        price_per_month: Price in ``currency``.
        currency: ``EUR`` or ``USD``.
        limits: What the plan allows; the unit is in the name.
        source: Number of the source document.
        note: What the source says beside the numbers, contradictions included.
    """

    id: str
    title: str
    price_per_month: NotNegative | None = None
    currency: Currency | None = None
    limits: tuple[tuple[PlanLimit, NotNegative], ...] = ()
    source: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        check_bounds(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Stated monthly cost; low and high are equal when the source gives one figure.

    Attributes:
        low_per_month: Low end, in ``currency``.
        high_per_month: High end, in ``currency``.
        currency: ``EUR`` or ``USD``; source 004 counts them as equal.
        note: What it is made of, and what contradicts it.
    """

    low_per_month: NotNegative | None = None
    high_per_month: NotNegative | None = None
    currency: Currency | None = None
    note: str = ""

    def __post_init__(self) -> None:
        check_bounds(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One step of a ladder, complete: what it inherits from its system is already in it.

    Attributes:
        id: ``"lou-2"``.
        system: Id of its system.
        title: One line for people.
        users_min: Registered users at the bottom of the range; None when the source is silent.
        users_max: Registered users at the top; None when the source leaves it open.
        plan: Id of the database or subscription plan, or None.
        plan_limits: What that plan allows, copied so that a plan.json explains itself.
        source: Number of the source document.
        variant: Switches of the architecture.
        stack: Components and sizes; None for somebody's own service.
        load: Offered load.
        data: Data volume.
        targets: Everything a run of this tier is judged against: the system's targets, with the
            roles they have in this tier, then its own.
        triggers: The system's and its own.
        aborts: When a run is stopped: the system's rules and its own.
        cost: Stated monthly cost, or None.
        url: Address of somebody's own service.
        note: What the reader should know.
    """

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
    plan_limits: tuple[tuple[PlanLimit, NotNegative], ...] = ()
    aborts: tuple[AbortRule, ...] = ()

    def required_stack(self) -> StackSpec:
        """The stack to be brought up.

        Raises:
            ConfigError: The tier has none.
        """
        if self.stack is None:
            raise ConfigError(
                what=f"tier {self.id} has no stack, so there is nothing to bring up",
                where="the tiers file",
                fix="give the tier a stack, or drive your own service with --url",
            )
        return self.stack


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A described system: its journeys, plans, tiers in ladder order, and what they share."""

    id: str
    title: str
    scenario: str
    plans: tuple[Plan, ...]
    journeys: tuple[Journey, ...]
    targets: tuple[Target, ...]
    tiers: tuple[Tier, ...]
    triggers: tuple[Trigger, ...] = ()
