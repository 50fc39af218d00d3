"""The usual open-model generator on Locust's client: one greenlet sleeps from arrival to arrival
and spawns each request into a pool. What ``benchmarks/dispatch.py`` compares with.

    python fasthttp_prototype.py URL RATE SECONDS
"""

from __future__ import annotations

# First: importing Locust patches the standard library.
from locust.contrib.fasthttp import FastHttpUser
from locust.env import Environment

# isort: split

import gc
import json
import random
import sys
import time

import gevent
from gevent.pool import Pool


def main(url: str, per_s: float, seconds: float) -> None:
    FastHttpUser.abstract = False
    FastHttpUser.host = url
    environment = Environment(user_classes=[FastHttpUser])
    environment.create_local_runner()  # its statistics listen, as they do in every run
    idle = [FastHttpUser(environment) for _ in range(50)]
    pool = Pool()
    lags_ns: list[int] = []
    failed = 0

    def request(intended_ns: int) -> None:
        nonlocal failed
        user = idle.pop() if idle else FastHttpUser(environment)
        lags_ns.append(time.monotonic_ns() - intended_ns)
        with user.client.get("/session/1", name="look", catch_response=True) as response:
            if response.status_code == 200 and response.content == b'{"ok":true}':
                response.success()
            else:
                failed += 1
                response.failure("not ok")
        idle.append(user)

    chance = random.Random(1)
    gc.collect()
    gc.freeze()
    gc.disable()
    began_cpu_s = time.process_time()
    intended_ns = began_ns = time.monotonic_ns()
    while True:
        intended_ns += round(chance.expovariate(per_s) * 1e9)
        if intended_ns > began_ns + seconds * 1e9:
            break
        while (left_ns := intended_ns - time.monotonic_ns()) > 0:
            gevent.sleep(left_ns / 1e9)
        pool.spawn(request, intended_ns)
    pool.join(timeout=10)
    cpu_s = time.process_time() - began_cpu_s
    json.dump({"lags_ns": lags_ns, "failed": failed, "cpu_s": cpu_s}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
