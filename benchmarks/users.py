"""What ten thousand sessions in progress weigh.

2,500 arrivals a second against a server that takes four seconds to answer: ten thousand visitors
wait at once, each with a connection, a greenlet and a user of its own. Resident memory of the
loader, as its own lines have it; Python, Locust and the schedule are in it.

    python benchmarks/users.py
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Final

from palier.load.archive import LEDGER_FILE, read_ledger
from palier.load.driver import drive
from palier.selftest.known_server import known_server
from palier.selftest.trial import trial_plan

WANTED: Final = 10_000
LIMIT_MIB: Final = 400 * 1e6 / 2**20
PER_S: Final = 2_500
ANSWER_S: Final = 4
WINDOW_S: Final = 7.0
TIMEOUT_S: Final = 20.0
"""Nobody times out, however slow this machine is."""


def main() -> None:
    plan = trial_plan(rate_per_s=PER_S, duration_s=WINDOW_S, timeout_s=TIMEOUT_S)
    with tempfile.TemporaryDirectory(prefix="palier-users-") as name:
        run_dir = Path(name) / "run"
        with known_server(Path(name) / "log.npy", ("--law", f"constant:{ANSWER_S}s")) as server:
            drive(plan, run_dir=run_dir, url=server.url)
        ledger = read_ledger(run_dir / LEDGER_FILE).sum(numeric_only=True)
        text = (run_dir / "load" / "worker-0.jsonl").read_text(encoding="utf-8")
    healths = [json.loads(line)["health"] for line in text.splitlines()]
    sessions = max(health["sessions"] for health in healths)
    memory_mib = max(health["memory_mib"] for health in healths)
    start_mib = healths[0]["memory_mib"]
    verdict = "held" if sessions >= WANTED and memory_mib <= LIMIT_MIB else "not held"
    print(f"planned {ledger['planned']:,.0f}, answered right {ledger['succeeded']:,.0f}")
    print(f"{sessions:,} sessions at once, resident memory {memory_mib:,.0f} MiB: {verdict}")
    print(f"{(memory_mib - start_mib) / sessions * 1024:,.1f} KiB for each beyond the first line's")


if __name__ == "__main__":
    main()
