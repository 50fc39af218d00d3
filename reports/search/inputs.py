"""What the report of a search is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from palier.capacity.story import SearchStory
from palier.model.plan import RunPlan
from palier.model.target import Target


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SearchInputs:
    """A search, read from its files.

    Attributes:
        plan: Of the tier, at the rate that the search began with.
        story: What was done and found.
        environment: ``environment.json``: any nested object; shown as it is.
    """

    plan: RunPlan
    story: SearchStory
    environment: Mapping[str, Any] = field(default_factory=dict)

    def target(self, gate: str) -> Target:
        """The target that a gate of the search stands for."""
        return next(one for one in self.plan.tier.targets if one.id == gate)
