"""The users of a loader: made when there are too few, used again by one session after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from scenarios.sink import Sink

if TYPE_CHECKING:
    from scenarios.player import Player


class UserPool:
    """Who plays the sessions.

    Args:
        new_user: Makes a user.
        output: Where the users' writes go.

    Attributes:
        observations: What all users observed; the largest values.
        tallies: What all users counted.
    """

    def __init__(self, new_user: Callable[[], Player], output: Sink) -> None:
        self.observations: dict[str, float] = {}
        self.tallies: dict[str, list[int]] = {}
        self._new_user = new_user
        self._output = output
        self._idle: list[Player] = []

    def fill(self, count: int) -> None:
        """Make users before the run, so that they need not be made during it."""
        self._idle += [self._make() for _ in range(count)]

    def take(self) -> Player:
        """A user that plays nobody."""
        return self._idle.pop() if self._idle else self._make()

    def give_back(self, user: Player) -> None:
        """A session is over; its user may play another one."""
        user.on_send = None
        self._idle.append(user)

    def _make(self) -> Player:
        user = self._new_user()
        user.observations = self.observations
        user.tallies = self.tallies
        user.on_write = self._output.write
        return user
