"""The command line as a user starts it: a process of its own, watched from outside.

Everything the command starts is written down while it runs, so that afterwards a test can say
that nothing of it is left, whoever its parent is by then.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil

ROOT = Path(__file__).resolve().parents[2]
TIERS = ROOT / "tiers.yaml"
PALIER = Path(sys.executable).with_name("palier")

LONG_S = 90.0
"""A deadline is there to name what did not happen; none of them is a measurement."""

_POLL_S = 0.05

_LOOK_S = 0.25
"""Reading the process table is work that must not disturb what is measured; parts of a run that
live for a shorter time than this end by themselves."""

Found = TypeVar("Found")


def wait_for(
    fact: Callable[[], Found | None], what: str, deadline_s: float = LONG_S, **shown: Any
) -> Found:
    """The first value that is neither None nor false, or a failure that says what was missing."""
    end = time.monotonic() + deadline_s
    while True:
        found = fact()
        if found:
            return found
        if time.monotonic() > end:
            said = "\n".join(f"{name}: {value}" for name, value in shown.items())
            raise AssertionError(f"not within {deadline_s:g} s: {what}\n{said}")
        time.sleep(_POLL_S)


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """Its stdout, which must be one JSON document and nothing else."""
        found: dict[str, Any] = json.loads(self.stdout)
        return found

    @property
    def errors(self) -> list[str]:
        """Lines of stderr that begin an error message."""
        return [line for line in self.stderr.splitlines() if line.startswith("error: ")]

    def told_no_traceback(self) -> bool:
        """True when nothing on either stream is a stack trace or owns up to a bug."""
        both = self.stdout + self.stderr
        return "Traceback" not in both and "bug of Palier" not in both


@dataclass
class Running:
    """A command that runs. ``seen`` are its descendants so far, and itself."""

    process: subprocess.Popen[bytes]
    stdout: Path
    stderr: Path
    out: Path
    seen: dict[psutil.Process, str] = field(default_factory=dict)
    looked_at: float = 0.0

    def look(self) -> None:
        """Note every process it has at this moment."""
        self.looked_at = time.monotonic()
        try:
            itself = psutil.Process(self.process.pid)
            for one in (itself, *itself.children(recursive=True)):
                # Again each time: right after a fork it is that of its parent.
                self.seen[one] = " ".join(one.cmdline()) or self.seen.get(one, "")
        except psutil.NoSuchProcess:
            return

    def wait_for(self, fact: Callable[[], Found | None], what: str) -> Found:
        """Wait for a fact while the command runs; its early end is a failure."""

        def seen() -> Found | None:
            self._look_now_and_then()
            found = fact()
            if not found and self.process.poll() is not None:
                raise AssertionError(f"ended before {what}:\n{self.stderr.read_text()}")
            return found

        found = wait_for(seen, what)
        self.look()
        return found

    def wait_for_words(self, words: str) -> None:
        """Wait until it has said so on stderr."""
        self.wait_for(lambda: words in self.stderr.read_text(), f"stderr says {words!r}")

    def wait_for_load(self, at_s: float) -> float:
        """Wait until a loader has written a line about second ``at_s`` of the run, or later.

        Returns:
            The time of that line.
        """

        def reached() -> float | None:
            lines = [line for path in self.loader_files() for line in whole_lines(path)]
            latest = max((float(line["at_s"]) for line in lines), default=-1.0)
            return latest if latest >= at_s else None

        return self.wait_for(reached, f"second {at_s:g} of the load")

    def loader_files(self) -> list[Path]:
        """The files of lines that its loaders write."""
        return sorted(self.out.glob("load/worker-*.jsonl"))

    def processes(self, *words: str) -> list[psutil.Process]:
        """Its living descendants whose command line holds all of the words."""
        self.look()
        return [
            one for one, line in self.seen.items() if alive(one) and all(w in line for w in words)
        ]

    def ctrl_c(self) -> None:
        """What a terminal does: the signal goes to the whole foreground process group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process alone."""
        self.process.send_signal(number)

    def end(self, deadline_s: float = LONG_S) -> Ended:
        """Wait for its end."""
        wait_for(
            self._has_ended, "the end of the command", deadline_s, stderr=self.stderr.read_text()
        )
        return Ended(
            exit_code=self.process.returncode,
            stdout=self.stdout.read_text(encoding="utf-8"),
            stderr=self.stderr.read_text(encoding="utf-8"),
        )

    def _look_now_and_then(self) -> None:
        if time.monotonic() - self.looked_at > _LOOK_S:
            self.look()

    def _has_ended(self) -> bool:
        self._look_now_and_then()
        return self.process.poll() is not None

    def left(self) -> list[str]:
        """Command lines of the processes it started that still live."""
        return [line for one, line in self.seen.items() if alive(one)]

    def kill(self) -> None:
        """End it and everything it started, for a test that failed half way."""
        self.look()
        for one in self.seen:
            if alive(one):
                one.kill()
        self.process.wait()


class CommandLine:
    """Starts commands in a folder of their own, with a directory of stacks of their own.

    Args:
        folder: Working directory.
        home: Directory of all stacks.
    """

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.home = home
        self.started: list[Running] = []

    def start(self, *arguments: object, env: Mapping[str, str] | None = None) -> Running:
        """Start ``palier`` with arguments; the project's tiers file where one is needed."""
        words = [str(argument) for argument in arguments]
        if words[0] in ("run", "up", "seed", "show", "tiers") and "--tiers" not in words:
            words += ["--tiers", str(TIERS)]
        name = f"command-{len(self.started)}"
        out = Path(words[words.index("--out") + 1]) if "--out" in words else self.folder / "none"
        stdout, stderr = self.folder / f"{name}.out", self.folder / f"{name}.err"
        with stdout.open("wb") as out_file, stderr.open("wb") as err_file:
            process = subprocess.Popen(
                [PALIER, *words],
                cwd=self.folder,
                env=self._environment() | dict(env or {}),
                stdin=subprocess.DEVNULL,
                stdout=out_file,
                stderr=err_file,
                # A process group of its own, as a shell gives each command.
                start_new_session=True,
            )
        running = Running(process, stdout, stderr, self.folder / out)
        self.started.append(running)
        return running

    def run(self, *arguments: object, env: Mapping[str, str] | None = None) -> Ended:
        """Run a command to its end."""
        return self.start(*arguments, env=env).end()

    def _environment(self) -> dict[str, str]:
        """Ours without what would change where a run goes or what it prints."""
        dropped = ("PALIER_", "PYTEST_", "COV_", "LOCUST_", "NO_COLOR", "FORCE_COLOR")
        kept = {name: v for name, v in os.environ.items() if not name.startswith(dropped)}
        return {**kept, "PALIER_HOME": str(self.home)}

    def stacks(self) -> list[Path]:
        """Directories of stacks that exist."""
        return sorted(self.home.glob("stacks/*"))

    def kill(self) -> None:
        """End what a failed test left running."""
        for running in self.started:
            running.kill()


def alive(process: psutil.Process) -> bool:
    """False for one that has ended, whether or not its parent has noticed."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    """JSON objects of a file that is being written; half a line at the end is left alone."""
    for text in path.read_text(encoding="utf-8").split("\n")[:-1]:
        yield json.loads(text)
