"""Does a spoilt measurement say so, and does a clean one stay silent?

Ten faults are done to real runs by real means: processes, signals, limits, mounts, name servers.
Each must be found and named in the reasons of the verdict. A service that is gone is no fault of
the measurement, so that run fails instead of being INVALID. Clean runs must not be INVALID.

    python benchmarks/faults.py                     all faults, then five clean runs
    python benchmarks/faults.py --clean 50 --faults none
    python benchmarks/faults.py --faults "slow DNS" --faults "full disk"

Exit code 1 when a fault was not named, or a clean run was INVALID. What needs rights or tools that
are not here is left out, and said: mounting and namespaces need root, the stepped clock a compiler.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

from palier.analysis.verdict import Verdict
from palier.judging import judge_files
from palier.load.driver import drive
from palier.load.schedule import make_schedule
from palier.model.parse import load_catalogue
from palier.model.plan import RunPlan, make_plan
from palier.runfiles import RunFiles
from palier.selftest.known_server import KnownServer, known_server
from palier.stack.cpus import plan_cpus, usable_cores

SUPPORT = Path(__file__).parent / "support"
SCENARIO = SUPPORT / "faulty_scenario.py"

RATE_PER_S = 200
FAULT_S = 14.0
CLEAN_S = 6.0

AT_S = 4.0
"""When a fault begins: the judged window has, too."""

DISTURBED = 0.10
"""A run in which the host of a virtual machine took more than a tenth of it is not a clean one. It
is shown, with its verdict, and not counted."""

INSIDE = "PALIER_BENCH_INSIDE"
"""Set in the child that has a network of its own."""

TIERS = f"""\
systems:
  faults:
    title: A service that answers in 5 ms
    scenario: {SCENARIO}
    journeys:
      one: {{title: One request, weight: 1, steps: [{{operation: look}}]}}
    tiers:
      faults:
        title: {RATE_PER_S} requests a second
        url: http://127.0.0.1:1
        load: {{users: {RATE_PER_S}, requests_per_s: {RATE_PER_S}}}
        targets:
          p95: {{role: gate, title: Fast, metric: response_time, percentile: 0.95,
                comparator: "<", limit: 300, unit: ms}}
          errors: {{role: gate, title: Right, metric: error_ratio, comparator: "<", limit: 1,
                   unit: "%"}}
"""


class NotHereError(Exception):
    """This machine cannot have such a fault; the text says why."""


@dataclass
class Scene:
    """A run about to be spoilt.

    Attributes:
        folder: For whatever a fault needs.
        server: The service.
        plan: What is to be done.
        run_dir: Where it is written.
        env: For the loaders.
        acts: What is to be done to the loaders' processes, and when.
        environment: Of ``environment.json``.
        ends: What undoes a fault.
    """

    folder: Path
    server: KnownServer
    plan: RunPlan
    run_dir: Path
    env: dict[str, str] = field(default_factory=dict)
    acts: list[tuple[float, Callable[[tuple[int, ...]], object]]] = field(default_factory=list)
    environment: dict[str, object] = field(default_factory=dict)
    ends: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def at(self, offset_s: float, act: Callable[[tuple[int, ...]], object]) -> None:
        """Do it so long after the start; ``act`` gets the loaders' processes, the master first."""
        self.acts.append((offset_s, act))


@dataclass(frozen=True)
class Fault:
    """One way to spoil a run.

    Attributes:
        spoil: Does it.
        named: What the reasons must say.
        verdict: What the run must be.
    """

    spoil: Callable[[Scene], None]
    named: str
    verdict: str = "INVALID"


# the faults ---------------------------------------------------------------------------------


HOG: Final = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"
"""Wants a core all the time, and does not outlive a benchmark that was killed."""

HOGS: Final = 32
"""So many that the generator cannot have the core whenever it is ready."""


