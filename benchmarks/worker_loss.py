"""A worker is lost in the middle of a run: how soon the offered rate is there again.

The judge is the server's own log. The plan says when every request is wanted, so the share of
them that arrived can be told for any tenth of a second without chance in it. The rate is restored
from when on every half second of the plan arrives as planned, but for 5 % (a request may arrive in
the next window). What became of every request is asked, too: nothing may be sent twice, nothing
sent may be missing from the ledger, and the ledger has to close.

    python benchmarks/worker_loss.py              one worker of each kind of loss
    python benchmarks/worker_loss.py --all        each worker in turn, two at once, and the master

Exit code 1 when the rate is not restored within 2 s, or a request is not accounted for.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from palier.load.archive import LEDGER_FILE, read_ledger
from palier.load.driver import LoadResult, drive
from palier.load.schedule import make_schedule
from palier.model.plan import RunPlan
from palier.runfiles import read_run
from palier.selftest.known_server import known_server
from palier.selftest.trial import trial_plan

RATE_PER_S = 400.0
DURATION_S = 9.0
LOST_AT_S = 3.0
WORKERS = 3
BAR_S = {signal.SIGKILL: 2.0, signal.SIGSTOP: 2.5}
"""A process that ended is seen at once. One that stands still is seen by its silence, within 2 s,
and then the others need a moment."""
WINDOW_S = 0.5
STEP_S = 0.05
ARRIVED = 0.95


@dataclass(frozen=True, kw_only=True)
class Case:
    """Which processes get which signal; ``"master"`` or the index of a worker."""

    victims: tuple[int | str, ...]
    number: signal.Signals

    def __str__(self) -> str:
        return f"{self.number.name} to {' and '.join(str(one) for one in self.victims)}"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a case came to.

    Attributes:
        restored_s: From the signal until the rate was there again; None when it never was.
        missing: Planned requests that never arrived.
        unknown: Of the ledger: those of which the generator says that it does not know.
        problems: What is not accounted for.
    """

    restored_s: float | None
    missing: int
    unknown: int
    problems: tuple[str, ...]


def play(case: Case, folder: Path) -> Outcome:
    """Play a run in which this happens."""
    plan = trial_plan(rate_per_s=RATE_PER_S, duration_s=DURATION_S, workers=WORKERS, timeout_s=2.0)
    struck: list[float] = []

    def on_start(t0: float, pids: tuple[int, ...]) -> None:
        victims = [process_of(pids, one) for one in case.victims]

        def strike() -> None:
            for pid in victims:
                os.kill(pid, case.number)
            struck.append(time.monotonic() - t0)

        threading.Timer(t0 + LOST_AT_S - time.monotonic(), strike).start()

    flags = ("--law", "constant:5ms")
    with known_server(folder / "answers.npy", flags) as server:
        result = drive(plan, run_dir=folder / "run", url=server.url, on_start=on_start)
        log = server.end()
    return judge(plan, result, log, folder / "run", struck[0])


def process_of(pids: Sequence[int], which: int | str) -> int:
    """The process of a worker, or of the master."""
    wanted = "--master " if which == "master" else f"--palier-worker {which} "
    for pid in pids:
        if wanted in " ".join([*psutil.Process(pid).cmdline(), ""]):
            return pid
    raise LookupError(f"no process of {which}")


def judge(
    plan: RunPlan,
    result: LoadResult,
    log: NDArray[np.void],
    run_dir: Path,
    struck_s: float,
) -> Outcome:
    """Lay the server's log beside plan and ledger."""
    sessions = make_schedule(plan).sessions
    planned_s = np.array([session.at_us for session in sessions]) / 1e6
    seen = Counter(int(session) for session in log["session"])
    arrived_s = np.full(len(sessions), np.inf)
    arrived_s[log["session"]] = log["received_ns"] / 1e9 - result.t0
    ledger = read_ledger(run_dir / LEDGER_FILE).sum(numeric_only=True)
    started, unknown = int(ledger["started"]), int(ledger["skipped_worker_lost"])
    problems = [f"session {n} was sent {k} times" for n, k in seen.items() if k > 1]
    if not result.closes:
        problems.append("the ledger does not close")
    if not started <= len(log) <= started + unknown:
        problems.append(f"{len(log)} arrived, {started} known as sent, {unknown} unknown")
    if not any(not check.ok for check in checks_of(run_dir)):
        problems.append("no check of the measurement says that somebody was lost")
    return Outcome(
        restored_s=restored_after_s(planned_s, arrived_s, struck_s),
        missing=int(np.isinf(arrived_s).sum()),
        unknown=unknown,
        problems=tuple(problems),
    )


def checks_of(run_dir: Path) -> Sequence[Any]:
    """The fitness checks of the run, as ``palier`` itself makes them."""
    from palier.analysis.analyse import analyse

    inputs = read_run(run_dir)
    findings = analyse(
        plan=inputs.plan,
        ledger=inputs.ledger,
        histograms=inputs.histograms,
        health_lines=inputs.health_lines,
        telemetry=inputs.telemetry,
        events=inputs.events,
        run=inputs.run,
    )
    return findings.health


def restored_after_s(
    planned_s: NDArray[np.float64], arrived_s: NDArray[np.float64], struck_s: float
) -> float | None:
    """From the signal to the start of the first window from which on all windows are whole."""
    on_time = arrived_s < planned_s + WINDOW_S
    broken_until_s = struck_s
    for start_s in np.arange(struck_s, DURATION_S - WINDOW_S, STEP_S):
        within = (planned_s >= start_s) & (planned_s < start_s + WINDOW_S)
        if on_time[within].mean() < ARRIVED:
            broken_until_s = float(start_s) + STEP_S
    if broken_until_s >= DURATION_S - WINDOW_S - STEP_S:
        return None
    return broken_until_s - struck_s


def cases(every: bool) -> list[Case]:
    kill, stop = signal.SIGKILL, signal.SIGSTOP
    few = [Case(victims=(1,), number=kill), Case(victims=(2,), number=stop)]
    if not every:
        return few
    return [
        *(Case(victims=(worker,), number=kill) for worker in range(WORKERS)),
        *(Case(victims=(worker,), number=stop) for worker in range(WORKERS)),
        Case(victims=(0, 2), number=kill),
        Case(victims=("master",), number=kill),
    ]


def main() -> int:
    flags = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    flags.add_argument("--all", action="store_true", help="every worker, two at once, the master")
    failed = False
    print(f"{RATE_PER_S:.0f} requests/s over {WORKERS} workers; bar after kill -9: 2 s")
    for case in cases(flags.parse_args().all):
        with tempfile.TemporaryDirectory(prefix="palier-loss-") as name:
            outcome = play(case, Path(name))
        ends = case.victims == ("master",)
        restored = "never" if outcome.restored_s is None else f"{outcome.restored_s:.2f} s"
        print(
            f"{case!s:28} restored after {restored}; {outcome.missing} never arrived, "
            f"{outcome.unknown} unknown to the generator"
            + "".join(f"\n    NOT ACCOUNTED FOR: {problem}" for problem in outcome.problems),
            flush=True,
        )
        # Without its master a run ends.
        late = not ends and (outcome.restored_s is None or outcome.restored_s > BAR_S[case.number])
        failed |= late or bool(outcome.problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
