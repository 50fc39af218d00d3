"""Which class of a locustfile plays the sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from locust import User

from palier.errors import ConfigError
from palier.model.plan import RunPlan

if TYPE_CHECKING:
    from scenarios.stock import StockPlayer
    from scenarios.visitor import JourneyUser


def scenario_class(
    classes: list[type[User]], plan: RunPlan
) -> type[JourneyUser] | type[StockPlayer]:
    """The class of the locustfile that can make every request of the plan.

    Raises:
        ConfigError: There is none.
    """
    from scenarios.stock import player_of, task_sets_of
    from scenarios.visitor import JourneyUser

    wanted = {step.operation for journey in plan.journeys for step in journey.steps}
    candidates = [one if issubclass(one, JourneyUser) else player_of(one) for one in classes]
    for candidate in candidates:
        if wanted <= candidate.operations.keys():
            return candidate
    if not candidates:
        raise ConfigError(
            what="the scenario has no class of users",
            where=plan.scenario,
            fix="see scenarios/README.md; twenty lines are enough",
        )
    nearest = min(candidates, key=lambda one: len(wanted - one.operations.keys()))
    missing = ", ".join(sorted(wanted - nearest.operations.keys()))
    sets = sorted({name for one in classes for name in task_sets_of(one)})
    if sets:
        raise ConfigError(
            what=f"operation {missing} is no task of a user class, and tasks inside a task set "
            f"({', '.join(sets)}) cannot be asked for: it decides itself what comes next",
            where=plan.scenario,
            fix="make them methods of the user class marked @task",
        )
    raise ConfigError(
        what=f"{nearest.__name__} has no operation {missing}, which the journeys ask for",
        where=plan.scenario,
        fix="add methods of these names marked @operation (stock Locust: @task), or change the "
        "journeys in tiers.yaml",
    )
