"""The place one stack lives in: its folder, its logs, its record and its processes."""

from __future__ import annotations

import dataclasses
import os
import pwd
import secrets
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from palier.errors import StackError
from palier.stack.health import failure
from palier.stack.identity import this_process
from palier.stack.process import Child, end, end_strays, start_process
from palier.stack.registry import (
    Purpose,
    StackRecord,
    default_home,
    locked,
    write_record,
)
from palier.stack.signals import shielded

_UNPRIVILEGED_NAMES = ("nobody", "postgres", "daemon")


class Workspace:
    """Owns everything a stack leaves on this machine; ``close`` takes all of it away.

    Attributes:
        token: Name of the stack: hexadecimal, unique on this machine.
        home: Directory of all stacks.
        folder: Data of the components; the working directory of all of them.
        logs: One ``<component>.log`` each; kept when it lies outside ``folder``.
    """

    def __init__(self, *, home: Path, folder: Path, record: StackRecord) -> None:
        self.token = record.token
        self.folder = folder
        self.logs = Path(record.logs)
        self.home = home
        self._record = record
        self._children: list[Child] = []

    @classmethod
    def create(
        cls,
        *,
        purpose: Purpose,
        logs: Path | None = None,
        detached: bool = False,
        home: Path | None = None,
    ) -> Self:
        """A new empty workspace, recorded before anything happens in it.

        Args:
            purpose: Who wants it.
            logs: Directory for logs; None puts them into the folder, where they end with it.
            detached: True when the stack must outlive this process.
            home: Directory of all stacks; None for the user's.
        """
        home = default_home() if home is None else home.absolute()
        token = secrets.token_hex(5)
        with locked(home):
            folder = home / "stacks" / token
            folder.mkdir(parents=True)
            for directory in (folder.parent, folder):
                # Whatever the umask: root's PostgreSQL passes through as another user.
                directory.chmod(0o711 if os.getuid() == 0 else 0o700)
            logs = folder / "logs" if logs is None else logs.absolute()
            record = StackRecord(
                token=token,
                purpose=purpose,
                owner=None if detached else this_process(),
                logs=str(logs),
            )
            write_record(folder, record)
        logs.mkdir(parents=True, exist_ok=True)
        return cls(home=home, folder=folder, record=record)

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        signals: tuple[str, ...] = ("SIGTERM",),
        unprivileged: bool = False,
        cpus: Sequence[int] = (),
    ) -> Child:
        """Start a component and record it before the caller can rely on it.

        Args:
            name: Component; also the name of its log.
            argv: Program (absolute path) and arguments.
            env: Its whole environment.
            signals: Names of the signals that end it, politest first.
            unprivileged: Give up root, when we are root.
            cpus: Cores it may use; empty means all.
        """
        with shielded():
            child = start_process(
                name=name,
                argv=argv,
                env=env,
                folder=self.folder,
                log_path=self.logs / f"{name}.log",
                signals=signals,
                user=unprivileged_user() if unprivileged else None,
                cpus=cpus,
                outlives_us=self.detached,
            )
            self._children.append(child)
            self._write(processes=(*self._record.processes, child.record))
        return child

    def run(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        deadline_s: float,
        unprivileged: bool = False,
    ) -> None:
        """Run a program to its end.

        Raises:
            StackError: It failed or took longer than ``deadline_s``; with its last lines.
        """
        child = self.start(name, argv, env=env, unprivileged=unprivileged)
        try:
            exit_code = child.wait(deadline_s)
        finally:
            self.stop(child)
        if exit_code != 0:
            what = (
                f"{name} was not done after {deadline_s:g} s"
                if exit_code is None
                else f"{name} failed with exit code {exit_code}"
            )
            raise failure(what, component=name, process=child, fix="read the log")

    def stop(self, child: Child) -> None:
        """End a component with all it started, and forget it."""
        child.stop()
        end_strays(self.folder, frozenset({child.pid}), postgres=False)
        self._children.remove(child)
        self._write(processes=tuple(p for p in self._record.processes if p != child.record))

    def make_private_directory(self, name: str) -> Path:
        """A new directory in the folder for a component that has given up root."""
        path = self.folder / name
        path.mkdir(mode=0o700)
        _give_away(path)
        return path

    def write_private_file(self, name: str, text: str) -> Path:
        """A file in the folder that only such a component (and root) can read; replaces one."""
        path = self.folder / name
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        _give_away(path)
        return path

    def note(self, **facts: str) -> None:
        """Add facts for people and other commands to the record."""
        self._write(facts={**self._record.facts, **facts})

    @property
    def record(self) -> StackRecord:
        """What another process can read about this stack now."""
        return self._record

    @property
    def detached(self) -> bool:
        """True when the stack outlives this process."""
        return self._record.owner is None

    def let_go(self) -> StackRecord:
        """Leave a detached stack to itself; ``cleanup.down_all`` will end it."""
        for child in self._children:
            child.let_go()
        self._children.clear()
        return self._record

    def end_processes(self) -> None:
        """End every component, last started first; one that resists does not save the others."""
        with shielded(), ExitStack() as every_one:
            for child in self._children.copy():
                every_one.callback(self.stop, child)

    def close(self) -> None:
        """End every process and remove the folder. Idempotent."""
        with shielded(), ExitStack() as both:
            both.callback(lambda: take_down(self.folder, self._record))
            if self.folder.exists():
                self.end_processes()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _write(self, **changes: object) -> None:
        self._record = dataclasses.replace(self._record, **changes)  # type: ignore[arg-type]
        write_record(self.folder, self._record)


def end_recorded(folder: Path, record: StackRecord | None) -> None:
    """End the processes of a stack, whoever started them.

    Raises:
        StackError: A process does not end.
    """
    processes = () if record is None else record.processes
    sessions = frozenset(process.process.pid for process in processes)
    with ExitStack() as every_one:
        every_one.callback(end_strays, folder, sessions, postgres=True)
        for process in processes:
            every_one.callback(end, process)


def take_down(folder: Path, record: StackRecord | None) -> None:
    """End the processes of a stack and remove its folder.

    Raises:
        StackError: A process does not end, or the folder cannot be removed.
    """
    end_recorded(folder, record)
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StackError(
            what=f"cannot remove the data of an ended stack: {error}",
            where=str(folder),
            fix="remove it by hand",
        ) from error


def _give_away(path: Path) -> None:
    """Let the user own it that components give up root for."""
    user = unprivileged_user()
    if user is not None:
        shutil.chown(path, *user)


def unprivileged_user() -> tuple[int, int] | None:
    """uid and gid to give up root for; None when we are not root.

    Raises:
        StackError: The machine has no such user.
    """
    if os.getuid() != 0:
        return None
    for name in _UNPRIVILEGED_NAMES:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return user.pw_uid, user.pw_gid
    raise StackError(
        what="PostgreSQL refuses to run as root, and there is no user to run it as",
        where="/etc/passwd",
        fix="create a user named nobody, or run palier as an ordinary user",
    )
