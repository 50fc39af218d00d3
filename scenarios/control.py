"""Our hooks in Locust: flags, preparation, the common start, the end.

Without ``--palier-plan`` nothing here changes what Locust does. With it, Locust is the shell of
one loader, or the master of several: it starts one ``Arrivals`` user a loader, the engine does the
sending, and every request still fires ``events.request``, so Locust's page and plug-ins work.

The start: each loader prepares and says that it is ready; when all are, whoever drives us is told
through the pipe ``--palier-ready-fd`` and answers with t0 on stdin, which the master passes on as
a message. The end of stdin means that the driver is gone: then we stop, too.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import gevent
from gevent.event import AsyncResult, Event
from gevent.os import tp_read
from locust import User, events, task
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from palier.errors import ConfigError, LoadError
from palier.load.schedule import make_schedule
from palier.model.plan import RunPlan
from palier.model.plan_json import plan_from_json
from scenarios.names import ask_before_start
from scenarios.names import install as install_names
from scenarios.operation import operations_of
from scenarios.plain import closed_profile
from scenarios.users import Users

if TYPE_CHECKING:
    from scenarios.engine import Engine
    from scenarios.visitor import JourneyUser

logger = logging.getLogger(__name__)

READY: Final = "palier_ready"
START: Final = "palier_start"

HEAD_START_S: Final = 0.2
"""Time between choosing t0 and t0, when nobody drives us."""

END_WAIT_S: Final = 3.0
"""Longer than an interrupted engine needs for its last second and its last line."""


class Arrivals(User):
    """Stands for the arrival process in Locust's own view: one for each loader."""

    finished = Event()

    @task
    def wait(self) -> None:
        """Until the engine has ended."""
        Arrivals.finished.wait()
        raise StopUser


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def add_flags(parser: Any) -> None:
    """Our command line."""
    plain = parser.add_argument_group("Palier, plain (closed-loop) runs")
    plain.add_argument("--palier-tiers", metavar="FILE", help="tiers file with the journeys")
    plain.add_argument("--palier-tier", metavar="TIER", help="tier whose tenants exist")
    plain.add_argument("--palier-profile", metavar="ID", help="closed profile, such as L-01")
    plain.add_argument("--palier-seed", type=int, default=1, help="seed of the data")
    driven = parser.add_argument_group("Palier, arrival-driven runs (`palier run` sets these)")
    driven.add_argument("--palier-plan", metavar="FILE", help="plan.json; turns arrivals on")
    driven.add_argument("--palier-out", metavar="DIR", help="where worker-<i>.jsonl goes")
    driven.add_argument("--palier-worker", type=int, default=0, metavar="I", help="which stripe")
    driven.add_argument("--palier-ready-fd", type=int, metavar="FD", help="told when ready")
    driven.add_argument("--palier-run", default="", metavar="NAME", help="name of the run")
    driven.add_argument("--palier-raw", action="store_true", help="also write raw-<i>.csv")


@events.init.add_listener  # type: ignore[untyped-decorator]
def on_init(environment: Any, runner: Any, **_: Any) -> None:
    """Take over, if there is a plan."""
    from scenarios.visitor import JourneyUser

    options = environment.parsed_options
    if options is None or not options.palier_plan:
        JourneyUser.seed = 1 if options is None else options.palier_seed
        if options is not None and options.palier_profile:
            tiers = Path(options.palier_tiers) if options.palier_tiers else None
            environment.shape_class = Users(closed_profile(tiers, options.palier_profile))
        return
    plan = _read_plan(Path(options.palier_plan))
    user_class = _scenario_class(environment.user_classes, plan)
    environment.user_classes[:] = [Arrivals]
    environment.process_exit_code = 0  # failed requests are data, not an error of ours
    # Python's own handler would raise KeyboardInterrupt in whatever greenlet runs.
    if isinstance(runner, MasterRunner):
        _Master(environment, workers=plan.workers)
    else:
        _Loader(environment, plan=plan, user_class=user_class)


