"""Operations: the named requests a scenario can make, one request each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., None])

MARK = "_palier_operation"


class Failed(Exception):  # noqa: N818  a result to count, not a mishap
    """The answer was not right. The message goes into the report; keep ids and numbers out of it,
    so that equal failures are counted together."""


class ScenarioError(Exception):
    """The scenario is wrong, not the system: an unknown operation, two requests in one."""


class Operation:
    """What is known of one operation.

    Attributes:
        name: As the journeys of ``tiers.yaml`` call it.
        essential: When it fails, the rest of the session cannot follow.
    """

    __slots__ = ("essential", "name")

    def __init__(self, name: str, *, essential: bool) -> None:
        self.name = name
        self.essential = essential


def operation(method: Method | None = None, *, essential: bool = False) -> Any:
    """Mark a method of a ``JourneyUser`` as an operation of its own name.

    Args:
        method: The method; it must make exactly one request through ``self.call``.
        essential: True for what the rest of a session needs, such as signing in.
    """

    def mark(marked: Method) -> Method:
        setattr(marked, MARK, Operation(marked.__name__, essential=essential))
        return marked

    return mark if method is None else mark(method)


def operations_of(user_class: type) -> dict[str, Operation]:
    """Operations of a class by name."""
    found = {}
    for name in dir(user_class):
        marked = getattr(getattr(user_class, name, None), MARK, None)
        if isinstance(marked, Operation):
            found[marked.name] = marked
    return found
