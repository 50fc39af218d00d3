"""What tiers.yaml holds, before systems and tiers are put together.

These classes are the form of the file; the values in it are the classes of ``palier.model``.
The reader and the JSON Schema are both driven by them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from palier.model.abort import AbortRule
from palier.model.bounds import Count, WholeNumber
from palier.model.journey import Journey
from palier.model.profile import Profile
from palier.model.target import Role, Target
from palier.model.tier import Cost, DataSpec, LoadSpec, Plan, StackSpec, Trigger
from palier.model.variant import Variant
from palier.model.words import Refers


@dataclass(frozen=True, slots=True, kw_only=True)
class TierText:
    """One step of a system's ladder, as written.

    Attributes:
        id: Name on the command line, e.g. ``lou-2``.
        title: One line for people; the id when left out.
        users_min: Registered users at the bottom of the range.
        users_max: Registered users at the top; leave it out when the top is open.
        plan: Id of one of the system's plans.
        source: Number of the source document.
        variant: Switches of the architecture; what is left out has its default.
        stack: Components and sizes; leave it out for your own service.
        load: Offered load.
        data: Data volume; left out, every user is one tenant.
        targets: Targets of this tier alone, by id.
        roles: Roles that targets of the system have in this tier, by target id.
        aborts: When a run of this tier is stopped, by id; one of an id of the system replaces it.
        triggers: Thresholds of this tier that start an action.
        cost: Stated monthly cost.
        url: Address of your own service, e.g. ``http://127.0.0.1:8000``.
        note: What the reader should know.
    """

    id: str
    title: str = ""
    users_min: WholeNumber | None = None
    users_max: Count | None = None
    plan: Annotated[str, Refers("plan")] | None = None
    source: str = ""
    variant: Variant = field(default_factory=Variant)
    stack: StackSpec | None = None
    load: LoadSpec
    data: DataSpec | None = None
    targets: tuple[Target, ...] = ()
    roles: tuple[tuple[Annotated[str, Refers("shared target")], Role], ...] = ()
    aborts: tuple[AbortRule, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    cost: Cost | None = None
    url: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemText:
    """A system under test, as written.

    Attributes:
        id: Short name.
        title: One line for people; the id when left out.
        scenario: Path of the locustfile.
        plans: Database or subscription plans, by id.
        journeys: What visitors do, by id.
        targets: Targets that every run of every tier is judged against, by id.
        aborts: When a run of any of its tiers is stopped, by id.
        triggers: Thresholds that hold in every tier.
        tiers: The ladder, by id, smallest first.
    """

    id: str
    title: str = ""
    scenario: str
    plans: tuple[Plan, ...] = ()
    journeys: tuple[Journey, ...]
    targets: tuple[Target, ...] = ()
    aborts: tuple[AbortRule, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    tiers: tuple[TierText, ...]


STEADY = Profile(
    id="steady", title="Sessions arrive at random at the tier's rate", duration_s=600.0
)
"""The profile every file has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueText:
    """Systems with their tiers, and load profiles; see docs/decisions/0010-tiers-yaml.md.

    Attributes:
        systems: Systems under test, by id.
        profiles: Shapes of load that any tier can be run with, by id; ``steady`` always exists.
    """

    systems: tuple[SystemText, ...]
    profiles: tuple[Profile, ...] = (STEADY,)
