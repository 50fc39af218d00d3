"""Operations: the named requests a scenario can make, one request each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar, overload

_Method = TypeVar("_Method", bound=Callable[[Any], None])

_MARK: Final = "_palier_operation"


class Failed(Exception):  # noqa: N818  a result to count, not a mishap
    """The answer was not right.

    The message goes into the report; keep ids and numbers out of it, so that equal failures are
    counted together.
    """


class TimedOut(Failed):
    """There was no whole answer within the limit."""


class CannotFollow(Exception):  # noqa: N818  likewise
    """An operation cannot be asked for, because an earlier one of its session failed."""


class GeneratorError(Exception):
    """The load generator has run out of something of its own, such as open files. The system under
    test is not to blame, so the run ends unfit."""


class ScenarioError(Exception):
    """The scenario is wrong, not the system: no request in an operation, or two."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What is known of one operation.

    Attributes:
        name: As the journeys of ``tiers.yaml`` call it.
        essential: When it fails, the rest of the session cannot follow.
    """

    name: str
    essential: bool


@overload
def operation(method: _Method) -> _Method: ...


@overload
def operation(*, essential: bool) -> Callable[[_Method], _Method]: ...


def operation(
    method: _Method | None = None, *, essential: bool = False
) -> _Method | Callable[[_Method], _Method]:
    """Mark a method of a ``JourneyUser`` as the operation of its name.

    Args:
        method: The method; it makes exactly one request, by ``self.call``.
        essential: True for what the rest of a session needs, such as signing in.
    """

    def mark(marked: _Method) -> _Method:
        setattr(marked, _MARK, Operation(marked.__name__, essential))
        return marked

    return mark if method is None else mark(method)


def operations_of(user_class: type) -> dict[str, Operation]:
    """Operations of a class, inherited ones included, by name."""
    marks = (getattr(getattr(user_class, name, None), _MARK, None) for name in dir(user_class))
    return {mark.name: mark for mark in marks if isinstance(mark, Operation)}
