"""Work in pieces lets the event loop look between them, in a real loop.

In a process of its own: importing gevent is harmless, but its hub would live on in ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

AN_ECHO = """
import json, socket
import gevent
from gevent import monkey

class Echo:
    '''Bytes that are sent again whenever the loop has found them: counts how often it looked.'''

    def __init__(self):
        pair = monkey.get_original("socket", "socketpair")()
        self.near, self.far = pair
        self.near.setblocking(False)
        self.looks = 0
        self.watcher = gevent.get_hub().loop.io(self.near.fileno(), 1)
        self.watcher.start(self.found)
        self.far.send(b"x")

    def found(self):
        self.looks += 1
        self.near.recv(1)
        self.far.send(b"x")
"""

PAUSES = """
from scenarios.pause import pause

gevent.sleep(0.001)
echo = Echo()
looks = []
for _ in range(100):
    pause()
    looks.append(echo.looks)
print(json.dumps(looks))
"""

STATISTICS = """
from locust.env import Environment
from scenarios.locust_statistics import AT_ONCE, LocustStatistics

environment = Environment()
environment.create_local_runner()
statistics = LocustStatistics(environment)
for number in range(10 * AT_ONCE):
    statistics.note("GET", f"look {number % 50}", 1.5, 11, "")
entering = gevent.spawn(statistics.run)
echo = Echo()
looks_before = None
while environment.stats.total.num_requests < 10 * AT_ONCE:
    if environment.stats.total.num_requests == 0:
        looks_before = echo.looks
    gevent.sleep(1e-6)
looks = echo.looks - looks_before
entering.kill()
print(json.dumps([looks, len(environment.stats.entries)]))
"""


def said_by(program: str) -> Any:
    argv = [sys.executable, "-c", AN_ECHO + program]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


def test_a_pause_ends_after_what_has_come_was_looked_at() -> None:
    assert said_by(PAUSES) == list(range(1, 101))


def test_locusts_statistics_are_entered_in_pieces_between_which_the_loop_looks() -> None:
    looks, operations = said_by(STATISTICS)
    assert looks >= 10
    assert operations == 50
