"""A journey: what one visitor does in one session, step by step."""

from __future__ import annotations

from dataclasses import dataclass

from palier.model.bounds import NotNegative, Positive, check_bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request of a journey.

    Attributes:
        operation: Name of the request as the scenario implements it, e.g. ``"list_reservations"``.
        think_s: Mean pause before this step, in seconds; 0 for the first step of a journey.
    """

    operation: str
    think_s: NotNegative = 0.0

    def __post_init__(self) -> None:
        check_bounds(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """A fixed sequence of steps; exactly one request each, so the planned count is known.

    Attributes:
        id: Id of docs/requirements/load_tests.md, e.g. ``"J-01"``.
        title: One line for people.
        weight: Share of sessions relative to the other journeys of the system, > 0.
        steps: At least one step.
    """

    id: str
    title: str
    weight: Positive = 1.0
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        check_bounds(self)

    @property
    def think_s(self) -> float:
        """Sum of the mean pauses, in seconds."""
        return sum(step.think_s for step in self.steps)
