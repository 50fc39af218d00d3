"""One sender: a single loader, or a worker of a master.

It prepares and says that it is ready; when all are, it is given t0 and plays its stripe.
"""

from __future__ import annotations

import logging
import os
import platform
import resource
import signal
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import gevent
from gevent.event import AsyncResult
from locust import User
from locust.exception import RPCError
from locust.runners import WorkerRunner

from palier.load.handover import Resumed
from palier.load.outcome import SkipReason
from palier.load.stripes import Loss, Stripes
from scenarios.arrivals import Arrivals
from scenarios.assignment import Assignment, assignment_from
from scenarios.driver_pipe import DriverPipe, at_end_of_stdin
from scenarios.locust_statistics import LocustStatistics
from scenarios.names import ask_before_start
from scenarios.names import install as install_names
from scenarios.outbox import Outbox, Packet
from scenarios.output import Output
from scenarios.scenario_class import scenario_class
from scenarios.wire import (
    ABORT,
    ACKNOWLEDGE,
    ASSIGN,
    FENCED,
    JOIN,
    LEASE_S,
    LINE,
    PING,
    PONG,
    READY,
    SEND_AGAIN_S,
    START,
    TAKE_OVER,
)

if TYPE_CHECKING:
    from scenarios.engine import Engine
    from scenarios.stock import StockPlayer
    from scenarios.visitor import JourneyUser

logger = logging.getLogger(__name__)

HEAD_START_S: Final = 0.2
"""Time between choosing t0 and t0, when nobody drives us."""

END_WAIT_S: Final = 3.0
"""Longer than an interrupted engine needs for its last second and its last line."""


