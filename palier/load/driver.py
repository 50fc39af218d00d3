"""Driving a run: start the loaders, watch them, and gather what they wrote.

Locust runs in processes of its own: importing it patches the standard library, and a load
generator must not share an interpreter with what watches it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from palier.errors import ConfigError
from palier.load.abort import AbortWatch, Breach
from palier.load.archive import HISTOGRAMS_FILE, LEDGER_FILE, write_histograms, write_ledger
from palier.load.chance import MICROSECONDS
from palier.load.disk import Reserve
from palier.load.events import Events
from palier.load.ledger import closes
from palier.load.loaders import Loaders, LoaderSpec
from palier.load.losses import Losses
from palier.load.master_notes import MasterNotes
from palier.load.merge import Merger
from palier.load.progress import Progress, ProgressMeter
from palier.load.schedule import Schedule, make_schedule
from palier.load.stop import Stop, counted_signals
from palier.load.tail import Tail
from palier.model.plan import RunPlan
from palier.model.plan_json import plan_as_json

HEAD_START_S: Final = 0.5
"""From choosing t0 to t0: longer than it takes to tell every loader."""

MARGIN_S: Final = 10.0
"""Loaders end by themselves after window and drain; this long after that they are killed."""

INTERRUPTED_S: Final = 5.0
"""Loaders need a second to end after Ctrl-C or an abort; this long after it they are killed."""

LEAVE_S: Final = 5.0
"""How long processes may take to go after the last line of the last loader."""

MASTER_SILENT_S: Final = 5.0
"""Lines come twice a second, and a worker that stands still is replaced within three seconds: when
nothing at all comes for so long, the master itself is stuck."""

STOOD_STILL_S: Final = 0.5
"""A look that comes so late means that we stood still ourselves, and nobody else is to blame."""

_POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """What driving a run came to; the measurements are in the run directory.

    Attributes:
        interrupted: It was stopped before its end, by Ctrl-C or a signal.
        aborted: The abort rule that stopped it, with its numbers; None when none did.
        lost_workers: Loaders that ended without their last line; what they had planned and not
            reported is skipped as ``worker_lost``, others did the rest.
        closes: Whether every planned request is accounted for.
        t0: Start of the run, an instant of ``time.monotonic``.
        observations: Largest value of each fact that scenarios observed, by name.
        tallies: How often scenarios answered a question with yes, and how often they asked it.
        loader_pids: Processes of the load generator.
    """

    interrupted: bool
    lost_workers: tuple[int, ...]
    closes: bool
    t0: float
    observations: Mapping[str, float] = field(default_factory=dict)
    tallies: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    loader_pids: tuple[int, ...] = ()
    aborted: Breach | None = None


def drive(
    plan: RunPlan,
    *,
    run_dir: Path,
    url: str,
    cpu_set: frozenset[int] | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    on_start: Callable[[float, tuple[int, ...]], None] = lambda _t0, _pids: None,
    extra_env: Mapping[str, str] | None = None,
    raw: bool = False,
    name: str | None = None,
    bind: tuple[str, int] = ("127.0.0.1", 0),
    on_listening: Callable[[int], None] = lambda _port: None,
) -> LoadResult:
    """Send the load of a plan and write ledger, histograms, exemplars and events.

    Ctrl-C and SIGTERM end the sending; what was measured is kept, and ``interrupted`` says so. A
    second one kills the loaders.

    Args:
        plan: What to do.
        run_dir: Directory of the run; gets ``plan.json`` if it has none.
        url: Service to be driven.
        cpu_set: Processors of the load generator; None means all.
        on_progress: Called about once a second.
        on_start: Called once with t0, an instant of ``time.monotonic`` a moment in the future,
            and the processes of the load generator.
        extra_env: Environment variables for the scenarios.
        raw: True to have every request written to ``load/raw-<i>.csv``, too.
        name: Of the run, from which scenarios derive what must not repeat; None for that of its
            directory.

        bind: Where a master listens to workers; port 0 lets the kernel choose.
        on_listening: Told that port, once workers may come.

    Raises:
        LoadError: The load generator did not start.
        ConfigError: There is no such scenario.
        DiskError: There is no room in the run directory.
        KeyboardInterrupt: It was stopped before the first request.
    """
    schedule = make_schedule(plan)
    folder = run_dir / "load"
    folder.mkdir(parents=True, exist_ok=True)
    plan_path = run_dir / "plan.json"
    if not plan_path.exists():
        document = plan_as_json(plan, schedule_digest=schedule.digest)
        plan_path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    spec = LoaderSpec(
        scenario=_scenario_path(plan.scenario),
        plan_path=plan_path.resolve(),
        folder=folder.resolve(),
        run=run_dir.resolve().name if name is None else name,
        url=url,
        workers=plan.workers,
        cpu_set=cpu_set,
        extra_env=extra_env or {},
        raw=raw,
        remote_workers=plan.remote_workers,
        bind_host=bind[0],
        bind_port=bind[1],
    )
    with (
        Reserve(run_dir) as reserve,
        counted_signals() as stop,
        Loaders(spec, stopped=lambda: stop.asked > 0, on_listening=on_listening) as loaders,
    ):
        watch = _Watch(plan, schedule, run_dir=run_dir, loaders=loaders, stop=stop, reserve=reserve)
        return watch.run(on_start=on_start, on_progress=on_progress)


class _Watch:
    """A run from the first process to the last file."""

    def __init__(
        self,
        plan: RunPlan,
        schedule: Schedule,
        *,
        run_dir: Path,
        loaders: Loaders,
        stop: Stop,
        reserve: Reserve,
    ) -> None:
        self._plan = plan
        self._run_dir = run_dir
        self._loaders = loaders
        self._stop = stop
        self._reserve = reserve
        self._schedule = schedule
        planned = schedule.planned_counts()
        self._merger = Merger(planned)
        self._meter = ProgressMeter(planned, duration_s=plan.duration_s)
        self._aborts = AbortWatch(plan)
        self._aborted: Breach | None = None
        self._tails = [
            Tail(run_dir / "load" / f"worker-{worker}.jsonl", worker=worker)
            for worker in range(plan.workers)
        ]
        self._events = Events()
        self._notes = MasterNotes(run_dir / "load")
        self._heard_at = self._read_at = 0.0
        self._t0 = 0.0
        self._losses = Losses(
            schedule,
            tails=self._tails,
            loaders=loaders,
            merger=self._merger,
            tell=self._events.tell,
            now_us=lambda: round((time.monotonic() - self._t0) * MICROSECONDS),
        )

    def run(
        self,
        *,
        on_start: Callable[[float, tuple[int, ...]], None],
        on_progress: Callable[[Progress], None],
    ) -> LoadResult:
        reports = self._loaders.start()
        pids = self._loaders.pids
        t0_ns = time.monotonic_ns() + round(HEAD_START_S * 1e9)
        self._t0 = self._heard_at = self._read_at = self._events.t0 = t0_ns / 1e9
        on_start(self._t0, pids)
        self._loaders.begin(t0_ns)
        for report in sorted(reports, key=lambda report: report["worker"]):
            self._events.tell("phase", "lead_in", at_s=-HEAD_START_S, **report)
        self._events.tell_of_plan(self._plan)
        self._watch(on_progress)
        self._loaders.end(LEAVE_S)
        self._read()
        self._losses.settle()
        return self._write(pids)

    def _watch(self, on_progress: Callable[[Progress], None]) -> None:
        """Until every loader has written its last line, or is lost."""
        plan = self._plan
        deadline = self._t0 + plan.duration_s + plan.drain_s + MARGIN_S
        next_look = self._t0 + 1.0
        interrupts = 0
        while not self._all_ended():
            now = time.monotonic()
            if self._stop.asked and not interrupts:
                self._events.tell("phase", "interrupted")
                self._losses.stopping = True
                self._loaders.interrupt()
                deadline = min(deadline, now + INTERRUPTED_S)
            interrupts = self._stop.asked
            if interrupts > 1:
                deadline = now
            if now >= deadline:
                self._losses.stopping = True
                self._loaders.kill()
            ended = [(one.worker, one.exit_code()) for one in self._loaders.senders]
            is_new = self._read()
            for worker, exit_code in ended:
                if worker is not None and exit_code is not None:
                    self._losses.notice(worker, why="its process ended", exit_code=exit_code)
            self._look_at_master(now)
            if is_new and self._aborted is None and not interrupts and self._abort():
                self._losses.stopping = True
                deadline = min(deadline, now + INTERRUPTED_S)
            if now >= next_look:
                self._look_at_disk()
                on_progress(self._meter.at(now - self._t0))
                next_look = max(next_look + 1.0, now)
            time.sleep(_POLL_S)

    def _abort(self) -> bool:
        """Stop the run if one of its rules says so."""
        self._aborted = breach = self._aborts.breach()
        if breach is None:
            return False
        self._events.tell(
            "abort",
            "aborted",
            rule=breach.rule.id,
            message=f"{breach.rule.id}: {breach.rule.state}",
            why=breach.sentence,
        )
        self._loaders.abort()
        return True

    def _all_ended(self) -> bool:
        """True when each loader has written its last line, or is lost and accounted for."""
        return self._losses.settled and all(
            tail.final or tail.worker in self._losses.workers for tail in self._tails
        )

    def _look_at_master(self, now: float) -> None:
        """Without its master nobody's lines arrive: then the run is over, and what was written
        down until then is kept."""
        master = self._loaders.master
        if master is None or self._all_ended():
            return
        if master.exit_code() is None and now - self._heard_at > MASTER_SILENT_S:
            master.kill()
        if master.exit_code() is not None:
            self._events.tell("worker", "master_lost", exit_code=master.exit_code())
            self._losses.master_lost()

    def _look_at_disk(self) -> None:
        if self._reserve.held and self._reserve.is_low():
            # The loaders' last lines and our own files fit into what this gives back.
            self._reserve.release()
            self._events.tell("fault", "disk_full", why="no space left in the run directory")
            self._loaders.interrupt()

    def _read(self) -> bool:
        """Everything that is new; True when a loader had written a line."""
        now = time.monotonic()
        # The notes first: what a fence says was taken is in the lines by then.
        notes = list(self._notes.read())
        if now - self._read_at > STOOD_STILL_S:
            self._heard_at = now  # we stood still ourselves
        self._read_at = now
        for tail in self._tails:
            for line in tail.read():
                self._heard_at = now
                self._merger.add(line)
                self._meter.add(line)
                self._aborts.add(line)
                self._losses.add(line)
        for note in notes:
            self._heed(note)
        return self._heard_at == now

    def _heed(self, note: dict[str, Any]) -> None:
        """What the master has noted."""
        kind, worker = note["kind"], int(note["worker"])
        if kind == "silent":
            self._losses.notice(worker, why=f"nothing was heard of it for {note['for_s']:.1f} s")
        elif kind == "fenced":
            self._losses.fenced(worker)
        else:
            self._events.tell_of_note(note, local_workers=self._loaders.local_workers)

    def _write(self, pids: tuple[int, ...]) -> LoadResult:
        ledger = self._merger.ledger()
        write_ledger(self._run_dir / LEDGER_FILE, ledger)
        write_histograms(self._run_dir / HISTOGRAMS_FILE, self._merger.histograms())
        _write_lines(self._run_dir / "exemplars.jsonl", self._merger.exemplars(), mode="w")
        _write_lines(self._run_dir / "events.jsonl", self._events, mode="a")
        return LoadResult(
            interrupted=self._stop.asked > 0,
            lost_workers=tuple(sorted(self._losses.workers)),
            closes=closes(ledger),
            t0=self._t0,
            observations=dict(self._merger.observations),
            tallies=dict(self._merger.tallies),
            loader_pids=pids,
            aborted=self._aborted,
        )


def _write_lines(path: Path, documents: Iterable[dict[str, Any]], *, mode: str) -> None:
    with path.open(mode, encoding="utf-8") as file:
        for document in documents:
            file.write(json.dumps(document, ensure_ascii=False) + "\n")


def _scenario_path(scenario: str) -> Path:
    """The locustfile: as given, or in the project."""
    for path in (Path(scenario), Path(__file__).parent.parent.parent / scenario):
        if path.is_file():
            return path.resolve()
    raise ConfigError(
        what=f"no scenario {scenario!r}",
        where="tiers.yaml, key scenario",
        fix="give the path of a locustfile, relative to where you are or to the project",
    )
