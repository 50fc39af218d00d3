"""The command line in a folder and with stacks of its own, and one run that many tests read."""

from __future__ import annotations

import fcntl
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from command_line import CommandLine, Ended


@pytest.fixture
def palier(tmp_path: Path, stacks_home: Path) -> Iterator[CommandLine]:
    """Starts commands; at the end nothing they started is left, nor any directory of a stack."""
    commands = CommandLine(tmp_path, stacks_home)
    try:
        yield commands
        left = [line for running in commands.started for line in running.left()]
        assert left == [], "processes outlived their command"
    finally:
        commands.kill()


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """`palier run lou-0 --duration 5s --json`, once for all test workers: directory and end."""
    base = tmp_path_factory.getbasetemp()
    if tmp_path_factory.getbasetemp().name.startswith("popen-"):
        base = base.parent  # a worker of pytest-xdist: its siblings share this
    folder = base / "finished-run"
    with (base / "finished-run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = folder / "told.json"
        if not told.exists():
            _run_once(folder, told)
    return folder / "run", Ended(**json.loads(told.read_text()))


def _run_once(folder: Path, told: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    home = Path(tempfile.mkdtemp(prefix="palier-test-", dir="/var/tmp"))
    home.chmod(0o711)
    commands = CommandLine(folder, home)
    try:
        running = commands.start("run", "lou-0", "--duration", "5s", "--json", "--out", "run")
        ended = running.end()
        assert running.left() == []
        assert commands.stacks() == []
    finally:
        commands.kill()
        shutil.rmtree(home)
    told.write_text(json.dumps(vars(ended)))