class Loader:
    """One sender.

    Args:
        environment: Locust's.
        user_classes: Classes of the scenario.
        assignment: What to do; None for a worker that its master has to tell.
    """

    def __init__(
        self, environment: Any, *, user_classes: list[type[User]], assignment: Assignment | None
    ) -> None:
        options = environment.parsed_options
        self._environment = environment
        self._runner = environment.runner
        self._user_classes = user_classes
        self._assignment: AsyncResult = AsyncResult()
        if assignment is not None:
            scenario_class(user_classes, assignment.plan)  # a wrong scenario ends here and now
            self._assignment.set(assignment)
        # Read now: with its first message a master overwrites our options with its own.
        self._out = None if options.palier_out is None else Path(options.palier_out)
        self._ready_fd = options.palier_ready_fd
        _raise_open_file_limit()
        self._engine: Engine | None = None
        self._outbox: Outbox | None = None
        self._start_ns: AsyncResult = AsyncResult()
        gevent.signal_handler(signal.SIGINT, self._interrupt)
        if isinstance(self._runner, WorkerRunner):
            self._listen_to_master(self._runner)
        environment.events.test_start.add_listener(self._on_test_start)
        environment.events.test_stopping.add_listener(self._on_stopping)
        environment.events.quitting.add_listener(self._on_stopping)

    # what we are told -----------------------------------------------------------------------

    def _listen_to_master(self, runner: WorkerRunner) -> None:
        handlers: dict[str, Callable[..., None]] = {
            ASSIGN: self._on_assign,
            PING: self._on_ping,
            START: self._on_start,
            ACKNOWLEDGE: self._on_acknowledge,
            FENCED: self._on_fenced,
            ABORT: self._on_abort,
            TAKE_OVER: self._on_take_over,
        }
        for name, handler in handlers.items():
            runner.register_message(name, handler)

    def _on_assign(self, msg: Any, **_: Any) -> None:
        if not self._assignment.ready():
            self._assignment.set(assignment_from(msg.data))

    def _on_ping(self, msg: Any, **_: Any) -> None:
        self._runner.send_message(
            PONG, {"number": msg.data["number"], "clock_ns": time.monotonic_ns()}
        )

    def _on_start(self, msg: Any, **_: Any) -> None:
        if self._outbox is not None:
            self._outbox.clock_offset_ns = int(msg.data["ahead_ns"])
        self._start_ns.set(int(msg.data["t0_ns"]))

    def _on_acknowledge(self, msg: Any, **_: Any) -> None:
        if self._outbox is not None:
            self._outbox.acknowledged(int(msg.data["upto"]))

    def _on_fenced(self, **_: Any) -> None:
        logger.error("the master has given this worker up; it stops")
        self._cut_off()

    def _on_abort(self, **_: Any) -> None:
        self._interrupt("aborted")

    def _on_take_over(self, msg: Any, **_: Any) -> None:
        if self._engine is None:
            return  # whoever asks counts what nobody reports as lost
        losses = tuple(
            Loss(worker=one["worker"], cut_us=one["cut_us"], survivors=tuple(one["survivors"]))
            for one in msg.data["losses"]
        )
        resumed = [Resumed(session, step) for session, step in msg.data["resumed"]]
        workers = self._assignment.get().plan.workers
        self._engine.take_over(Stripes(workers, losses), resumed)

    def _on_test_start(self, **_: Any) -> None:
        gevent.spawn(self._run_and_quit)

    def _on_stopping(self, **_: Any) -> None:
        """Locust stops, for whatever reason: let the engine write its last line."""
        self._interrupt()
        Arrivals.finished.wait(END_WAIT_S)

    def _interrupt(self, reason: SkipReason = "interrupted") -> None:
        if self._engine is None or not self._start_ns.ready():
            Arrivals.finished.set()
            self._start_ns.set(None)
        if self._engine is not None:
            self._engine.interrupt(reason)

    def _cut_off(self) -> None:
        """Nobody takes our lines any more, so there is nothing left to do here."""
        self._interrupt()
        if self._outbox is not None:
            self._outbox.give_up()

    # what we do -----------------------------------------------------------------------------

    def _run_and_quit(self) -> None:
        try:
            self._run(self._assigned())
        except Exception:
            logger.exception("the load engine failed")
            self._environment.process_exit_code = 1
        Arrivals.finished.set()
        self._runner.quit()

    def _assigned(self) -> Assignment:
        """What to do; asks the master for it until it says so."""
        asked = {"host": platform.node(), "pid": os.getpid(), "python": platform.python_version()}
        while not self._assignment.ready():
            self._runner.send_message(JOIN, asked)
            self._assignment.wait(SEND_AGAIN_S)
        assignment: Assignment = self._assignment.get()
        return assignment

    def _run(self, assignment: Assignment) -> None:
        # Imported late: the engine needs the scenario classes, which import this module.
        from scenarios.engine import Engine, Limits

        plan = assignment.plan
        statistics = LocustStatistics(self._environment)
        user_class = self._user_class(assignment, statistics)
        output = self._output(assignment)
        engine = self._engine = Engine(
            schedule=assignment.schedule,
            worker=assignment.worker,
            workers=plan.workers,
            limits=Limits(
                request_timeout_s=plan.request_timeout_s,
                drain_s=plan.drain_s,
                max_sessions=plan.max_sessions,
            ),
            new_user=lambda: user_class(self._environment),
            output=output,
        )
        lookup_s = ask_before_start(install_names(), self._environment.host)
        done = engine.prepare()
        # Locust's own statistics begin where ours do.
        statistics.enter()
        self._environment.stats.reset_all()
        report = {
            "worker": assignment.worker,
            "sessions": done.sessions,
            "requests": done.requests,
            "lost": done.lost,
            "took_s": round(done.took_s, 3),
            "lookup_s": None if lookup_s is None else round(lookup_s, 3),
        }
        self._say_ready(report)
        t0_ns = self._start_ns.get()
        if t0_ns is not None:
            if self._outbox is not None:
                engine.lease_until_ns = t0_ns + round(LEASE_S * 1e9)
            entering = gevent.spawn(statistics.run)
            try:
                engine.run(t0_ns)
            finally:
                entering.kill()
                statistics.enter()
        output.close()

    def _user_class(
        self, assignment: Assignment, statistics: LocustStatistics
    ) -> type[JourneyUser] | type[StockPlayer]:
        plan = assignment.plan
        user_class = scenario_class(self._user_classes, plan)
        # The requests of stock classes are made, and told of, by Locust itself.
        if not hasattr(user_class, "stock"):
            user_class.locust_statistics = statistics
        user_class.host = self._environment.host
        user_class.seed = plan.seed
        user_class.accounts = plan.tier.data.accounts_per_tenant
        user_class.timeout_s = plan.request_timeout_s
        user_class.epoch = int.from_bytes(sha256(assignment.run.encode()).digest()[:6], "big")
        return user_class

    def _output(self, assignment: Assignment) -> Output | Outbox:
        if not isinstance(self._runner, WorkerRunner):
            assert self._out is not None  # whoever gives a plan says where the lines go
            return Output(self._out, worker=assignment.worker, raw=assignment.raw)
        self._outbox = Outbox(
            self._send_line,
            worker=assignment.worker,
            raw=assignment.raw,
            on_lease=self._on_lease,
            on_cut_off=self._on_cut_off,
        )
        return self._outbox

    def _send_line(self, packet: Packet) -> None:
        try:
            self._runner.send_message(LINE, packet)
        except RPCError:
            logger.warning("line %d could not be sent; it is tried again", packet["seq"])

    def _on_lease(self, until_ns: int) -> None:
        if self._engine is not None:
            self._engine.lease_until_ns = until_ns

    def _on_cut_off(self) -> None:
        logger.error("the master acknowledges nothing any more; this worker stops")
        self._cut_off()

    def _say_ready(self, report: dict[str, Any]) -> None:
        if isinstance(self._runner, WorkerRunner):
            self._runner.send_message(READY, report)
            at_end_of_stdin(self._interrupt)
            return
        pipe = DriverPipe(self._ready_fd)
        if not pipe.is_driven:
            self._start_ns.set(time.monotonic_ns() + round(HEAD_START_S * 1e9))
            return
        pipe.tell({"ready": [report]})
        pipe.listen(
            {
                "t0_ns": lambda t0_ns: self._start_ns.set(int(t0_ns)),
                "abort": lambda _: self._on_abort(),
            },
            at_end=self._interrupt,
        )


def _raise_open_file_limit() -> None:
    """A connection is an open file: use as many as we are allowed without asking anybody."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
