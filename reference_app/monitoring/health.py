"""The state of the service as values: components with figures, processes, and a verdict on all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, LiteralString

import msgspec

Status = Literal["ok", "degraded", "down"]


class Component(msgspec.Struct, frozen=True):
    """A part of the service.

    Attributes:
        name: What it is called here.
        status: Whether it does its work.
        detail: Why not; empty when it does.
        figures: Measured numbers; each name is unique among all components.
    """

    name: str
    status: Status
    detail: str = ""
    figures: Mapping[str, float] = {}


class Worker(msgspec.Struct, frozen=True):
    """A kind of background process.

    Attributes:
        name: What it calls itself to the database.
        connections: How many it has there; 0 when none of its kind runs.
        last_seen: When one last did something that is written down; null when never.
    """

    name: str
    connections: int
    last_seen: datetime | None


class Health(msgspec.Struct, frozen=True):
    """The whole service at one moment.

    Attributes:
        status: ``down`` without its database, ``degraded`` when anything else is not ok.
        at: When it was looked at.
        components: Its parts.
        workers: Its background processes; empty while the database cannot be asked.
    """

    status: Status
    at: datetime
    components: Sequence[Component]
    workers: Sequence[Worker] = ()

    def figures(self) -> dict[str, float]:
        """Every figure by its name, the number of each worker's connections among them."""
        found: dict[str, float] = {}
        for component in self.components:
            found.update(component.figures)
        for worker in self.workers:
            found[f"{worker.name.replace(' ', '_')}_connections"] = float(worker.connections)
        return found


class InDatabase(msgspec.Struct, frozen=True):
    """What the database's function ``service_health`` gives."""

    database: dict[str, float]
    queues: dict[str, float]
    business: dict[str, float]
    workers: list[Worker]


SERVICE_HEALTH: LiteralString = "/* service_health */ SELECT service_health()"


def read_service_health(value: Any) -> InDatabase:
    """Read the value of ``SERVICE_HEALTH``."""
    return msgspec.convert(value, InDatabase)


def verdict(components: Iterable[Component]) -> Status:
    """Of the whole, from its parts."""
    statuses = {component.name: component.status for component in components}
    if statuses.get("database") == "down":
        return "down"
    return "ok" if set(statuses.values()) <= {"ok"} else "degraded"
