"""What load generators say of a server that stands still, and what really happened.

The server answers after 50 ms. In one test it stands still for 3 s in the middle of 20 s, in the
other for the last 5 s. 200 users a second arrive all the while; what they wait is the truth, from
the log of the server and the instants of the arrivals. Each tool runs against a server of its own.
Tools that are not installed are left out, and named.

    python benchmarks/freeze_comparison.py                Palier alone, a minute
    python benchmarks/freeze_comparison.py --all          every tool that is installed
    python benchmarks/freeze_comparison.py --tool wrk     one of them; the others' results stay
    python benchmarks/freeze_comparison.py --draw         only the figures, from the kept results

With a tool named, results go to docs/images/freeze.json and are drawn beside it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent / "support"))

from freeze_figures import draw
from freeze_tools import RATE_PER_S, TOOLS, is_here

from palier.selftest.known_server import known_server
from palier.selftest.trial import Cores, run_trial, trial_plan

WINDOW_S = 20
TESTS = {
    "middle": ("--law", "constant:50ms", "--freeze", "3s/20s"),
    "end": ("--law", "constant:50ms", "--stop-answering-at", "15s"),
}
IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
RESULTS = IMAGES / "freeze.json"


def measure_palier(test: str, folder: Path) -> dict[str, Any]:
    """Palier's own report and the truth, of one run."""
    plan = trial_plan(rate_per_s=RATE_PER_S, duration_s=WINDOW_S)
    trial = run_trial(
        folder, plan, TESTS[test], cores=Cores.one_each(), fractions=(0.5, 0.95, 0.99, 1.0)
    )
    names = ("p50_ms", "p95_ms", "p99_ms", "max_ms")
    reported = dict(zip(names, trial.comparisons, strict=True))
    never = int(np.isinf(trial.true_s).sum())
    order = np.argsort(trial.at_s, kind="stable")
    return {
        "Palier": {
            "tool": "Palier",
            "command": "python benchmarks/freeze_comparison.py",
            "requests": trial.succeeded,
            "errors": trial.planned - trial.succeeded,
            "exit_code": None,
            "at_least": [name for name, one in reported.items() if one.at_least],
            **{name: 1000 * one.reported_s for name, one in reported.items()},
        },
        "truth": {
            "tool": "what happened",
            "command": "",
            "requests": trial.planned - never,
            "errors": never,
            "exit_code": None,
            **{
                name: None if np.isinf(one.true_s) else 1000 * one.true_s
                for name, one in reported.items()
            },
            # For the figure: every fourth user, when they came and what they waited.
            "at_s": [round(float(at_s), 3) for at_s in trial.at_s[order][::4]],
            "waited_s": [
                None if np.isinf(waited_s) else round(float(waited_s), 4)
                for waited_s in trial.true_s[order][::4]
            ],
        },
    }


def measure(name: str, test: str) -> dict[str, Any]:
    """What one tool says, by name; with Palier the truth."""
    with tempfile.TemporaryDirectory(prefix="palier-freeze-") as text:
        folder = Path(text)
        if name == "Palier":
            return measure_palier(test, folder)
        log = folder / "answers.npy"
        with known_server(log, TESTS[test], cpu_set=Cores.one_each().server) as server:
            return {name: asdict(TOOLS[name](server.url, WINDOW_S, folder))}


def measure_all(names: Sequence[str], test: str) -> dict[str, Any]:
    """What several tools say, side by side: at this rate they share a core without noticing."""
    found: dict[str, Any] = {}
    others = [name for name in names if name != "Palier"]
    with ThreadPoolExecutor(max(len(others), 1)) as pool:
        running = [pool.submit(measure, name, test) for name in others]
        if "Palier" in names:
            found |= measure("Palier", test)
        for one in running:
            found |= one.result()
    return found


def table(results: dict[str, dict[str, Any]]) -> str:
    lines = []
    for test, title in (
        ("middle", "frozen for 3 s in mid-run"),
        ("end", "frozen for the last 5 s"),
    ):
        lines.append(
            f"\n{title:34}{'answered':>9}{'wrong':>7}"
            + "".join(f"{name:>12}" for name in ("p50 ms", "p95 ms", "p99 ms", "max ms"))
        )
        for name in ("truth", "Palier", *TOOLS):
            row = results.get(test, {}).get(name)
            if row is None:
                continue
            figures = "".join(
                f"{_figure(row, key):>12}" for key in ("p50_ms", "p95_ms", "p99_ms", "max_ms")
            )
            lines.append(
                f"{row['tool']:34}{_whole(row['requests']):>9}{_whole(row['errors']):>7}{figures}"
            )
    return "\n".join(lines)


def _figure(row: dict[str, Any], key: str) -> str:
    value = row[key]
    if value is None:
        return "never" if row["tool"] == "what happened" else "-"
    return f"{'>=' if key in row.get('at_least', ()) else ''}{value:,.0f}"


def _whole(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def main() -> int:
    flags = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    flags.add_argument("--all", action="store_true", help="every tool that is installed")
    flags.add_argument("--tool", action="append", choices=["Palier", *TOOLS], default=[])
    flags.add_argument("--test", action="append", choices=TESTS, default=[])
    flags.add_argument("--draw", action="store_true", help="only draw the kept results")
    options = flags.parse_args()
    wanted = ["Palier", *TOOLS] if options.all else options.tool
    missing = [name for name in wanted if name != "Palier" and not is_here(name)]
    if missing:
        print(f"not installed, left out: {', '.join(missing)}")
    keeps = bool(wanted) or options.draw
    kept = json.loads(RESULTS.read_text()) if keeps and RESULTS.exists() else {}
    results: dict[str, dict[str, Any]] = {test: kept.get(test, {}) for test in TESTS}
    names = [] if options.draw else [name for name in wanted or ["Palier"] if name not in missing]
    for test in options.test or TESTS:
        results[test].update(measure_all(names, test))
    print(table(results))
    if keeps:
        RESULTS.write_text(json.dumps(results) + "\n")
        for path in draw(results, IMAGES):
            print(f"drawn: {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
