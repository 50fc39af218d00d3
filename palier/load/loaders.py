"""The load generator's processes: Locust, alone or as a master with workers."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from palier.errors import LoadError

START_S: Final = 120.0
"""Longest time from the first process to everybody being ready. Importing takes a second or two,
the lead-in is bounded by a minute (``scenarios.lead_in``)."""

LOG_LINES: Final = 15

_POLL_S: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class LoaderSpec:
    """What all loaders of a run have in common.

    Attributes:
        scenario: Locustfile.
        plan_path: ``plan.json``.
        folder: Where lines and logs go.
        run: Name of the run.
        url: Service to be driven.
        workers: Loaders that send.
        cpu_set: Processors they may use; None means all.
        extra_env: Added to our environment.
        raw: True to have every request written on its own, too.
        remote_workers: How many of the workers are started by somebody else, on other machines.
        bind_host: Address at which the master listens to workers.
        bind_port: Its port; 0 lets the kernel choose.
    """

    scenario: Path
    plan_path: Path
    folder: Path
    run: str
    url: str
    workers: int
    cpu_set: frozenset[int] | None
    extra_env: Mapping[str, str]
    raw: bool
    remote_workers: int = 0
    bind_host: str = "127.0.0.1"
    bind_port: int = 0

    @property
    def local_workers(self) -> int:
        """Workers that we start."""
        return self.workers - self.remote_workers


class Loader:
    """One process.

    Attributes:
        name: ``worker-0``, ``master``.
        worker: Index of its stripe; None for a master.
    """

    def __init__(
        self, spec: LoaderSpec, name: str, worker: int | None, flags: Sequence[str]
    ) -> None:
        self.name = name
        self.worker = worker
        self.log_path = spec.folder / f"{name}.log"
        receive, send = os.pipe()
        argv = [
            *(sys.executable, "-m", "scenarios.shell", "-f", str(spec.scenario)),
            *("--host", spec.url, "--only-summary", "--loglevel", "INFO"),
            *("--palier-plan", str(spec.plan_path), "--palier-out", str(spec.folder)),
            *("--palier-run", spec.run, "--palier-ready-fd", str(send)),
            *(("--palier-raw",) if spec.raw else ()),
            *flags,
        ]
        try:
            with self.log_path.open("wb") as log:
                self._process = subprocess.Popen(
                    argv,
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=_environment(spec.extra_env),
                    pass_fds=(send,),
                    # A session of its own: the terminal's Ctrl-C reaches us, and we pass it on.
                    start_new_session=True,
                )
        finally:
            os.close(send)
        if spec.cpu_set is not None and hasattr(os, "sched_setaffinity"):
            # Before it starts threads: those inherit it.
            os.sched_setaffinity(self._process.pid, spec.cpu_set)
        self._ready: IO[bytes] = os.fdopen(receive, "rb", buffering=0)

    @property
    def pid(self) -> int:
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs; negative for a signal."""
        return self._process.poll()

    def hear(
        self, deadline: float, others: Sequence[Loader], stopped: Callable[[], bool]
    ) -> dict[str, Any]:
        """Its next message.

        Args:
            deadline: Instant of ``time.monotonic``.
            others: Loaders whose end is as bad as its own.
            stopped: True when nobody wants to wait any longer.

        Raises:
            LoadError: It, or another, ended, or nothing came in time.
            KeyboardInterrupt: ``stopped`` said so.
        """
        text = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._ready, selectors.EVENT_READ)
            while not text.endswith(b"\n"):
                for loader in (self, *others):
                    if loader.exit_code() is not None:
                        raise loader.failed("the load generator ended before it could start")
                if stopped():
                    raise KeyboardInterrupt
                if time.monotonic() > deadline:
                    raise self.failed("the load generator did not get ready in time")
                if selector.select(timeout=_POLL_S):
                    text += self._ready.read(65_536)
        message: dict[str, Any] = json.loads(text)
        return message

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send it a message; one that has ended does not hear it."""
        assert self._process.stdin is not None  # we asked for a pipe
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return

    def interrupt(self) -> None:
        """Ask it to stop sending and write its last line."""
        if self.exit_code() is None:
            self._process.send_signal(signal.SIGINT)

    def dismiss(self) -> None:
        """End its stdin, which it takes as a sign to go."""
        assert self._process.stdin is not None  # we asked for a pipe
        with suppress(BrokenPipeError):  # it was gone already
            self._process.stdin.close()

    def end(self, patience_s: float) -> None:
        """See it gone: dismissed, waited for, then killed."""
        self.dismiss()
        self._ready.close()
        try:
            self._process.wait(timeout=patience_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it and everything it started, now."""
        if self.exit_code() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def failed(self, what: str) -> LoadError:
        """The error for its failure, with the end of its log."""
        code = self.exit_code()
        tail = "\n    ".join(self._log_end())
        ended = "" if code is None else f" (exit code {code})"
        return LoadError(
            what=f"{what}{ended}:\n    {tail}",
            where=str(self.log_path),
            fix="the last lines above say why; `locust -f SCENARIO --host URL` tries it alone",
        )

    def _log_end(self) -> list[str]:
        lines = self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        return lines[-LOG_LINES:] or ["(its log is empty)"]


