"""Users as they are written for stock Locust, against ``load_server.py``; nothing of Palier."""

from __future__ import annotations

from locust import FastHttpUser, HttpUser, TaskSet, User, between, task
from locust.exception import StopUser


class Shopper(HttpUser):
    """Signs in when it starts."""

    wait_time = between(100, 200)  # has no say

    def on_start(self) -> None:
        self.token = self.client.post("/ok", json={}).json()["token"]

    @task(3)
    def look(self) -> None:
        assert self.token == "t"
        self.client.get("/ok", name="the list")

    @task
    def look_twice(self) -> None:
        self.client.get("/ok")
        self.client.get("/slow/30")

    @task
    def half_wrong(self) -> None:
        self.client.get("/status/500", name="first part")
        self.client.get("/ok")

    @task
    def refuse_it(self) -> None:
        with self.client.get("/ok", catch_response=True) as answer:
            answer.failure("not what I wanted")

    @task
    def accept_it(self) -> None:
        with self.client.get("/status/404", catch_response=True) as answer:
            answer.success()

    @task
    def buggy(self) -> None:
        raise KeyError("no such key")

    @task
    def idle(self) -> None:
        pass

    @task
    def wait_forever(self) -> None:
        self.client.get("/freeze")

    @task
    def leave(self) -> None:
        self.client.get("/ok")
        raise StopUser


class Fast(FastHttpUser):
    @task
    def glance(self) -> None:
        self.client.get("/ok")

    @task
    def glance_forever(self) -> None:
        self.client.get("/freeze")


class Odd(User):
    """Speaks no HTTP: it fires the event itself."""

    @task
    def compute(self) -> None:
        with self.environment.events.request.measure("sum", "thousand"):
            sum(range(1000))

    @task
    class Within(TaskSet):
        @task
        def deep(self) -> None:
            """Nobody can ask for this one."""
