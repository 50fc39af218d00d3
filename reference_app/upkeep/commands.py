"""The commands: options in, one result out that can be written as JSON."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any

import msgspec

from reference_app.upkeep.archive import archive
from reference_app.upkeep.backup import make_backup
from reference_app.upkeep.backup_log import Entry, read_log, record_test
from reference_app.upkeep.clean import clean
from reference_app.upkeep.database import connect
from reference_app.upkeep.errors import UpkeepError, VerificationError
from reference_app.upkeep.manifest import DUMP, check_files
from reference_app.upkeep.overdue import overdue
from reference_app.upkeep.partitions import turn_months
from reference_app.upkeep.programs import find_programs
from reference_app.upkeep.restore import restore
from reference_app.upkeep.retention import kept
from reference_app.upkeep.storage import Backup, Storage
from reference_app.upkeep.vacuum import vacuum


class Listed(msgspec.Struct, frozen=True):
    """A backup as ``list`` shows it."""

    name: str
    at: datetime
    size_bytes: int


def run_archive(options: argparse.Namespace) -> Any:
    with connect(options.url) as connection:
        done = archive(connection, options.now, options.batch)
    if done.again:
        raise VerificationError(
            f"{done.moved} stays moved, but archived earlier and written anew were:"
            f" {', '.join(map(str, done.again))}",
            fix="compare the rows in reservations and reservations_archive, delete the wrong one",
        )
    return done


def run_clean(options: argparse.Namespace) -> Any:
    with connect(options.url) as connection:
        deleted = clean(connection, options.now, options.batch)
        return {"deleted": deleted, "vacuumed": vacuum(connection)}


def run_vacuum(options: argparse.Namespace) -> Any:
    with connect(options.url) as connection:
        return {"vacuumed": vacuum(connection)}


def run_partitions(options: argparse.Namespace) -> Any:
    with connect(options.url) as connection:
        return turn_months(connection, options.now)


def run_backup(options: argparse.Namespace) -> Any:
    return make_backup(
        options.url,
        Storage(options.to),
        options.copy_to,
        options.now,
        find_programs(options.bin_dir),
    )


def run_list(options: argparse.Namespace) -> Any:
    return [
        Listed(each.path.name, each.at, (each.path / DUMP).stat().st_size)
        for each in Storage(options.storage).backups()
    ]


def run_prune(options: argparse.Namespace) -> Any:
    storage = Storage(options.storage)
    with storage.locked():
        backups = storage.backups()
        stay = kept((each.at for each in backups), options.now)
        leaving = [each for each in backups if each.at not in stay]
        if not options.dry_run:
            for each in leaving:
                storage.remove(each)
    return {
        "kept": [each.path.name for each in backups if each.at in stay],
        "removed": [each.path.name for each in leaving],
    }


def run_check(options: argparse.Namespace) -> Any:
    checked = []
    for path in options.storage:
        backup = _chosen(Storage(path), None)
        check_files(backup.path)
        checked.append(str(backup.path))
    with connect(options.url) as connection:
        problems = overdue(read_log(connection), options.now)
    _require_none(problems)
    return {"checked": checked}


def run_restore(options: argparse.Namespace) -> Any:
    backup = _chosen(Storage(options.storage), options.backup)
    programs = find_programs(options.bin_dir)
    try:
        restore(options.url, backup, programs, overwrite=options.overwrite)
    except VerificationError:
        if options.log_url is not None:
            _record(options.log_url, backup, options.now, ok=False)
        raise
    return _verify(options, backup)


def run_verify(options: argparse.Namespace) -> Any:
    return _verify(options, _chosen(Storage(options.storage), options.backup))


def _verify(options: argparse.Namespace, backup: Backup) -> Any:
    # The whole application comes with it, which no other command needs to load.
    from reference_app.upkeep.verify import verify

    manifest = check_files(backup.path)
    verified = verify(options.url, options.app_url, manifest, options.now, options.variant)
    _record(options.log_url or options.url, backup, options.now, ok=verified.ok)
    _require_none(verified.problems)
    return {"backup": backup.path.name, **msgspec.structs.asdict(verified)}


def _record(url: str, backup: Backup, now: datetime, *, ok: bool) -> None:
    size = (backup.path / DUMP).stat().st_size
    storage = str(backup.path.parent)
    with connect(url) as connection:
        record_test(connection, Entry(backup.at, size, storage, tested_at=now, ok=ok))


def _require_none(problems: tuple[str, ...]) -> None:
    if problems:
        raise VerificationError(
            "\n".join(problems), fix="docs/operations.md says what to do about each"
        )


def _chosen(storage: Storage, name: str | None) -> Backup:
    """The backup of this name, or the newest."""
    found = [each for each in storage.backups() if name in (None, each.path.name)]
    if not found:
        raise UpkeepError(f"no backup {name or ''} in {storage.name}", fix="see what `list` shows")
    return found[-1]