class Loaders:
    """All processes of the load generator. Leaving the ``with`` block ends them.

    Args:
        spec: What they have in common.
        stopped: True when somebody does not want to wait for the start any longer.
        on_listening: Told the port at which a master waits for workers.

    Attributes:
        port: That port; 0 when there is no master.
    """

    def __init__(
        self,
        spec: LoaderSpec,
        *,
        stopped: Callable[[], bool],
        on_listening: Callable[[int], None] = lambda _port: None,
    ) -> None:
        self.port = 0
        self._spec = spec
        self._stopped = stopped
        self._on_listening = on_listening
        self._all: list[Loader] = []

    def __enter__(self) -> Loaders:
        return self

    def __exit__(self, *_: object) -> None:
        for loader in self._all:
            loader.kill()
            loader.end(0.0)

    @property
    def pids(self) -> tuple[int, ...]:
        """Processes that have not ended."""
        return tuple(loader.pid for loader in self._all if loader.exit_code() is None)

    @property
    def local_workers(self) -> int:
        """Senders that run on this machine; their indexes come first."""
        return self._spec.local_workers

    @property
    def senders(self) -> list[Loader]:
        """Those that send requests."""
        return [loader for loader in self._all if loader.worker is not None]

    def start(self) -> list[dict[str, Any]]:
        """Start them and wait until every one is ready.

        Returns:
            What each sender says of its lead-in.

        Raises:
            LoadError: One ended, or was not ready in time.
            KeyboardInterrupt: Somebody does not want to wait any longer.
        """
        deadline = time.monotonic() + START_S
        spec = self._spec
        if spec.workers == 1 and not spec.remote_workers:
            self._start("worker-0", 0, "--headless", "-u", "1", "-r", "1")
        else:
            master = self._start(
                *("master", None, "--headless", "--master", "-u", str(spec.workers), "-r", "100"),
                *("--expect-workers", str(spec.workers), "--palier-local", str(spec.local_workers)),
                *("--master-bind-host", spec.bind_host, "--master-bind-port", str(spec.bind_port)),
            )
            self.port = int(master.hear(deadline, (), self._stopped)["port"])
            self._on_listening(self.port)
            host = "127.0.0.1" if spec.bind_host in ("*", "0.0.0.0") else spec.bind_host
            for worker in range(spec.local_workers):
                self._start(
                    *(f"worker-{worker}", worker, "--worker", "--palier-worker", str(worker)),
                    *("--master-host", host, "--master-port", str(self.port)),
                )
        first, others = self._all[0], self._all[1:]
        reports: list[dict[str, Any]] = first.hear(deadline, others, self._stopped)["ready"]
        return reports

    def begin(self, t0_ns: int) -> None:
        """Give everybody the start of the run, an instant of CLOCK_MONOTONIC."""
        self._all[0].tell({"t0_ns": t0_ns})

    @property
    def master(self) -> Loader | None:
        """The master; None when a single loader sends."""
        return next((loader for loader in self._all if loader.worker is None), None)

    def abort(self) -> None:
        """Tell every sender that the run ends by one of its own rules."""
        self._all[0].tell({"abort": True})

    def kill_worker(self, worker: int) -> None:
        """End one sender now; one on another machine is out of our reach."""
        for loader in self.senders:
            if loader.worker == worker:
                loader.kill()

    def fence(self, worker: int) -> None:
        """Have the master take nothing more from a worker; it notes where that was."""
        self._all[0].tell({"fence": worker})

    def hand_over(self, parts: Sequence[Mapping[str, Any]]) -> None:
        """Give each of the others its part of a lost worker's work."""
        if parts:
            self._all[0].tell({"take_over": list(parts)})

    def interrupt(self) -> None:
        """Ask all senders to stop; the master goes with the last of them."""
        for loader in self.senders:
            loader.interrupt()

    def kill(self) -> None:
        """End all of them now."""
        for loader in self._all:
            loader.kill()

    def end(self, patience_s: float) -> None:
        """See all of them gone."""
        deadline = time.monotonic() + patience_s
        for loader in self._all:
            loader.dismiss()
        for loader in self._all:
            loader.end(max(deadline - time.monotonic(), 0.0))

    def _start(self, name: str, worker: int | None, *flags: str) -> Loader:
        loader = Loader(self._spec, name, worker, flags)
        self._all.append(loader)
        return loader


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Ours without Locust's own settings, which would change what we ask of it."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    return {**ours, "PYTHONUNBUFFERED": "1", **extra}
