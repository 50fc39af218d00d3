"""How many users plain Locust has at each moment of a closed profile."""

from __future__ import annotations

from locust import LoadTestShape

from palier.model.profile import Profile


class Users(LoadTestShape):
    """The users of a profile's loop along its curve; Locust looks once a second.

    Args:
        profile: One with a loop.
    """

    abstract = True  # made by us; Locust is not to make one by itself

    def __init__(self, profile: Profile) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        assert profile.loop is not None  # see ``scenarios.plain.closed_profile``
        self._most = profile.loop.users
        self._curve = profile.curve
        self._duration_s = profile.duration_s

    def tick(self) -> tuple[int, float] | None:
        """Users wanted now, and how many may come or go in a second; None at the end."""
        at_s: float = self.get_run_time()  # type: ignore[no-untyped-call]
        if at_s >= self._duration_s:
            return None
        return int(self._most * self._curve.level(at_s) + 0.5), float(self._most)