def hog_the_core(scene: Scene) -> None:
    """Many processes that want the generator's core all the time.

    Each has a session of its own, because the kernel shares a core between sessions first. Against
    eight of them the generator, which wants a fifteenth of the core, gets it whenever it is ready,
    and response times are as before: that is no fault. Against so many it gets a thirty-third.
    """
    core, _ = cores()

    def begin(_loaders: tuple[int, ...]) -> None:
        for _ in range(HOGS):
            hog = subprocess.Popen([sys.executable, "-c", HOG], start_new_session=True)
            scene.ends.callback(hog.wait)
            scene.ends.callback(hog.kill)
            os.sched_setaffinity(hog.pid, core)

    scene.at(1.0, begin)


def kill_a_worker(scene: Scene) -> None:
    scene.plan = dataclasses.replace(scene.plan, workers=2)
    scene.at(AT_S, lambda loaders: os.kill(loaders[-1], signal.SIGKILL))


def stop_a_worker(scene: Scene) -> None:
    """One of two, for good."""
    scene.plan = dataclasses.replace(scene.plan, workers=2)
    scene.at(AT_S, lambda loaders: os.kill(loaders[-1], signal.SIGSTOP))


def stop_the_loader_a_while(scene: Scene) -> None:
    """The only one, for a second and a half: it goes on as if nothing had been."""
    scene.at(AT_S, lambda loaders: os.kill(loaders[-1], signal.SIGSTOP))
    scene.at(AT_S + 1.5, lambda loaders: os.kill(loaders[-1], signal.SIGCONT))


