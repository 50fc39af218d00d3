"""Numbers that know their limits: one annotation for the check, the message and the JSON Schema."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from palier.errors import ConfigError


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Limits of a number; ``None`` means no limit on that side."""

    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None

    def breach(self, value: float) -> tuple[str, str] | None:
        """What is wrong with ``value`` and how to fix it, or ``None``."""
        if math.isfinite(value) and self._holds(value):
            return None
        if self._is_fraction and 1 < value <= 100:
            return (
                f"{value:g} is not a fraction between 0 and 1",
                f"write {value / 100:g} for {value:g} %",
            )
        return (f"{value:g} is out of range", f"write a number {self}")

    def _holds(self, value: float) -> bool:
        return (
            (self.above is None or value > self.above)
            and (self.at_least is None or value >= self.at_least)
            and (self.below is None or value < self.below)
            and (self.at_most is None or value <= self.at_most)
        )

    @property
    def _is_fraction(self) -> bool:
        return self.below == 1 or self.at_most == 1

    def __str__(self) -> str:
        parts = []
        if self.above is not None:
            parts.append(f"above {self.above:g}")
        if self.at_least is not None:
            parts.append(f"of {self.at_least:g} or more")
        if self.below is not None:
            parts.append(f"below {self.below:g}")
        if self.at_most is not None:
            parts.append(f"of at most {self.at_most:g}")
        return " and ".join(parts)


Positive = Annotated[float, Bounds(above=0)]
NotNegative = Annotated[float, Bounds(at_least=0)]
Share = Annotated[float, Bounds(above=0, at_most=1)]
"""A fraction that may be the whole: (0, 1]."""
Quantile = Annotated[float, Bounds(above=0, below=1)]
"""A fraction strictly inside (0, 1): 0.99 is the 99th percentile."""
Count = Annotated[int, Bounds(at_least=1)]
WholeNumber = Annotated[int, Bounds(at_least=0)]


class OutOfBoundsError(ConfigError):
    """A value was built with a number outside its limits.

    Attributes:
        field: The field that breaks its limits.
    """

    def __init__(self, *, field: str, what: str, where: str, fix: str) -> None:
        super().__init__(what=what, where=where, fix=fix)
        self.field = field


def check_bounds(value: object) -> None:
    """Called by ``__post_init__`` of the value classes: an object that exists is within limits.

    Raises:
        OutOfBoundsError: Names class, field and number.
    """
    cls: Any = type(value)
    for name, bounds in _bounded_fields(cls):
        number = getattr(value, name)
        if number is None:
            continue
        breach = bounds.breach(number)
        if breach is not None:
            what, fix = breach
            where = f"{name} of {type(value).__name__}"
            raise OutOfBoundsError(field=name, what=what, where=where, fix=fix)


def bounds_of(hint: Any) -> Bounds | None:
    """The limits a type hint carries, also inside ``... | None``."""
    if get_origin(hint) is Annotated:
        return next((extra for extra in get_args(hint)[1:] if isinstance(extra, Bounds)), None)
    return next((found for arg in get_args(hint) if (found := bounds_of(arg)) is not None), None)


@functools.cache
def _bounded_fields(cls: Any) -> tuple[tuple[str, Bounds], ...]:
    hints = get_type_hints(cls, include_extras=True)
    # Only a number itself: the items of a tuple are values of their own.
    numbers = {name: hint for name, hint in hints.items() if get_origin(hint) is not tuple}
    found = ((name, bounds_of(hint)) for name, hint in numbers.items())
    return tuple((name, bounds) for name, bounds in found if bounds is not None)