class _Loader:
    """One loader: local, or a worker."""

    def __init__(self, environment: Any, *, plan: RunPlan, user_class: type[JourneyUser]) -> None:
        options = environment.parsed_options
        self._environment = environment
        self._runner = environment.runner
        self._plan = plan
        self._user_class = user_class
        # Read now: with its first message a master overwrites our options with its own.
        self._worker = options.palier_worker
        self._out = Path(options.palier_out)
        self._raw = options.palier_raw
        self._ready_fd = options.palier_ready_fd
        user_class.host = environment.host
        user_class.seed = plan.seed
        user_class.timeout_s = plan.request_timeout_s
        user_class.epoch = int.from_bytes(sha256(options.palier_run.encode()).digest()[:6], "big")
        _raise_open_file_limit()
        self._engine: Engine | None = None
        self._start_ns: AsyncResult = AsyncResult()
        gevent.signal_handler(signal.SIGINT, self._interrupt)
        if isinstance(self._runner, WorkerRunner):
            self._runner.register_message(START, self._on_start_message)
        environment.events.test_start.add_listener(self._on_test_start)
        environment.events.test_stopping.add_listener(self._on_stopping)
        environment.events.quitting.add_listener(self._on_stopping)

    def _on_test_start(self, **_: Any) -> None:
        gevent.spawn(self._run_and_quit)

    def _on_start_message(self, msg: Any, **_: Any) -> None:
        self._start_ns.set(int(msg.data["t0_ns"]))

    def _on_stopping(self, **_: Any) -> None:
        """Locust stops, for whatever reason: let the engine write its last line."""
        self._interrupt()
        Arrivals.finished.wait(END_WAIT_S)

    def _interrupt(self) -> None:
        if self._engine is None or not self._start_ns.ready():
            Arrivals.finished.set()
            self._start_ns.set(None)
        if self._engine is not None:
            self._engine.interrupt()

    def _run_and_quit(self) -> None:
        try:
            self._run()
        except Exception:
            logger.exception("the load engine failed")
            self._environment.process_exit_code = 1
        Arrivals.finished.set()
        self._runner.quit()

    def _run(self) -> None:
        # Imported late: the engine needs the scenario classes, which import this module.
        from scenarios.engine import Engine, Limits
        from scenarios.output import Output

        plan = self._plan
        output = Output(self._out, worker=self._worker, raw=self._raw)
        engine = self._engine = Engine(
            schedule=make_schedule(plan),
            worker=self._worker,
            workers=plan.workers,
            limits=Limits(
                request_timeout_s=plan.request_timeout_s,
                drain_s=plan.drain_s,
                max_sessions=plan.max_sessions,
            ),
            new_user=lambda: self._user_class(self._environment),
            output=output,
        )
        lookup_s = ask_before_start(install_names(), self._environment.host)
        done = engine.prepare()
        # Locust's own statistics begin where ours do.
        self._environment.stats.reset_all()
        report = {
            "worker": self._worker,
            "sessions": done.sessions,
            "requests": done.requests,
            "lost": done.lost,
            "took_s": round(done.took_s, 3),
            "lookup_s": None if lookup_s is None else round(lookup_s, 3),
        }
        if isinstance(self._runner, WorkerRunner):
            self._runner.send_message(READY, report)
            _at_end_of_stdin(self._interrupt)
        else:
            _serve_driver(self._ready_fd, [report], self._start_ns.set, self._interrupt)
        t0_ns = self._start_ns.get()
        if t0_ns is not None:
            engine.run(t0_ns)
        output.close()


def _raise_open_file_limit() -> None:
    """A connection is an open file: use as many as we are allowed without asking anybody."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class _Master:
    """The master of several loaders: gathers who is ready, passes t0 on."""

    def __init__(self, environment: Any, *, workers: int) -> None:
        self._runner = environment.runner
        self._workers = workers
        self._ready_fd = environment.parsed_options.palier_ready_fd
        self._reports: list[dict[str, Any]] = []
        # Loaders are interrupted one by one by whoever drives us; the master goes with the last.
        gevent.signal_handler(signal.SIGINT, lambda: None)
        self._runner.register_message(READY, self._on_ready)
        if self._ready_fd is not None:
            # The port is the kernel's choice, so that two runs never meet.
            _tell(self._ready_fd, {"port": self._runner.server.port})

    def _on_ready(self, msg: Any, **_: Any) -> None:
        self._reports.append(msg.data)
        if len(self._reports) == self._workers:
            _serve_driver(self._ready_fd, self._reports, self._start, self._runner.quit)

    def _start(self, t0_ns: int) -> None:
        self._runner.send_message(START, {"t0_ns": t0_ns})


def _serve_driver(
    ready_fd: int | None, reports: list[dict[str, Any]], start: Any, stop: Any
) -> None:
    """Say that everybody is ready, hand t0 to ``start``, call ``stop`` when the driver is gone."""
    if ready_fd is None:
        start(time.monotonic_ns() + round(HEAD_START_S * 1e9))
        return
    _tell(ready_fd, {"ready": reports})

    def listen() -> None:
        text = b""
        while not text.endswith(b"\n"):
            read = tp_read(0, 1000)
            if not read:
                stop()
                return
            text += read
        start(int(json.loads(text)["t0_ns"]))
        _wait_for_end_of_stdin()
        stop()

    gevent.spawn(listen)


def _at_end_of_stdin(stop: Any) -> None:
    if os.isatty(0):
        return

    def listen() -> None:
        _wait_for_end_of_stdin()
        stop()

    gevent.spawn(listen)


def _wait_for_end_of_stdin() -> None:
    while tp_read(0, 1000):
        pass


def _tell(fd: int, message: dict[str, Any]) -> None:
    # A short line fits into the pipe, so this cannot block.
    os.write(fd, json.dumps(message).encode() + b"\n")


def _read_plan(path: Path) -> RunPlan:
    document = json.loads(path.read_text(encoding="utf-8"))
    plan = plan_from_json(document, where=str(path))
    expected = document.get("schedule_digest")
    found = make_schedule(plan).digest
    if expected is not None and expected != found:
        raise LoadError(
            what=f"the schedule made here is {found[:12]}, the planned one is {expected[:12]}",
            where=str(path),
            fix="every loader needs the same version of Palier and of Python",
        )
    return plan


def _scenario_class(classes: list[type], plan: RunPlan) -> type[JourneyUser]:
    """The class of the locustfile that can make every request of the plan."""
    from scenarios.visitor import JourneyUser

    wanted = {step.operation for journey in plan.journeys for step in journey.steps}
    candidates = [one for one in classes if issubclass(one, JourneyUser)]
    for candidate in candidates:
        if wanted <= operations_of(candidate).keys():
            return candidate
    if not candidates:
        raise ConfigError(
            what="no class of the scenario derives from JourneyUser",
            where=plan.scenario,
            fix="see scenarios/README.md; twenty lines are enough",
        )
    nearest = min(candidates, key=lambda one: len(wanted - operations_of(one).keys()))
    missing = ", ".join(sorted(wanted - operations_of(nearest).keys()))
    raise ConfigError(
        what=f"{nearest.__name__} has no operation {missing}, which the journeys ask for",
        where=plan.scenario,
        fix="add methods of these names marked @operation, or change the journeys in tiers.yaml",
    )
