"""Planned = accounted for, exactly, whatever happens: short runs that chance disturbs.

Each run follows from its seed: load, loaders, time-outs, what the server does to which request
(resets, half answers, wrong lengths, silence), and what happens beside (a worker or the server
killed or stopped, Ctrl-C). Afterwards every row of the ledger must close, plan nothing but the
schedule, agree with every histogram, and with what the server itself saw.

    python benchmarks/identity.py                 a few runs
    python benchmarks/identity.py --runs 200      the bar: some ten minutes on two quiet cores
    python benchmarks/identity.py --seed 17       one of them again, alone

Exit code 1 when something is not accounted for.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

from identity_case import audit, draw_case, play

SHORT = 6
AT_ONCE = 3
"""Runs side by side: times do not matter here, only what becomes of each request."""

PATIENCE_S = 240.0
"""A run is over after some ten seconds; this is for machines that do much else."""


def run_alone(seed: int) -> int:
    case = draw_case(seed)
    print(case, flush=True)
    with tempfile.TemporaryDirectory(prefix="palier-identity-") as name:
        folder = Path(name)
        try:
            result = play(case, folder)
        except KeyboardInterrupt:
            print("  stopped before the first request")
            return 0
        problems = audit(case, result, folder)
    for problem in problems:
        print(f"  NOT ACCOUNTED FOR: {problem}")
    return 1 if problems else 0


def run_in_a_process(seed: int) -> tuple[int, int, str]:
    """A process of its own: Ctrl-C goes to one run, not to all."""
    command = [sys.executable, __file__, "--seed", str(seed)]
    try:
        child = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return seed, 1, f"seed {seed}: DID NOT END within {PATIENCE_S:g} s"
    return seed, child.returncode, child.stdout + child.stderr


def main() -> int:
    flags = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    flags.add_argument("--runs", type=int, default=SHORT, help="how many seeds")
    flags.add_argument("--first", type=int, default=1, help="the first of them")
    flags.add_argument("--seed", type=int, help="this one alone")
    flags.add_argument("--at-once", type=int, default=AT_ONCE)
    options = flags.parse_args()
    if options.seed is not None:
        return run_alone(options.seed)
    seeds = range(options.first, options.first + options.runs)
    failing = []
    happened: Counter[str] = Counter(draw_case(seed).disturbance for seed in seeds)
    with ThreadPoolExecutor(options.at_once) as pool:
        for seed, code, said in pool.map(run_in_a_process, seeds):
            print(said.rstrip(), flush=True)
            if code:
                failing.append(seed)
    print(f"{len(seeds)} runs: " + ", ".join(f"{n} x {what}" for what, n in happened.items()))
    if failing:
        print(f"NOT all accounted for: seeds {', '.join(map(str, failing))}")
        return 1
    print("every planned request is accounted for in every run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
