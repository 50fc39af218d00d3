"""Visitors that do to their own generator what scenarios do by mistake.

PALIER_FAULT=collect   asks for the collector all the time, with many objects alive
PALIER_FAULT=names     asks for a new name before every request
(nothing)              only looks
"""

from __future__ import annotations

import gc
import os
from typing import Any

import gevent
from gevent import socket as gevent_socket

from scenarios.operation import operation
from scenarios.visitor import JourneyUser

FAULT = os.environ.get("PALIER_FAULT")

_alive: list[dict[str, Any]] = []


def _collect_for_ever() -> None:
    # Made after the engine froze what was there before.
    gevent.sleep(2.0)
    _alive.extend({"number": number, "list": [number]} for number in range(200_000))
    while True:
        gc.collect()
        gevent.sleep(0.1)


if FAULT == "collect":
    gevent.spawn(_collect_for_ever)


class Visitor(JourneyUser):
    system = "faults"

    @operation
    def look(self) -> None:
        if FAULT == "names":
            gevent_socket.getaddrinfo(f"tenant-{self.session}.slow.test", 80)
        self.call("GET", f"/session/{self.session}")
