"""What other load generators say of a server that stands still: each run as its manual says.

Every tool is asked for 200 requests a second where it can be asked for a rate, and gets ten
connections where it cannot: answers take 50 ms, so that is 200 a second, too.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent

RATE_PER_S = 200
CONNECTIONS = 10
HANGS_S = 25.0
"""A tool that has not ended so long after its time waits for what will not come."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a tool reports; times in milliseconds, None where it reports none.

    Attributes:
        tool: Its name and version.
        command: What was typed; the port differs each time.
        requests: Requests it counts as answered.
        errors: What it counts as wrong.
        exit_code: None when it had to be ended.
    """

    tool: str
    command: str
    requests: int | None
    errors: int | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    exit_code: int | None


@dataclass(frozen=True)
class Ended:
    stdout: str
    exit_code: int | None


def run(command: Sequence[str], *, seconds: float) -> Ended:
    """Run a tool; one that hangs is ended."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds + HANGS_S, check=False
        )
    except subprocess.TimeoutExpired as hung:
        return Ended((hung.stdout or b"").decode(), None)  # bytes, whatever was asked for
    return Ended(done.stdout, done.returncode)


def shown(command: Sequence[str]) -> str:
    """A command without where things lie on this machine."""
    words = ["URL" if word.startswith("http://") else Path(word).name for word in command]
    return " ".join("python" if word.startswith("python") else word for word in words)


def wrk(url: str, seconds: int, _folder: Path) -> Said:
    script = str(HERE / "wrk_report.lua")
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script, f"{url}/"]
    ended = run(command, seconds=seconds)
    lines = [line for line in ended.stdout.splitlines() if line.startswith("{")]
    told = json.loads(lines[-1]) if lines else {}
    return Said(
        tool="wrk",
        command=shown(command),
        requests=told.get("requests"),
        errors=told.get("errors"),
        p50_ms=told.get("p50"),
        p95_ms=told.get("p95"),
        p99_ms=told.get("p99"),
        max_ms=told.get("max"),
        exit_code=ended.exit_code,
    )


def ab(url: str, seconds: int, _folder: Path) -> Said:
    # -t alone would stop at 50,000 requests.
    command = ["ab", "-q", "-k", "-c", str(CONNECTIONS), "-t", str(seconds), "-n", "1000000"]
    command.append(f"{url}/")
    ended = run(command, seconds=seconds)
    words = [line.split() for line in ended.stdout.splitlines()]
    shares = {w[0]: float(w[1]) for w in words if len(w) > 1 and w[0].endswith("%")}
    counts = {" ".join(w[:2]): int(w[2]) for w in words if len(w) == 3 and w[2].isdigit()}
    return Said(
        tool="ab",
        command=shown(command),
        requests=counts.get("Complete requests:"),
        errors=counts.get("Failed requests:"),
        p50_ms=shares.get("50%"),
        p95_ms=shares.get("95%"),
        p99_ms=shares.get("99%"),
        max_ms=shares.get("100%"),
        exit_code=ended.exit_code,
    )


def hey(url: str, seconds: int, _folder: Path) -> Said:
    each = RATE_PER_S // CONNECTIONS
    command = ["hey", "-z", f"{seconds}s", "-c", str(CONNECTIONS), "-q", str(each), f"{url}/"]
    ended = run(command, seconds=seconds)
    words = [line.split() for line in ended.stdout.splitlines()]
    shares = {w[0]: 1000 * float(w[2]) for w in words if len(w) == 4 and w[1] == "in"}
    slowest = [1000 * float(w[1]) for w in words if len(w) == 3 and w[0] == "Slowest:"]
    answered = [int(w[1]) for w in words if len(w) == 3 and w[2] == "responses"]
    errors = [
        int(w[0][1:-1])
        for w in words
        if w and w[0].startswith("[") and w[-1] != "responses" and w[0][1:-1].isdigit()
    ]
    return Said(
        tool="hey",
        command=shown(command),
        requests=sum(answered) if answered else None,
        errors=sum(errors),
        p50_ms=shares.get("50%"),
        p95_ms=shares.get("95%"),
        p99_ms=shares.get("99%"),
        max_ms=slowest[0] if slowest else None,
        exit_code=ended.exit_code,
    )


def autocannon(url: str, seconds: int, _folder: Path) -> Said:
    command = ["autocannon", "-c", str(CONNECTIONS), "-R", str(RATE_PER_S), "-d", str(seconds)]
    command += ["-j", f"{url}/"]
    ended = run(command, seconds=seconds)
    told = json.loads(ended.stdout) if ended.stdout.startswith("{") else {}
    latency = told.get("latency", {})
    return Said(
        tool="autocannon",
        command=shown(command),
        requests=told.get("2xx"),
        errors=told.get("errors"),
        p50_ms=latency.get("p50"),
        p95_ms=None,  # it gives p90 and p97.5
        p99_ms=latency.get("p99"),
        max_ms=latency.get("max"),
        exit_code=ended.exit_code,
    )


def locust(url: str, seconds: int, folder: Path) -> Said:
    command = [
        *(sys.executable, "-m", "locust", "-f", str(HERE / "freeze_locustfile.py"), "--headless"),
        *("-u", "20", "-r", "20", "--run-time", f"{seconds}s", "--csv", str(folder / "locust")),
        *("--only-summary", "--host", url),
    ]
    ended = run(command, seconds=seconds)
    with (folder / "locust_stats.csv").open(newline="") as file:
        total = next(row for row in csv.DictReader(file) if row["Name"] == "Aggregated")
    return Said(
        tool="Locust",
        command=shown(command),
        requests=int(total["Request Count"]),
        errors=int(total["Failure Count"]),
        p50_ms=float(total["50%"]),
        p95_ms=float(total["95%"]),
        p99_ms=float(total["99%"]),
        max_ms=float(total["100%"]),
        exit_code=ended.exit_code,
    )


TOOLS: dict[str, Callable[[str, int, Path], Said]] = {
    "Locust": locust,
    "wrk": wrk,
    "ab": ab,
    "hey": hey,
    "autocannon": autocannon,
}


def is_here(name: str) -> bool:
    """Whether a tool is installed; Locust is our own engine."""
    return name == "Locust" or shutil.which(name) is not None
