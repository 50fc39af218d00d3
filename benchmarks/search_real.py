"""Does `palier search` find what a real server holds? Against M/M/c whose capacity is known.

The server of `palier.selftest.server` has one line, C servers and exponential services; our
arrivals are Poisson. So the rate at which its p95 crosses a limit is known in closed form
(`palier.capacity.queue`), and a search agrees when its interval holds it. Loopback and two event
loops add some tenths of a millisecond to each response, which no formula of the server has: the
truth is the span from the capacity with such a lag to that without any.

    python benchmarks/search_real.py                   one search, some eight minutes
    python benchmarks/search_real.py --all             five
    python benchmarks/search_real.py --case 2 --dir D  one, kept in D; called again it goes on

Exit code 1 when a search disagrees or found nothing, 130 when it was interrupted. Generator and
server get a core each where there are two.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from palier.capacity.answer import Answer
from palier.capacity.log import SearchLog
from palier.capacity.queue import Queue, capacity
from palier.capacity.rules import make_rules
from palier.capacity.targets import search_targets
from palier.model.target import Target
from palier.search import search_tier
from palier.searchfiles import SearchFiles
from palier.selftest.known_server import known_server
from palier.selftest.trial import trial_plan
from palier.stack.cpus import plan_cpus, usable_cores
from palier.stack.ports import free_port
from reports.progress import ProgressDisplay

WIDTH = 0.20
LONGEST_S = 400.0
"""A fifth of the time that searches in virtual time take to a width of 5 %, at twice their rate."""

LAG_S = 0.0003
"""Largest mean of what loopback and the event loops of both sides add on a quiet machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One server and the gate it is searched for."""

    servers: int
    mean_s: float
    fraction: float
    limit_s: float
    start_per_s: float

    @property
    def name(self) -> str:
        return (
            f"M/M/{self.servers}, services of {self.mean_s * 1000:g} ms, "
            f"p{self.fraction * 100:g} < {self.limit_s * 1000:g} ms"
        )

    def truth_per_s(self, lag_s: float) -> float:
        queue = Queue(servers=self.servers, service_per_s=1 / self.mean_s, lag_s=lag_s)
        return capacity(queue, limit_s=self.limit_s, allowed=1 - self.fraction)

    @property
    def targets(self) -> tuple[Target, ...]:
        late = Target(
            id="late",
            role="gate",
            title="Answers are fast",
            metric="response_time",
            percentile=self.fraction,
            comparator="<",
            limit=self.limit_s * 1000,
            unit="ms",
        )
        wrong = Target(
            id="wrong",
            role="gate",
            title="Hardly any request fails",
            metric="error_ratio",
            comparator="<",
            limit=1,
            unit="%",
        )
        return late, wrong


CASES = (
    Case(servers=1, mean_s=0.0005, fraction=0.95, limit_s=0.006, start_per_s=900),
    Case(servers=4, mean_s=0.002, fraction=0.95, limit_s=0.008, start_per_s=1240),
    Case(servers=1, mean_s=0.0004, fraction=0.95, limit_s=0.005, start_per_s=1130),
    Case(servers=4, mean_s=0.0025, fraction=0.95, limit_s=0.010, start_per_s=990),
    Case(servers=4, mean_s=0.002, fraction=0.90, limit_s=0.007, start_per_s=1310),
)
"""At the capacity they are busy for three quarters of the time; a queue that is busier forgets more
slowly, and takes longer to be known. They are fast ones, because what a second tells grows with the
number of its requests."""


def search(number: int, case: Case, folder: Path, *, longest_s: float) -> Answer:
    """The search for one case; in a folder that holds one it goes on."""
    files = SearchFiles(folder)
    if files.log.is_file():
        files.write_log(files.read_log().resumed())
        url = files.read_plan().url
        assert url is not None  # written below
    else:
        url = f"http://127.0.0.1:{free_port()}"
        _begin(files, case, url, seed=number, longest_s=longest_s)
    flags = ["--port", url.rpartition(":")[2], "--servers", str(case.servers)]
    flags += ["--law", f"exponential:{case.mean_s * 1000:g}ms", "--seed", str(number)]
    cores = frozenset(plan_cpus(usable_cores()).system)
    with (
        tempfile.TemporaryDirectory(prefix="palier-search-") as logs,
        known_server(Path(logs) / "answers.npy", flags, cpu_set=cores),
        ProgressDisplay() as display,
    ):
        return search_tier(files, display=display)


def _begin(files: SearchFiles, case: Case, url: str, *, seed: int, longest_s: float) -> None:
    plan = trial_plan(rate_per_s=case.start_per_s, duration_s=60.0, seed=seed)
    plan = replace(plan, url=url, tier=replace(plan.tier, targets=case.targets))
    chosen, _ = search_targets(case.targets)
    rules = make_rules(
        tuple(target.gate for target in chosen),
        start_per_s=case.start_per_s,
        most_per_s=2 / case.mean_s * case.servers,
        width=WIDTH,
        longest_s=longest_s,
        warmup_s=3.0,
    )
    files.as_run.write_plan(plan)
    files.write_log(SearchLog(rules=rules))


def agrees(case: Case, answer: Answer) -> bool:
    return (
        answer.low is not None
        and answer.high is not None
        and answer.low <= case.truth_per_s(0.0)
        and answer.high >= case.truth_per_s(LAG_S)
    )


def row(case: Case, answer: Answer) -> str:
    low, high = (f"{end:.1f}" if end is not None else "open" for end in (answer.low, answer.high))
    width = "" if answer.width is None else f"{answer.width:.1%}"
    truth = f"{case.truth_per_s(LAG_S):.1f}-{case.truth_per_s(0.0):.1f}/s"
    cells = (
        case.name,
        truth,
        f"{low}-{high}/s",
        width,
        f"{answer.guess_per_s:.1f}/s" if answer.guess_per_s else "",
        f"{answer.probes}, {answer.loaded_s:.0f} s",
        answer.end,
        "yes" if agrees(case, answer) else "NO",
    )
    return "| " + " | ".join(cells) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="five searches")
    parser.add_argument("--case", type=int, choices=range(1, len(CASES) + 1), help="only this one")
    parser.add_argument("--dir", type=Path, help="keep the search here, or go on with it")
    parser.add_argument(
        "--longest", type=float, default=LONGEST_S, help="most seconds of load for a search"
    )
    options = parser.parse_args()
    numbers = range(1, len(CASES) + 1) if options.all else [options.case or 1]
    rows, good = [], True
    for number in numbers:
        case = CASES[number - 1]
        with tempfile.TemporaryDirectory(prefix="palier-search-") as folder:
            answer = search(number, case, options.dir or Path(folder), longest_s=options.longest)
        if answer.end == "interrupted":
            return 130
        good = good and agrees(case, answer)
        rows.append(row(case, answer))
    titles = ("server", "capacity", "found", "width", "guess", "probes, load", "end", "agrees")
    print("| " + " | ".join(titles) + " |")
    print("|---" * len(titles) + "|")
    print("\n".join(rows))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
