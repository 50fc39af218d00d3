"""What is running or was left behind: one record a stack, readable by the next start.

``<home>/stacks/<token>/record.json``; the folder also holds the stack's data.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from palier.errors import StackError
from palier.stack.identity import ProcessId
from palier.stack.process import ProcessRecord

RECORD_SCHEMA = 1
RECORD_NAME = "record.json"

HOME_VARIABLE = "PALIER_HOME"

Purpose = Literal["run", "up", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StackRecord:
    """One stack as its owner last described it.

    Attributes:
        schema: ``RECORD_SCHEMA``.
        token: Name of the stack; unique on this machine.
        purpose: Who wants it.
        owner: The process it lives and dies with; None for a stack that stays up by itself.
        logs: Directory of the component logs.
        processes: In the order they were started.
        facts: What people and `palier seed` need: tier, url, admin_url ...
    """

    schema: int = RECORD_SCHEMA
    token: str
    purpose: Purpose
    owner: ProcessId | None
    logs: str
    processes: tuple[ProcessRecord, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)

    def stale(self) -> bool:
        """True when its owner has ended without taking it down."""
        return self.owner is not None and not self.owner.alive()


def default_home(environ: Mapping[str, str] = os.environ) -> Path:
    """Directory of all stacks of this user.

    Not below the home directory or the checkout: those are often closed to other users, and a
    PostgreSQL started by root runs as another user. Not ``/tmp``: often memory, and small.
    """
    chosen = environ.get(HOME_VARIABLE)
    return Path(chosen) if chosen else Path(f"/var/tmp/palier-{os.getuid()}")


def ensure_home(home: Path) -> Path:
    """Create the directory, or check that it is ours and nobody else can write to it.

    Raises:
        StackError: Somebody else made it (``/var/tmp`` is open to all), or it cannot be made.
    """
    # Others may pass through (root's PostgreSQL runs as somebody else) but not look around.
    mode = 0o711 if os.getuid() == 0 else 0o700
    try:
        home.mkdir(mode=mode, parents=True, exist_ok=True)
        found = home.lstat()
    except OSError as error:
        raise StackError(
            what=f"cannot create {home}: {error.strerror}",
            where=str(home),
            fix=f"set {HOME_VARIABLE} to a directory you may write to",
        ) from error
    writable_by_others = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or writable_by_others:
        raise StackError(
            what=f"{home} is not a directory that only you can write to",
            where=str(home),
            fix=f"remove it, or set {HOME_VARIABLE} to a directory of your own",
        )
    return home


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Hold the only lock: creating, listing and removing stacks exclude each other."""
    with (ensure_home(home) / "lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def stack_folders(home: Path) -> tuple[Path, ...]:
    """Folder of every stack, running or not, in the order of their names."""
    return tuple(sorted(home.glob("stacks/*/")))


def read_record(folder: Path) -> StackRecord | None:
    """The record of a stack; None when its owner was killed before writing one.

    Raises:
        StackError: It is not a record of ours.
    """
    path = folder / RECORD_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=StackRecord)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise StackError(
            what=f"cannot read a stack's record: {error}",
            where=str(path),
            fix=f"end its processes by hand and remove {folder}",
        ) from error


def write_record(folder: Path, record: StackRecord) -> None:
    """Replace the record in one step, so that a reader sees the old or the new one."""
    new = folder / (RECORD_NAME + ".new")
    # Holds database passwords of the stack.
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(record))
    new.replace(folder / RECORD_NAME)
