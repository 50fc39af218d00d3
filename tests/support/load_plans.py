"""Run plans for tests of the load engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from palier.model.journey import Journey, Step
from palier.model.plan import RunPlan
from palier.model.profile import Profile
from palier.model.tier import DataSpec, LoadSpec, Tier
from palier.model.variant import Variant

SCENARIO = Path(__file__).with_name("load_scenario.py")


def journey(*operations: str, think_s: float = 0.1, id_: str = "J", weight: float = 1) -> Journey:
    """Steps with the same mean pause between them."""
    steps = tuple(
        Step(operation=name, think_s=think_s if place else 0.0)
        for place, name in enumerate(operations)
    )
    return Journey(id=id_, title=id_, weight=weight, steps=steps)


def plan_of(
    *journeys: Journey,
    requests_per_s: float = 100.0,
    duration_s: float = 2.0,
    seed: int = 1,
    workers: int = 1,
    tenants: int = 50,
    arrivals: Literal["poisson", "constant"] = "poisson",
    request_timeout_s: float = 1.0,
    drain_s: float = 1.0,
    max_sessions: int = 1000,
    arrivals_us: tuple[int, ...] = (),
    **shape: Any,
) -> RunPlan:
    """A plan for the scenario of this folder; ``shape`` is what else the profile says."""
    used = journeys or (journey("enter", "look", "look"),)
    mean_steps = sum(j.weight * len(j.steps) for j in used) / sum(j.weight for j in used)
    tier = Tier(
        id="test",
        system="test",
        title="test",
        users_min=None,
        users_max=None,
        plan=None,
        source="",
        variant=Variant(),
        stack=None,
        load=LoadSpec(users=tenants, requests_per_s=requests_per_s),
        data=DataSpec(tenants=tenants),
        targets=(),
        triggers=(),
        cost=None,
    )
    return RunPlan(
        tier=tier,
        profile=Profile(id="test", title="test", arrivals=arrivals, duration_s=duration_s, **shape),
        duration_s=duration_s,
        warmup_s=0.0,
        seed=seed,
        workers=workers,
        requests_per_s=requests_per_s,
        rate_derivation="stated",
        sessions_per_s=requests_per_s / mean_steps,
        journeys=used,
        variant=Variant(),
        scenario=str(SCENARIO),
        url=None,
        request_timeout_s=request_timeout_s,
        drain_s=drain_s,
        max_sessions=max_sessions,
        arrivals_us=arrivals_us,
    )
