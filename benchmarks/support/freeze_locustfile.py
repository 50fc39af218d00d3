"""Stock Locust on the freeze test: twenty users, ten requests a second each."""

from __future__ import annotations

from locust import FastHttpUser, constant_throughput, task


class Visitor(FastHttpUser):
    wait_time = constant_throughput(10)

    @task
    def look(self) -> None:
        self.client.get("/")
