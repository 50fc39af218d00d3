"""Tells two Locust environments of the same requests: one by its event, one by what keeps them for
its statistics. Prints what each has come to as JSON. A process of its own, because importing Locust
patches the standard library.

Both are told of a request at the same instant of a clock that is set here.
"""

from __future__ import annotations

# First: importing Locust patches the standard library.
from locust.env import Environment
from locust.exception import CatchResponseError

# isort: split

import json
import random
import sys
import time
from typing import Any

from locust import stats as locust_stats

from scenarios.locust_statistics import LocustStatistics

START_S = 1_000_000.0
now_s = START_S


def environment() -> Environment:
    made = Environment()
    made.create_local_runner()
    made.stats.reset_all()
    return made


def numbers(environment: Environment) -> dict[str, Any]:
    """Everything that Locust's page, its tables and its report are made of."""
    stats = environment.stats
    entries = {**stats.entries, "total": stats.total}
    told = {
        str(key): {
            # A sum of the same numbers in another order differs in its last digits.
            name: round(value, 6) if name == "total_response_time" else value
            for name, value in {**vars(entry), **entry.to_dict()}.items()
            if name not in ("stats", "avg_response_time")
        }
        for key, entry in entries.items()
    }
    errors = {key: (error.occurrences, repr(error.error)) for key, error in stats.errors.items()}
    return {"entries": told, "errors": errors}


def tell(fired: Environment, kept: LocustStatistics, chance: random.Random) -> None:
    method, name = chance.choice(("GET", "POST")), chance.choice(("look", "list"))
    response_ms = chance.choice((0.5, 1.5, 2.5, chance.lognormvariate(3, 2)))
    message = chance.choice(("", "", "", "status 500", "wrong"))
    kept.note(method, name, response_ms, 12, message)
    fired.events.request.fire(
        request_type=method,
        name=name,
        response_time=response_ms,
        response_length=12,
        exception=CatchResponseError(message) if message else None,
    )


def told_twice() -> dict[str, Any]:
    global now_s
    fired, kept = environment(), environment()
    statistics = LocustStatistics(kept)
    chance = random.Random(7)
    # Seconds begin between two requests and between two entries, and pass without any.
    for after_s, enters in ((0.0, True), (0.9, False), (1.1, True), (2.5, True), (15.0, True)):
        now_s = START_S + after_s
        for _ in range(100):
            tell(fired, statistics, chance)
        if enters:
            statistics.enter()
    return {"fired": numbers(fired), "kept": numbers(kept)}


def own_buckets() -> dict[str, Any]:
    usual = locust_stats.bucket_response_time
    locust_stats.bucket_response_time = lambda ms: int(ms) // 3 * 3
    try:
        return told_twice()
    finally:
        locust_stats.bucket_response_time = usual


def suffices() -> list[bool]:
    """Before, while and after somebody else listens; and if Locust had renamed its listener."""
    one = environment()
    statistics = LocustStatistics(one)
    before = statistics.suffice
    heard = one.events.request.add_listener(lambda **_: None)
    during = statistics.suffice
    one.events.request.remove_listener(heard)
    renamed = Environment()
    renamed.events.request.add_listener(lambda **_: None)
    return [before, during, statistics.suffice, LocustStatistics(renamed).suffice]


if __name__ == "__main__":
    time.time = lambda: now_s
    found = {"told_twice": told_twice(), "own_buckets": own_buckets(), "suffices": suffices()}
    json.dump(found, sys.stdout, default=repr)
