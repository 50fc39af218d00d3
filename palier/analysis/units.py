"""Units of targets and facts, and how to get from one to another."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Dimension = Literal[
    "time", "ratio", "bytes", "rate", "count", "count per day", "count per month", "cores"
]

MONTH_S: Final = 30 * 86_400
"""A month of 30 days, as in the requirements (docs/requirements/targets.md, "Columns")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit: its dimension and how much of the dimension's base unit it is."""

    dimension: Dimension
    factor: float


_TIME: Mapping[str, float] = {
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "min": 60.0,
    "h": 3600.0,
    "days": 86_400.0,
}
_RATIO: Mapping[str, float] = {
    "ratio": 1.0,
    "fraction": 1.0,
    "%": 0.01,
    "% of plan": 0.01,
    "-": 1.0,
}
# Providers sell storage by powers of ten; the sources never write MiB.
_BYTES: Mapping[str, float] = {
    "B": 1.0,
    "bytes": 1.0,
    "KB": 1e3,
    "kB": 1e3,
    "MB": 1e6,
    "GB": 1e9,
    "TB": 1e12,
    "KiB": 2.0**10,
    "MiB": 2.0**20,
    "GiB": 2.0**30,
}
_RATE: Mapping[str, float] = {
    "requests/s": 1.0,
    "req/s": 1.0,
    "requests/min": 1 / 60,
    "requests/h": 1 / 3600,
    "requests/day": 1 / 86_400,
    "requests/month": 1 / MONTH_S,
}
_COUNT: tuple[str, ...] = (
    "attempts",
    "connections",
    "count",
    "errors",
    "events",
    "gîtes",
    "groups",
    "indexes",
    "requests",
    "retries",
    "rows",
    "schools",
    "sessions",
    "tenants",
    "units",
    "users",
    "users at once",
)

UNITS: Final[Mapping[str, Unit]] = {
    **{name: Unit(dimension="time", factor=factor) for name, factor in _TIME.items()},
    **{name: Unit(dimension="ratio", factor=factor) for name, factor in _RATIO.items()},
    **{name: Unit(dimension="bytes", factor=factor) for name, factor in _BYTES.items()},
    **{name: Unit(dimension="rate", factor=factor) for name, factor in _RATE.items()},
    **{name: Unit(dimension="count", factor=1.0) for name in _COUNT},
    "events/month": Unit(dimension="count per month", factor=1.0),
    "errors/day": Unit(dimension="count per day", factor=1.0),
    "cores": Unit(dimension="cores", factor=1.0),
}


class UnitError(ValueError):
    """A unit that is not known, or two that measure different things."""


def convert(value: float, unit: str, to: str) -> float:
    """The same quantity in another unit.

    Raises:
        UnitError: A unit is unknown, or the two have different dimensions.
    """
    if unit == to:
        unit_named(unit)
        return value
    source, target = unit_named(unit), unit_named(to)
    if source.dimension != target.dimension:
        raise UnitError(
            f"{unit!r} is a {source.dimension} and {to!r} a {target.dimension}: "
            "they cannot be compared"
        )
    return value * source.factor / target.factor


def unit_named(name: str) -> Unit:
    """The unit of that name.

    Raises:
        UnitError: No such unit; names the ones that are nearest.
    """
    found = UNITS.get(name)
    if found is not None:
        return found
    near = difflib.get_close_matches(name, UNITS, n=3)
    hint = (
        f"did you mean {' or '.join(repr(unit) for unit in near)}?"
        if near
        else "known: " + (", ".join(UNITS))
    )
    raise UnitError(f"unknown unit {name!r}; {hint}")
