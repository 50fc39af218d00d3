"""The master of several workers: gathers who is ready, passes t0 on, writes their lines down.

It decides nothing. Whoever drives us reads the files it writes, sees who is lost, and says what
the others are to do about it.
"""

from __future__ import annotations

import json
import logging
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import gevent

from palier.load.clock_offset import ClockOffset
from palier.model.plan import RunPlan
from scenarios.clocks import Clocks
from scenarios.driver_pipe import DriverPipe
from scenarios.inbox import Inbox
from scenarios.loader import HEAD_START_S
from scenarios.wire import (
    ABORT,
    ACKNOWLEDGE,
    ASSIGN,
    FENCED,
    JOIN,
    LINE,
    LOST_AFTER_S,
    PING,
    PONG,
    READY,
    START,
    TAKE_OVER,
)

logger = logging.getLogger(__name__)

LOOK_S: Final = 0.05
"""How often the master looks who has been silent for too long."""

STOOD_STILL_S: Final = 0.25
"""A look that comes so late means that the master itself stood still: lines may be waiting that it
has not read, so nobody is to blame for the time."""

FAREWELL_S: Final = 2.0
"""How long the last measuring of clocks may keep the master from ending."""


@dataclass(slots=True, kw_only=True)
class _Worker:
    """What the master knows of a worker.

    Attributes:
        inbox: Its lines.
        client: Its id in Locust; empty until it has spoken.
        heard_ns: When its newest line came.
        clock: How far its clock is ahead of ours, as measured at the start.
        silent: True when that has been said.
    """

    inbox: Inbox
    client: str = ""
    heard_ns: int = 0
    clock: ClockOffset | None = None
    silent: bool = False


