"""A short run that chance makes as bad as it likes: drawn from a seed, played, and audited."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psutil

from palier.load.archive import HISTOGRAMS_FILE, LEDGER_FILE, read_histograms, read_ledger
from palier.load.driver import LoadResult, drive
from palier.load.outcome import CLOCKS, OUTCOMES
from palier.load.schedule import make_schedule
from palier.model.journey import Journey, Step
from palier.model.plan import RunPlan
from palier.model.profile import Loop, Profile
from palier.model.tier import DataSpec, LoadSpec, Tier
from palier.model.variant import Variant

HERE = Path(__file__).parent

DISTURBANCES = {
    "nothing": 3,
    "freeze the server": 3,
    "kill the server": 2,
    "no server": 1,
    "kill a worker": 4,
    "stop a worker for a while": 2,
    "Ctrl-C": 3,
    "SIGTERM": 1,
}
"""With their weights."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One run.

    Attributes:
        seed: It follows from this alone.
        plan: What is to be done.
        wrong: Share of requests that the server treats badly.
        disturbance: What happens beside.
        at_s: When, in seconds of the run.
        for_s: How long, where it ends.
        victim: Which worker.
    """

    seed: int
    plan: RunPlan
    wrong: float
    disturbance: str
    at_s: float
    for_s: float
    victim: int

    def __str__(self) -> str:
        plan = self.plan
        load = f"{plan.loop.users} users" if plan.loop else f"{plan.requests_per_s:.0f}/s"
        happens = self.disturbance
        if happens not in ("nothing", "no server"):
            happens += f" at {self.at_s:.2f} s"
        return (
            f"seed {self.seed}: {plan.duration_s:.1f} s, {load}, {plan.workers} loaders, "
            f"{plan.max_sessions} sessions, {self.wrong:.0%} wrong, {happens}"
        )


def draw_case(seed: int) -> Case:
    """The case of a seed."""
    chance = random.Random(seed)
    disturbance = chance.choices(list(DISTURBANCES), list(DISTURBANCES.values()))[0]
    workers = chance.choices((1, 2, 3), (4, 4, 2))[0]
    if disturbance == "kill a worker":
        workers = max(workers, chance.choice((1, 2, 2, 2)))
    duration_s = chance.uniform(1.0, 3.0)
    return Case(
        seed=seed,
        plan=_draw_plan(chance, seed, workers=workers, duration_s=duration_s),
        wrong=chance.choice((0.0, 0.1, 0.3, 0.8)),
        disturbance=disturbance,
        at_s=chance.uniform(0.0, duration_s),
        for_s=chance.uniform(0.1, 1.5),
        victim=chance.randrange(workers),
    )


def _draw_plan(chance: random.Random, seed: int, *, workers: int, duration_s: float) -> RunPlan:
    names = ("enter", "look", "look_again")[: chance.randint(1, 3)]
    think_s = chance.choice((0.0, 0.05, 0.3))
    steps = tuple(
        Step(operation=name, think_s=think_s if place else 0.0) for place, name in enumerate(names)
    )
    journey = Journey(id="J", title="J", weight=1, steps=steps)
    loop = None
    if chance.random() < 0.25:
        users = chance.randint(1, 15)
        loop = Loop(users=users, journey="J", pause_s=0.2, once=chance.randint(0, len(steps) - 1))
    rate_per_s = chance.uniform(20.0, 150.0)
    timeout_s = chance.uniform(0.3, 1.2)
    return RunPlan(
        tier=_tier(rate_per_s),
        profile=Profile(
            id="case",
            title="case",
            arrivals=chance.choice(("poisson", "constant")),
            duration_s=duration_s,
            loop=loop,
        ),
        duration_s=duration_s,
        warmup_s=0.0,
        seed=seed,
        workers=workers,
        requests_per_s=rate_per_s,
        rate_derivation="drawn",
        sessions_per_s=rate_per_s / len(steps),
        journeys=(journey,),
        variant=Variant(),
        scenario=str(HERE / "unreliable_scenario.py"),
        url=None,
        request_timeout_s=timeout_s,
        drain_s=chance.uniform(0.2, timeout_s + 0.3),
        max_sessions=chance.choice((3, 20, 1000)),
    )


def _tier(rate_per_s: float) -> Tier:
    return Tier(
        id="case",
        system="case",
        title="case",
        users_min=None,
        users_max=None,
        plan=None,
        source="",
        variant=Variant(),
        stack=None,
        load=LoadSpec(users=1, requests_per_s=rate_per_s),
        data=DataSpec(tenants=20),
        targets=(),
        triggers=(),
        cost=None,
    )


@contextmanager
def unreliable_server(case: Case, log_path: Path) -> Iterator[tuple[psutil.Process, str]]:
    """The server of a case, and where it listens."""
    child = subprocess.Popen(
        [
            *(sys.executable, str(HERE / "unreliable_server.py")),
            *(str(case.seed), str(case.wrong), str(log_path)),
        ],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert child.stdout is not None
    with child:
        try:
            yield psutil.Process(child.pid), f"http://127.0.0.1:{int(child.stdout.readline())}"
        finally:
            child.kill()


class Disturber:
    """Does to a run what its case says, at the time it says."""

    def __init__(self, case: Case, server: psutil.Process) -> None:
        self._case = case
        self._server = server
        self._timers: list[threading.Timer] = []

    def on_start(self, t0: float, pids: tuple[int, ...]) -> None:
        """The run begins; arms the timers."""
        case = self._case
        # With several loaders the first process is their master, which sends nothing.
        senders = pids[-case.plan.workers :]
        victim = psutil.Process(senders[case.victim])
        begin, end = {
            "freeze the server": (self._server.suspend, self._server.resume),
            "kill the server": (self._server.kill, None),
            "kill a worker": (victim.kill, None),
            "stop a worker for a while": (victim.suspend, victim.resume),
            "Ctrl-C": (lambda: os.kill(os.getpid(), signal.SIGINT), None),
            "SIGTERM": (lambda: os.kill(os.getpid(), signal.SIGTERM), None),
        }.get(case.disturbance, (None, None))
        for act, at_s in ((begin, case.at_s), (end, case.at_s + case.for_s)):
            if act is not None:
                timer = threading.Timer(t0 + at_s - time.monotonic(), _unless_gone, (act,))
                timer.start()
                self._timers.append(timer)

    def finish(self) -> None:
        """Wait for what has begun."""
        for timer in self._timers:
            timer.join()


def _unless_gone(act: object) -> None:
    assert callable(act)
    with suppress(psutil.NoSuchProcess):  # the run was over before it could be disturbed
        act()


def play(case: Case, folder: Path) -> LoadResult:
    """Play a case; its files are in ``folder``."""
    with unreliable_server(case, folder / "server.log") as (server, url):
        if case.disturbance == "no server":
            server.kill()
            server.wait()
        disturber = Disturber(case, server)
        result = drive(case.plan, run_dir=folder / "run", url=url, on_start=disturber.on_start)
        disturber.finish()
    return result


def audit(case: Case, result: LoadResult, folder: Path) -> list[str]:
    """Everything that does not add up; empty when all does."""
    run_dir = folder / "run"
    ledger = read_ledger(run_dir / LEDGER_FILE)
    histograms = read_histograms(run_dir / HISTOGRAMS_FILE)
    return [
        *_planned_is_the_schedule(case, ledger),
        *_rows_close(ledger),
        *_histograms_match(ledger, histograms),
        *_server_agrees(result, ledger, folder),
        *([] if result.closes else ["the driver says that the ledger does not close"]),
    ]


def _planned_is_the_schedule(case: Case, ledger: pd.DataFrame) -> list[str]:
    planned = {
        (int(row["second"]), str(row["operation"])): int(row["planned"])
        for row in ledger.to_dict("records")
        if row["planned"]
    }
    expected = {key: n for key, n in make_schedule(case.plan).planned_counts().items() if n}
    return [] if planned == expected else ["planned is not what the schedule planned"]


def _rows_close(ledger: pd.DataFrame) -> list[str]:
    ends = ledger[list(OUTCOMES)].sum(axis=1)
    open_rows = ledger[
        (ledger["planned"] != ledger["started"] + ledger["skipped"]) | (ledger["started"] != ends)
    ]
    return [
        f"second {row['second']} {row['operation']}: planned {row['planned']}, "
        f"started {row['started']}, skipped {row['skipped']}, "
        f"ended {sum(row[name] for name in OUTCOMES)}"
        for row in open_rows.to_dict("records")
    ]


def _histograms_match(ledger: pd.DataFrame, histograms: pd.DataFrame) -> list[str]:
    counted = histograms.groupby(["operation", "outcome", "clock"])["count"].sum()
    totals = ledger.groupby("operation")[list(OUTCOMES)].sum()
    return [
        f"{operation} {outcome}: {totals.loc[operation, outcome]} in the ledger, "
        f"{counted.get((operation, outcome, clock), 0)} in the histogram of {clock}"
        for operation in totals.index
        for outcome in OUTCOMES
        for clock in CLOCKS
        if totals.loc[operation, outcome] != counted.get((operation, outcome, clock), 0)
    ]


def _server_agrees(result: LoadResult, ledger: pd.DataFrame, folder: Path) -> list[str]:
    """What the server saw, which the engine has no part in.

    It is asked, too, for what sessions in progress at t0 had done before. What a lost loader sent
    and did not report is skipped in the ledger, and others may ask again what it had asked.
    """
    seen = [line.split(" ") for line in (folder / "server.log").read_text().splitlines()]
    paths = Counter(path for path, _ in seen)
    right = sum(kind in ("right", "shorter") for _, kind in seen)
    started, succeeded = int(ledger["started"].sum()), int(ledger["succeeded"].sum())
    events = map(json.loads, (folder / "run" / "events.jsonl").read_text().splitlines())
    before = sum(event["requests"] for event in events if event["name"] == "lead_in")
    problems = []
    if succeeded > right:
        problems.append(f"{succeeded} requests succeeded, {right} were answered right")
    if result.lost_workers:
        return problems
    if len(seen) > started + before:
        problems.append(
            f"the server was asked {len(seen)} times, {started} requests started, "
            f"{before} before the window"
        )
    return problems + [f"{path} was sent {n} times" for path, n in paths.items() if n > 1]
