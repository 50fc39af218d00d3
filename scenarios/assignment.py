"""An assignment: what one loader is to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from palier.errors import LoadError
from palier.load.schedule import Schedule, make_schedule
from palier.model.plan import RunPlan
from palier.model.plan_json import plan_from_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What a loader is to do.

    Attributes:
        plan: The plan of the run.
        schedule: Its schedule.
        worker: Index of its stripe.
        run: Name of the run.
        raw: True to record every request on its own, too.
    """

    plan: RunPlan
    schedule: Schedule
    worker: int
    run: str
    raw: bool


def checked_plan(document: Any, *, where: str) -> tuple[RunPlan, Schedule]:
    """The plan of a document, and its schedule.

    Raises:
        LoadError: Its schedule is another one here than where it was made.
    """
    plan = plan_from_json(document, where=where)
    expected = document.get("schedule_digest")
    schedule = make_schedule(plan)
    found = schedule.digest
    if expected is not None and expected != found:
        raise LoadError(
            what=f"the schedule made here is {found[:12]}, the planned one is {expected[:12]}",
            where=where,
            fix="every loader needs the same version of Palier and of Python",
        )
    return plan, schedule


def assignment_from(data: dict[str, Any]) -> Assignment:
    """What a master tells a worker to do.

    Raises:
        LoadError: The schedule is another one here than at the master.
    """
    plan, schedule = checked_plan(data["plan"], where="the plan from the master")
    return Assignment(
        plan=plan,
        schedule=schedule,
        worker=int(data["worker"]),
        run=data["run"],
        raw=data["raw"],
    )