class Master:
    """The master.

    Args:
        environment: Locust's.
        plan: The plan of the run.
        document: The same as the text of ``plan.json`` has it, for workers elsewhere.
    """

    def __init__(self, environment: Any, *, plan: RunPlan, document: dict[str, Any]) -> None:
        options = environment.parsed_options
        self._runner = environment.runner
        self._document = document
        self._run = options.palier_run
        self._raw = bool(options.palier_raw)
        folder = Path(options.palier_out)
        self._log = (folder / "master.jsonl").open("w", encoding="utf-8")
        self._workers = [
            _Worker(inbox=Inbox(folder, worker=worker, raw=self._raw))
            for worker in range(plan.workers)
        ]
        # The first ones are started with an index by whoever drives us.
        self._free = list(range(options.palier_local, plan.workers))
        self._reports: dict[int, dict[str, Any]] = {}
        self._clocks = Clocks(lambda client, n: self._say(PING, {"number": n}, client))
        self._farewells: list[gevent.Greenlet] = []
        self._pipe = DriverPipe(options.palier_ready_fd)
        # Workers are interrupted one by one by whoever drives us; the master goes with the last.
        gevent.signal_handler(signal.SIGINT, lambda: None)
        handlers = {
            JOIN: self._on_join,
            READY: self._on_ready,
            LINE: self._on_line,
            PONG: lambda msg, **_: self._clocks.answer(msg.data),
        }
        for name, handler in handlers.items():
            self._runner.register_message(name, handler)
        # The port is the kernel's choice, so that two runs never meet.
        self._pipe.tell({"port": self._runner.server.port})

    # before the run -------------------------------------------------------------------------

    def _on_join(self, msg: Any, **_: Any) -> None:
        """A worker from elsewhere: it gets a stripe and the plan, the same one when it asks
        again."""
        known = [n for n, worker in enumerate(self._workers) if worker.client == msg.node_id]
        if not known and not self._free:
            logger.error("one worker more than expected: %s of %s", msg.node_id, msg.data["host"])
            self._say(FENCED, {}, msg.node_id)
            return
        number = known[0] if known else self._free.pop(0)
        self._workers[number].client = msg.node_id
        self._note("joined", worker=number, **msg.data)
        assigned = {
            "plan": self._document,
            "worker": number,
            "run": self._run,
            "raw": self._raw,
        }
        self._say(ASSIGN, assigned, msg.node_id)

    def _on_ready(self, msg: Any, **_: Any) -> None:
        number = int(msg.data["worker"])
        self._workers[number].client = msg.node_id
        self._reports[number] = dict(msg.data)
        if len(self._reports) == len(self._workers):
            gevent.spawn(self._all_ready)

    def _all_ready(self) -> None:
        for number, worker in enumerate(self._workers):
            worker.clock = self._clocks.measure(worker.client)
            self._note_clock(number, worker.clock)
        if not self._pipe.is_driven:
            self._start(time.monotonic_ns() + round(HEAD_START_S * 1e9))
            return
        self._pipe.tell({"ready": list(self._reports.values())})
        self._pipe.listen(
            {
                "t0_ns": lambda t0_ns: self._start(int(t0_ns)),
                "abort": lambda _: self._say(ABORT, {}, None),
                "fence": lambda worker: self._fence(int(worker)),
                "take_over": self._hand_over,
            },
            at_end=self._end,
        )

    def _start(self, t0_ns: int) -> None:
        for worker in self._workers:
            ahead_ns = 0 if worker.clock is None else worker.clock.ahead_ns
            # Not t0 alone: everybody may have stood still since that was chosen.
            worker.heard_ns = max(t0_ns, time.monotonic_ns())
            self._say(START, {"t0_ns": t0_ns + ahead_ns, "ahead_ns": ahead_ns}, worker.client)
        gevent.spawn(self._watch)

    # during the run -------------------------------------------------------------------------

    def _on_line(self, msg: Any, **_: Any) -> None:
        number = int(msg.data["worker"])
        worker = self._workers[number]
        inbox = worker.inbox
        if inbox.fenced or msg.node_id != worker.client:
            self._say(FENCED, {}, msg.node_id)
            return
        worker.heard_ns = max(worker.heard_ns, time.monotonic_ns())
        if inbox.take(msg.data) and inbox.final:
            # Its clock is asked for before it is let go.
            self._farewells.append(gevent.spawn(self._say_farewell, number))
            return
        self._acknowledge(worker)

    def _acknowledge(self, worker: _Worker) -> None:
        self._say(ACKNOWLEDGE, {"upto": worker.inbox.lines - 1}, worker.client)

    def _say_farewell(self, number: int) -> None:
        worker = self._workers[number]
        self._note_clock(number, self._clocks.measure(worker.client))
        self._acknowledge(worker)

    def _watch(self) -> None:
        """Say who has been silent for too long; runs until the master ends."""
        looked_ns = time.monotonic_ns()
        while True:
            gevent.sleep(LOOK_S)
            now_ns = time.monotonic_ns()
            if now_ns - looked_ns > STOOD_STILL_S * 1e9:
                for worker in self._workers:
                    worker.heard_ns = max(worker.heard_ns, now_ns)
            looked_ns = now_ns
            for number, worker in enumerate(self._workers):
                inbox = worker.inbox
                silent_s = (now_ns - worker.heard_ns) / 1e9
                if silent_s > LOST_AFTER_S and not (inbox.final or inbox.fenced or worker.silent):
                    worker.silent = True
                    self._note("silent", worker=number, for_s=round(silent_s, 3))

    def _fence(self, number: int) -> None:
        """Take nothing more from a worker, and say up to where something was taken."""
        worker = self._workers[number]
        worker.inbox.fenced = True
        worker.inbox.close()
        self._say(FENCED, {}, worker.client)
        self._note("fenced", worker=number, lines=worker.inbox.lines)

    def _hand_over(self, parts: list[dict[str, Any]]) -> None:
        for part in parts:
            self._say(TAKE_OVER, part, self._workers[int(part["worker"])].client)

    # the end --------------------------------------------------------------------------------

    def _end(self) -> None:
        gevent.joinall(self._farewells, timeout=FAREWELL_S)
        self._runner.quit()

    def _note_clock(self, number: int, clock: ClockOffset | None) -> None:
        known = {} if clock is None else {"offset_ns": clock.offset_ns, "bound_ns": clock.bound_ns}
        self._note("clock", worker=number, **known)

    def _note(self, kind: str, **more: Any) -> None:
        self._log.write(json.dumps({"kind": kind, "at_ns": time.monotonic_ns(), **more}) + "\n")
        self._log.flush()

    def _say(self, name: str, data: Any, client: str | None) -> None:
        self._runner.send_message(name, data, client)