def step_the_clock(scene: Scene) -> None:
    """By an hour, in the loader only: the clock of the machine belongs to everybody."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise NotHereError("needs a C compiler")
    shim, step = scene.folder / "clock_shim.so", scene.folder / "step"
    source = SUPPORT / "clock_shim.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", shim, source, "-ldl"], check=True)
    step.write_bytes(struct.pack("q", 0))
    scene.env |= {"LD_PRELOAD": str(shim), "CLOCK_STEP": str(step)}

    def set_forward(_loaders: tuple[int, ...]) -> None:
        # In place: the loader has this very file in its memory.
        with step.open("r+b") as file:
            file.write(struct.pack("q", 3_600 * 10**9))

    scene.at(AT_S, set_forward)


def lower_the_file_limit(scene: Scene) -> None:
    """To three more than are open; then the service stalls, and every request wants a new one."""

    def lower(loaders: tuple[int, ...]) -> None:
        for pid in loaders:
            there = len(list(Path(f"/proc/{pid}/fd").iterdir()))
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (there + 3, there + 3))

    scene.at(AT_S, lower)
    scene.at(AT_S + 0.1, lambda _: os.kill(scene.server.pid, signal.SIGSTOP))
    scene.at(AT_S + 1.1, lambda _: os.kill(scene.server.pid, signal.SIGCONT))


def storm_the_collector(scene: Scene) -> None:
    scene.env["PALIER_FAULT"] = "collect"


def slow_the_names(scene: Scene) -> None:
    """A name server that takes 300 ms, in a network of our own."""
    server = subprocess.Popen(
        [sys.executable, SUPPORT / "slow_names.py", "0.3"], stdout=subprocess.PIPE, text=True
    )
    scene.ends.callback(server.wait)
    scene.ends.callback(server.kill)
    assert server.stdout is not None
    server.stdout.readline()
    scene.env["PALIER_FAULT"] = "names"


def fill_the_disk(scene: Scene) -> None:
    """A disk of 40 MB in memory, filled by another process to the last byte."""
    disk = scene.folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        raise NotHereError("mounting needs root")
    scene.ends.callback(lambda: subprocess.run(["umount", disk], check=True))
    scene.run_dir = disk / "run"
    # head ends by itself, with an error, when nothing more fits.
    fill = f"head -c 100M /dev/zero > {disk}/filler"
    scene.at(AT_S, lambda _: subprocess.run(fill, shell=True, stderr=subprocess.DEVNULL))


def end_the_service(scene: Scene) -> None:
    scene.at(AT_S, lambda _: os.kill(scene.server.pid, signal.SIGKILL))


def ask_too_much(scene: Scene) -> None:
    """As if the self-test had found half of the rate."""
    scene.environment["certified"] = {"rate_per_s": RATE_PER_S / 2}


FAULTS: Mapping[str, Fault] = {
    "CPU hog": Fault(hog_the_core, r"another process had (the|its) core"),
    "worker killed": Fault(kill_a_worker, r"loader \d .*(killed|signal 9)"),
    "worker stopped": Fault(stop_a_worker, r"loader 1 .*nothing was heard of it"),
    "stopped for 1.5 s": Fault(
        stop_the_loader_a_while, r"its process, or the machine, was stopped"
    ),
    "clock stepped": Fault(step_the_clock, r"wall clock was set by \+3,600"),
    "file limit": Fault(lower_the_file_limit, r"open files was .*Too many open files"),
    "collector storm": Fault(storm_the_collector, r"collector was \d+ pauses"),
    "slow DNS": Fault(slow_the_names, r"requests waited more than \d+ ms for a name"),
    "full disk": Fault(fill_the_disk, r"disk was full at"),
    "target gone": Fault(end_the_service, r"had stopped answering", verdict="FAIL"),
    "beyond certified": Fault(ask_too_much, r"certified rate was"),
}


# one run ------------------------------------------------------------------------------------


def cores() -> tuple[frozenset[int], frozenset[int]]:
    """Cores of the generator and of the service."""
    plan = plan_cpus(usable_cores())
    return frozenset(plan.generator), frozenset(plan.system)


def run_once(folder: Path, *, duration_s: float, fault: Fault | None, seed: int = 1) -> Verdict:
    """Drive the service, spoil it, judge it.

    Raises:
        NotHereError: This machine cannot have the fault.
    """
    generator, system = cores()
    with known_server(folder / "answers.npy", ("--law", "constant:5ms"), cpu_set=system) as server:
        host = "service.slow.test" if INSIDE in os.environ else "127.0.0.1"
        plan = _plan(folder, server.url.replace("127.0.0.1", host), duration_s, seed)
        scene = Scene(folder, server, plan, folder / "run")
        with scene.ends:
            if fault is not None:
                fault.spoil(scene)
            files = RunFiles(scene.run_dir)
            digest = make_schedule(scene.plan).digest
            files.write_plan(scene.plan, schedule_digest=digest)
            files.write_environment(scene.environment)  # type: ignore[arg-type]
            with _acting(scene) as begin:
                drive(
                    scene.plan,
                    run_dir=scene.run_dir,
                    url=str(scene.plan.url),
                    cpu_set=generator,
                    on_start=begin,
                    extra_env=scene.env,
                )
            conclusion, _ = judge_files(scene.run_dir)
            return conclusion.verdict


def _plan(folder: Path, url: str, duration_s: float, seed: int) -> RunPlan:
    tiers = folder / "tiers.yaml"
    tiers.write_text(TIERS)
    catalogue = load_catalogue(tiers)
    tier = catalogue.tier("faults")
    return make_plan(
        system=catalogue.system(tier.system),
        tier=tier,
        profile=catalogue.profile("steady"),
        duration_s=duration_s,
        seed=seed,
        workers=1,
        variant=tier.variant,
        url=url,
    )


@contextlib.contextmanager
def _acting(scene: Scene) -> Iterator[Callable[[float, tuple[int, ...]], None]]:
    """For ``on_start``: does what the scene asks for, at its time."""
    timers: list[threading.Timer] = []

    def begin(t0: float, loaders: tuple[int, ...]) -> None:
        for offset_s, act in scene.acts:
            timer = threading.Timer(t0 + offset_s - time.monotonic(), act, (loaders,))
            timer.start()
            timers.append(timer)

    yield begin
    for timer in timers:
        timer.join()


def run_in_own_network(name: str) -> int:
    """This script again, for one fault, where the name server is 127.0.0.1.

    Raises:
        NotHereError: There are no namespaces for us.
    """
    if shutil.which("unshare") is None or os.geteuid() != 0:
        raise NotHereError("namespaces need root and `unshare`")
    with tempfile.TemporaryDirectory() as folder:
        names = Path(folder) / "resolv.conf"
        names.write_text("nameserver 127.0.0.1\n")
        again = f"{sys.executable} {__file__} --clean 0 --faults '{name}'"
        script = f"ip link set lo up && mount --bind {names} /etc/resolv.conf && exec {again}"
        child = subprocess.run(
            ["unshare", "--net", "--mount", "sh", "-c", script],
            env={**os.environ, INSIDE: "1"},
            check=False,
        )
    return child.returncode


# the table ----------------------------------------------------------------------------------


def try_fault(name: str) -> bool:
    """Spoil a run and say whether it was found and named."""
    fault = FAULTS[name]
    try:
        if fault.spoil is slow_the_names and INSIDE not in os.environ:
            return run_in_own_network(name) == 0
        with tempfile.TemporaryDirectory(dir=_scratch()) as folder:
            verdict = run_once(Path(folder), duration_s=FAULT_S, fault=fault)
    except NotHereError as error:
        print(f"| {name} | not done: {error} | |")
        return True
    naming = [reason for reason in verdict.reasons if re.search(fault.named, reason)]
    found = verdict.verdict == fault.verdict and bool(naming)
    told = (naming or ["NOT NAMED", *verdict.reasons])[0 if naming else slice(None)]
    text = told if isinstance(told, str) else "; ".join(told)
    print(f"| {name} | {verdict.verdict} | {_short(text)} |", flush=True)
    return found


def try_clean(number: int) -> str:
    """A run without a fault: its verdict, marked where the machine itself was not left in peace."""
    before = psutil.cpu_times()
    with tempfile.TemporaryDirectory(dir=_scratch()) as folder:
        verdict = run_once(Path(folder), duration_s=CLEAN_S, fault=None, seed=number + 1)
    stolen = _stolen_since(before)
    if verdict.verdict == "INVALID":
        told = "; ".join(map(_short, verdict.reasons))
        print(f"clean run {number} is INVALID, the host took {stolen:.0%}: {told}", flush=True)
    return f"{verdict.verdict} (not clean)" if stolen > DISTURBED else verdict.verdict


def _stolen_since(before: Any) -> float:
    """Share of the machine's time that its host gave to others, as the kernel counts it."""
    spent = [now - then for now, then in zip(psutil.cpu_times(), before, strict=True)]
    names = before._fields
    return spent[names.index("steal")] / sum(spent) if "steal" in names else 0.0


def _short(reason: str) -> str:
    """Without what to do about it."""
    return reason.removeprefix("the measurement was unfit: ").partition(", limit ")[0]


def _scratch() -> str | None:
    return os.environ.get("TMPDIR")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clean", type=int, default=5, help="clean runs")
    parser.add_argument("--first", type=int, default=0, help="number of the first clean run")
    parser.add_argument("--faults", action="append", choices=[*FAULTS, "none"])
    options = parser.parse_args()
    names = [name for name in options.faults or FAULTS if name != "none"]
    if names and INSIDE not in os.environ:
        print("| Fault | Verdict | The reason that names it |\n|---|---|---|", flush=True)
    found = [try_fault(name) for name in names]
    runs = range(options.first, options.first + options.clean)
    verdicts = Counter(try_clean(number) for number in runs)
    if options.clean:
        told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
        print(f"{options.clean} clean runs of {CLEAN_S:g} s at {RATE_PER_S}/s: {told}")
    return 0 if all(found) and not verdicts["INVALID"] else 1


if __name__ == "__main__":
    sys.exit(main())
