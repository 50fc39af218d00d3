"""Arrivals: what Locust sees of an engine at work."""

from __future__ import annotations

from gevent.event import Event
from locust import User, task
from locust.exception import StopUser


class Arrivals(User):
    """Stands for the arrival process in Locust's own view: one for each loader."""

    finished = Event()

    @task
    def wait(self) -> None:
        """Until the engine has ended."""
        Arrivals.finished.wait()
        raise StopUser
