"""Ending what earlier commands left behind: killed runs, and stacks that were left up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from palier.stack.database import database_name, drop_database
from palier.stack.postgres import use_server
from palier.stack.redis_server import forget_keys
from palier.stack.registry import (
    StackRecord,
    default_home,
    locked,
    read_record,
    stack_folders,
)
from palier.stack.signals import shielded
from palier.stack.workspace import end_recorded, take_down


@dataclass(frozen=True, slots=True, kw_only=True)
class DownReport:
    """What ``down_all`` did. Tokens of stacks."""

    ended: tuple[str, ...]
    left_running: tuple[StackRecord, ...]
    """Stacks of commands that are still running: those end theirs themselves."""


def list_stacks(home: Path | None = None) -> tuple[StackRecord, ...]:
    """Every recorded stack of this user."""
    home = default_home() if home is None else home
    with locked(home):
        records = [read_record(folder) for folder in stack_folders(home)]
    return tuple(record for record in records if record is not None)


def cleanup_stale(home: Path | None = None) -> tuple[str, ...]:
    """End what killed commands left; called before every start.

    Returns:
        Tokens of the stacks it ended.
    """
    return _end_stacks(home, StackRecord.stale).ended


def down_all(home: Path | None = None) -> DownReport:
    """End every stack that stays up by itself or has lost its owner."""
    return _end_stacks(home, lambda record: record.owner is None or record.stale())


def _end_stacks(home: Path | None, wanted: Callable[[StackRecord], bool]) -> DownReport:
    home = default_home() if home is None else home
    ended = []
    left_running = []
    with locked(home), shielded():
        for folder in stack_folders(home):
            record = read_record(folder)
            # Folder and record are made under this lock: without a record, its maker was killed.
            if record is None or wanted(record):
                end_recorded(folder, record)
                _drop_elsewhere(record)
                take_down(folder, record)
                ended.append(folder.name)
            else:
                left_running.append(record)
    return DownReport(ended=tuple(ended), left_running=tuple(left_running))


def _drop_elsewhere(record: StackRecord | None) -> None:
    """Remove what a detached stack made on somebody's servers."""
    if record is None:
        return
    if "maintenance_url" in record.facts:
        drop_database(use_server(record.facts["maintenance_url"]), database_name(record.token))
    if "redis_url" in record.facts:
        forget_keys(record.facts["redis_url"], record.token)
