"""One thing looked at, before anything depends on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at.

    Attributes:
        name: What.
        status: ``missing`` when it is not there or does not work, ``warning`` when a run works
            but its numbers may suffer.
        found: What is here.
        fix: What to do about it; empty when there is nothing to do.
        required: False for what only some tiers need.
    """

    name: str
    status: Status
    found: str
    fix: str = ""
    required: bool = True


def at_least(name: str, value: float, least: float, what: str, fix: str) -> Check:
    """A warning when there is less than advised.

    Args:
        name: What.
        value: What is here.
        least: What is advised.
        what: Unit and place, as it follows the number.
        fix: What to do when it is less.
    """
    found = f"{value:.1f} {what}"
    if value >= least:
        return Check(name=name, status="ok", found=found)
    return Check(name=name, status="warning", found=f"{found}; {least:g} are advised", fix=fix)
